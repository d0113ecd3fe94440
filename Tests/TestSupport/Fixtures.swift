/// Where the committed test data lies.
package enum Fixtures {
  /// The folder `Tests/Fixtures`.
  package static let folder: String = {
    var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    parts.removeLast(2)
    return parts.joined(separator: "/") + "/Fixtures"
  }()
}
