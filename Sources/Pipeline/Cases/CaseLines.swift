// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import SWTFormat

/// Cases that come one a line as JSON: `{"case": "a", "images": ["a.nii.gz"]}`.
///
/// An image may be a folder of DICOM files; `series` then names series in it, as `--series` does: a text, a
/// list, or an object of channels.
package struct CaseLines: Sendable {
  /// The names of the model's channels.
  private let channels: [String]
  /// What the user says about DICOM.
  private let dicom: DICOMChoice

  package init(channels: [String] = [], dicom: DICOMChoice = DICOMChoice()) {
    self.channels = channels
    self.dicom = dicom
  }

  /// The case that a line names. A line that names none gives one that is unusable, under the name
  /// that it gives or its number, so that every line is answered.
  package func entry(_ line: String, number: Int) -> CaseList.Entry {
    let json: JSONValue
    do { json = try JSONParser.parse(Bytes(Array(line.utf8))) } catch {
      return Self.unusable("line \(number)", .line("\(error)"))
    }
    let given = json["case"]?.string
    let images = json["images"]?.array?.compactMap(\.string) ?? []
    let name = given ?? images.first.map { ScanName(path: $0).caseName } ?? "line \(number)"
    guard !images.isEmpty, images.count == json["images"]?.array?.count else {
      return Self.unusable(name, .line("\"images\" is no list of files"))
    }
    guard CaseNames.isContained(name) else {
      return Self.unusable(name, .name(name, place: "line \(number) of stdin"))
    }
    var choice = dicom
    if let series = json["series"] {
      guard let names = Self.series(series) else {
        return Self.unusable(
          given ?? "line \(number)",
          .line("\"series\" is no UID, no list of them and no object of channels"))
      }
      choice = DICOMChoice(series: names, convention: dicom.convention)
    }
    let source = CaseList.Source(files: images, channels: channels, dicom: choice)
    // Folders' names may be those of people.
    switch source {
    case .dicom(let series): return .init(name: given ?? series.name, source: source)
    case .unusable: return .init(name: given ?? "line \(number)", source: source)
    case .scan, .array: return .init(name: name, source: source)
    }
  }

  /// As `--series` spells them.
  private static func series(_ json: JSONValue) -> [String]? {
    if let text = json.string { return [text] }
    if let list = json.array {
      let names = list.compactMap(\.string)
      return names.count == list.count ? names : nil
    }
    guard let object = json.object else { return nil }
    let names = object.members.compactMap { key, value in value.string.map { "\(key)=\($0)" } }
    return names.count == object.members.count ? names : nil
  }

  private static func unusable(_ name: String, _ error: CaseListError) -> CaseList.Entry {
    CaseList.Entry(name: name, source: .unusable(error))
  }
}
