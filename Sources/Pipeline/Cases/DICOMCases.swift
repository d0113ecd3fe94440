// SPDX-License-Identifier: Apache-2.0
package import DICOM
internal import FileIO

/// Series of a study that are a case's channels, and how training saw such scans.
package struct DICOMSource: Sendable, Equatable {
  /// One series per channel.
  package let series: [DICOMSeries]
  /// What the user says; otherwise the model does.
  package let convention: DICOMConvention?
}

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
  /// What the user should know, one line each.
  let notes: [String]

  /// Whether a path names a file that is no scan or table of another kind.
  static func mayBeDICOM(_ path: String) -> Bool {
    let name = path.lowercased()
    return ![".nii", ".nii.gz", ".npy", ".csv"].contains(where: name.hasSuffix)
      && MappedFile.identity(ofFileAt: path) != nil
  }

  /// `nil` where the path holds nothing that is DICOM.
  init?(path: String, channels: [String], choice: DICOMChoice) throws(CaseListError) {
    let names = try choice.names(channels: channels)
    let studies: [StudyFolder]
    do throws(DICOMError) { studies = try StudyFolder.studies(in: path) } catch {
      throw .dicom(error)
    }
    guard !studies.isEmpty else { return nil }
    var found: [CaseList.Found] = []
    var notes: [String] = []
    for (index, folder) in studies.enumerated() {
      do throws(DICOMError) {
        let study = try DICOMStudy(folder, threads: ProcessorCount.available)
        notes += study.notices
        let series = try Self.series(of: study, channels: channels, names: names)
        found.append(
          CaseList.Found(
            entry: CaseList.Entry(
              name: series[0].name,
              source: .dicom(DICOMSource(series: series, convention: choice.convention))),
            isNamed: true))
      } catch {
        guard studies.count > 1 else { throw .dicom(error) }
        // The folder's own name may be the name of a person.
        found.append(
          CaseList.Found(
            entry: CaseList.Entry(name: "study-\(index + 1)", source: .unusable(.dicom(error))),
            isNamed: true))
      }
    }
    self.found = found
    self.notes = notes
  }

  private static func series(
    of study: DICOMStudy, channels: [String], names: [String]?
  ) throws(DICOMError) -> [DICOMSeries] {
    if let names {
      var series: [DICOMSeries] = []
      for name in names { series.append(try study.series(named: name)) }
      return series
    }
    guard channels.count == 1 else {
      let list = channels.map { "\(DisplayText.escaped($0))=UID" }.joined(separator: ", ")
      throw study.refusal(
        "channels are not guessed, and the model takes \(channels.count)",
        advice: "name each with \(.series): \(list)")
    }
    return [try study.series()]
  }
}
