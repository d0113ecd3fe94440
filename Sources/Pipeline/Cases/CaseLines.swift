// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import SWTFormat

/// Cases that come one a line as JSON: `{"case": "a", "images": ["a.nii.gz"]}`.
package enum CaseLines {
  /// The case that a line names. A line that names none gives one that is unusable, under the name
  /// that it gives or its number, so that every line is answered.
  package static func entry(_ line: String, number: Int) -> CaseList.Entry {
    let json: JSONValue
    do { json = try JSONParser.parse(Bytes(Array(line.utf8))) } catch {
      return unusable("line \(number)", .line("\(error)"))
    }
    let images = json["images"]?.array?.compactMap(\.string) ?? []
    let name =
      json["case"]?.string ?? images.first.map { ScanName(path: $0).caseName } ?? "line \(number)"
    guard !images.isEmpty, images.count == json["images"]?.array?.count else {
      return unusable(name, .line("\"images\" is no list of files"))
    }
    guard CaseNames.isContained(name) else {
      return unusable(name, .name(name, place: "line \(number) of stdin"))
    }
    return CaseList.Entry(
      name: name,
      source: images.count == 1 && images[0].lowercased().hasSuffix(".npy")
        ? .array(path: images[0]) : .scan(files: images))
  }

  private static func unusable(_ name: String, _ error: CaseListError) -> CaseList.Entry {
    CaseList.Entry(name: name, source: .unusable(error))
  }
}
