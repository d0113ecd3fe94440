// SPDX-License-Identifier: Apache-2.0
package import DICOM
internal import FileIO

/// What the user says about DICOM.
package struct DICOMChoice: Sendable {
  /// As given: `UID` or `CHANNEL=UID`.
  package let series: [String]
  package let convention: DICOMConvention?

  package init(series: [String] = [], convention: DICOMConvention? = nil) {
    self.series = series
    self.convention = convention
  }

  /// For every channel the name of a series; `nil` where a study's only volume is meant.
  func names(channels: [String]) throws(CaseListError) -> [String]? {
    guard !series.isEmpty else { return nil }
    var names = [String?](repeating: nil, count: channels.count)
    for text in series {
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let channel = parts.count == 2 ? channels.firstIndex(of: String(parts[0])) : 0
      guard let channel, parts.count == 2 || channels.count == 1, names[channel] == nil else {
        throw .series(text, channels: channels)
      }
      names[channel] = String(parts[parts.count - 1])
    }
    let found = names.compactMap(\.self)
    guard found.count == channels.count else {
      throw .series(series.joined(separator: ", "), channels: channels)
    }
    return found
  }
}

/// The cases in a folder of DICOM files: its study, or those of a cohort.
struct DICOMCases {
  let found: [CaseList.Found]

  /// Whether a path names a file that is no scan or table of another kind.
  static func mayBeDICOM(_ path: String) -> Bool {
    let name = path.lowercased()
    return ![".nii", ".nii.gz", ".npy", ".csv"].contains(where: name.hasSuffix)
      && MappedFile.identity(ofFileAt: path) != nil
  }

  /// `nil` where the path holds nothing that is DICOM.
  ///
  /// - Parameters:
  ///   - isOnly: whether nothing else is run: what is wrong with its only study is then the error of all.
  ///   - number: what studies that cannot be used are counted from.
  init?(
    path: String, channels: [String], choice: DICOMChoice, isOnly: Bool, countedFrom number: Int
  ) throws(CaseListError) {
    // Names that fit no channel are a mistake, whatever the studies hold.
    _ = try choice.names(channels: channels)
    let studies: [StudyFolder]
    do throws(DICOMError) { studies = try StudyFolder.studies(in: path) } catch {
      throw .dicom(error)
    }
    guard !studies.isEmpty else { return nil }
    var found: [CaseList.Found] = []
    for (index, folder) in studies.enumerated() {
      let entry: CaseList.Entry
      do throws(CaseListError) {
        let source = try DICOMSource(of: folder, channels: channels, choice: choice)
        entry = CaseList.Entry(name: source.name, source: .dicom(source))
      } catch {
        guard studies.count > 1 || !isOnly else { throw error }
        // The folder's own name may be the name of a person.
        entry = CaseList.Entry(name: "study-\(number + index)", source: .unusable(error))
      }
      found.append(CaseList.Found(entry: entry, isNamed: true))
    }
    self.found = found
  }
}
