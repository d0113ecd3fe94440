// SPDX-License-Identifier: Apache-2.0
package import DICOM
internal import FileIO

/// Series that are a case's channels, and how training saw such scans.
package struct DICOMSource: Sendable, Equatable {
  /// One series per channel.
  package let series: [DICOMSeries]
  /// What the user says; otherwise the model does.
  package let convention: DICOMConvention?
  /// What was left out of their studies, one line each.
  package let notices: [String]

  /// The bytes that its voxels take as float32.
  var byteCount: Int { series.reduce(0) { $0 + $1.byteCount } }

  package init(series: [DICOMSeries], convention: DICOMConvention?, notices: [String] = []) {
    self.series = series
    self.convention = convention
    self.notices = notices
  }

  /// What the case is called where nobody gave it a name: folders' names may be those of people.
  var name: String { series[0].name }

  /// The series of one study.
  init(
    of folder: StudyFolder, channels: [String], choice: DICOMChoice
  ) throws(CaseListError) {
    let names = try choice.names(channels: channels)
    do throws(DICOMError) {
      let study = try DICOMStudy(folder, threads: ProcessorCount.available)
      self.init(
        series: try Self.series(of: study, channels: channels, names: names),
        convention: choice.convention, notices: study.notices)
    } catch { throw .dicom(error) }
  }

  /// A case whose channels are named by paths: a study that holds all of them, or one for each; `nil` where
  /// none of the paths is DICOM.
  init?(paths: [String], channels: [String], choice: DICOMChoice) throws(CaseListError) {
    var count = 0
    for path in paths where try Self.isDICOM(path) { count += 1 }
    guard count > 0 else { return nil }
    guard count == paths.count else {
      throw .files(
        problem: "some of its channels are DICOM and others are not",
        advice: "convert all of them, or none")
    }
    if paths.count == 1 {
      try self.init(of: StudyFolder(paths[0]), channels: channels, choice: choice)
      return
    }
    guard paths.count == channels.count else {
      throw .files(
        problem: "it has \(paths.count) folders where the model takes \(channels.count) channels",
        advice: "name one for each channel, or a study that holds all")
    }
    let names = try choice.names(channels: channels)
    var series: [DICOMSeries] = []
    var notices: [String] = []
    for (index, path) in paths.enumerated() {
      do throws(DICOMError) {
        let study = try DICOMStudy(StudyFolder(path), threads: ProcessorCount.available)
        series.append(try study.series(named: names?[index]))
        notices += study.notices
      } catch { throw .dicom(error) }
    }
    self.init(series: series, convention: choice.convention, notices: notices)
  }

  private static func isDICOM(_ path: String) throws(CaseListError) -> Bool {
    if Folder.exists(path) { return true }
    guard DICOMCases.mayBeDICOM(path) else { return false }
    do throws(DICOMError) { return try !StudyFolder.studies(in: path).isEmpty } catch {
      throw .dicom(error)
    }
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
