// SPDX-License-Identifier: Apache-2.0
public import FileIO

/// Why a scan cannot be read or preprocessed.
public struct PreprocessingError: Error, Equatable, Sendable {
  package enum Reason: Equatable, Sendable {
    /// The operating system refused the file.
    case file(FileError)
    /// The file is no NIfTI, or of a format that is not read here.
    case format(path: String, problem: String)
    /// A volume given in memory is inconsistent.
    case volume(String)
    /// The channels of a case do not fit each other or the model.
    case channels(String)
    /// The plans ask for something that is not here.
    case unsupported(field: String, value: String)
    /// The model does not say which spacing scans are to be resampled to.
    case unknownSpacing
  }

  package let reason: Reason

  package init(_ reason: Reason) { self.reason = reason }
}

extension PreprocessingError: Failure {
  package var kind: FailureKind {
    if case .file(let error) = reason { error.kind } else { .badInput }
  }

  /// One line: what is wrong, where, and what to do.
  public var description: String { message() }

  /// What kind of failure it is: the number that libswt's `swt_status` has for it.
  public var status: Int32 { kind.codes.status }

  package var report: FailureReport {
    switch reason {
    case .file(let error): error.report
    case .format(let path, let problem): "\(DisplayText.quoted(path)): \(problem)"
    case .volume(let problem): FailureReport(problem)
    case .channels(let problem): FailureReport(problem)
    case .unsupported(let field, let value):
      .init(
        "\(field) is \(DisplayText.quoted(value)), which is not supported",
        advice: "preprocess with nnU-Net and give the array as .npy")
    case .unknownSpacing:
      .init(
        "the model names no spacing, so scans cannot be resampled",
        advice: "convert it with \(.spacing) z,y,x, or give the array as .npy")
    }
  }
}
