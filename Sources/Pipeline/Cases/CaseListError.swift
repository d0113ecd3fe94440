// SPDX-License-Identifier: Apache-2.0
package import DICOM
package import FileIO

/// Why inputs cannot be taken as cases.
package enum CaseListError: Error, Equatable, Sendable {
  /// The operating system refused.
  case file(FileError)
  /// There is nothing to do.
  case empty
  /// Arrays and scans are given together.
  case mixed
  /// A folder does not hold what it should.
  case folder(String, problem: String, advice: Advice? = nil)
  /// A table is not one of cases.
  case table(String, problem: String, advice: Advice? = nil)
  /// A line of a stream is no case.
  case line(String)
  /// A folder of DICOM files gives no case.
  case dicom(DICOMError)
  /// Series are named that do not fit the channels.
  case series(String, channels: [String])
  /// Series are named, but nothing is DICOM.
  case noSeries
  /// Two cases cannot be told apart.
  case sameName(String, place: String)
  /// A name that is none of a file below a folder.
  case name(String, place: String)
  /// The files of a case are not what the model takes.
  case files(problem: String, advice: Advice? = nil)
}

extension CaseListError: Failure {
  package var confidentialPlace: String? {
    if case .dicom(let error) = self { error.confidentialPlace } else { nil }
  }

  package var kind: FailureKind {
    switch self {
    case .file(let error): error.kind
    case .dicom(let error): error.kind
    case .mixed, .series, .noSeries: .usage
    default: .badInput
    }
  }

  package var description: String { message() }

  package var report: FailureReport {
    switch self {
    case .file(let error): error.report
    case .empty: "the input holds no case"
    case .mixed:
      .init("arrays (.npy) and scans are given together", advice: "run them one after the other")
    case .folder(let path, let problem, let advice), .table(let path, let problem, let advice):
      .init("\(DisplayText.quoted(path)): \(problem)", advice: advice)
    case .line(let problem):
      .init(
        "a line of stdin is no case: \(problem)",
        advice: "write {\"case\": \"a\", \"images\": [\"a.nii.gz\"]}")
    case .dicom(let error): error.report
    case .series(let text, let channels):
      .init(
        "series \(DisplayText.quoted(text)) do not fit the model's channels",
        advice: Self.seriesAdvice(channels))
    case .noSeries: .init("series are named, but no input is DICOM", advice: "leave out \(.series)")
    case .sameName(let name, let place):
      .init(
        "\(place): there are two cases \(DisplayText.quoted(name))",
        advice: "name every case once, under a name of its own")
    case .name(let name, let place):
      .init(
        "\(place): the case name \(DisplayText.quoted(name)) is no file's in the folder of the results",
        advice: "use a name of at most 200 bytes without '..', '//' and a leading '/'")
    case .files(let problem, let advice): .init(problem, advice: advice)
    }
  }

  private static func seriesAdvice(_ channels: [String]) -> Advice {
    if channels.count == 1 { return "name one UID with \(.series)" }
    let names = channels.map { "\(DisplayText.escaped($0))=UID" }.joined(separator: ", ")
    return "name each channel's: \(.series) \(names)"
  }
}
