import FileIO
import TestSupport
import Testing

/// The runtime is lean: nothing of the converter or of the pickle reader is in it.
@Suite struct LinkageTests {
  @Test(arguments: [("nnrun", false), ("nnconvert", true)])
  func onlyTheConverterKnowsPickles(name: String, expected: Bool) throws {
    let binary = try MappedFile(path: Command.path(of: name)).bytes
    for module in ["PickleReader", "9Converter"] {
      #expect(binary.contains(Array(module.utf8)) == expected, "\(module) in \(name)")
    }
  }

  /// So is training in none but its own command.
  @Test(arguments: [("nnrun", false), ("nnconvert", false), ("nntrain", true)])
  func onlyNntrainTrains(name: String, expected: Bool) throws {
    let binary = try MappedFile(path: Command.path(of: name)).bytes
    #expect(binary.contains(Array("8Training".utf8)) == expected)
  }
}

extension Bytes {
  fileprivate func contains(_ pattern: [UInt8]) -> Bool {
    var position = 0
    while let found = firstOffset(of: pattern[0], from: position, below: count) {
      if hasBytes(pattern, at: found) { return true }
      position = found + 1
    }
    return false
  }
}
