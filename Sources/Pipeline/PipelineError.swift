// SPDX-License-Identifier: Apache-2.0
package import DICOM
public import FileIO
package import Preprocessing
package import SWTFormat
package import SWTRuntime

/// Why a case cannot be run.
public struct PipelineError: Error, Equatable, Sendable {
  /// What is done to a case.
  package enum Step: String, Sendable {
    /// The files' voxels are taken into memory.
    case reading
    /// The scan is normalised and resampled.
    case preprocessing
    /// The network looks at an array.
    case running
  }

  package enum Reason: Equatable, Sendable {
    /// The scan cannot be read or preprocessed.
    case preprocessing(PreprocessingError)
    /// A DICOM series cannot be read.
    case dicom(DICOMError)
    /// The network cannot be run.
    case runtime(RuntimeError)
    /// The case would take more memory than it may; `fitting` names policies that would not.
    case memory(needed: Int, limit: Int, policy: InputPolicy, fitting: [InputPolicy])
    /// A step would take more memory than it may, under any input policy.
    case tooLarge(Step, needed: Int, limit: Int)
    /// The system does not give the memory that a step needs.
    case allocation(Step, byteCount: Int)
    /// The model's labels do not fit its network.
    case labels(String)
    /// The network's logits are infinite or not numbers.
    case notFinite
    /// A file of postprocessing steps is none, or asks for what is not known here.
    case postprocessing(path: String, problem: String)
    /// The caller stopped it.
    case cancelled
    /// A case that comes from memory has no place to write a segmentation for.
    case noPlace
    /// Windows slide by a part of their size, 0.01…1.
    case stepSize(Double)
    /// A label that the model does not have.
    case unknownLabel(String, known: [String])
    /// A fold that the model does not hold.
    case unknownFold(String, known: [String])
  }

  package let reason: Reason

  package init(_ reason: Reason) { self.reason = reason }
}

extension PipelineError: Failure {
  package var confidentialPlace: String? {
    if case .dicom(let error) = reason { error.confidentialPlace } else { nil }
  }

  package var kind: FailureKind {
    switch reason {
    case .preprocessing(let error): error.kind
    case .dicom(let error): error.kind
    case .runtime(let error): error.kind
    case .memory, .tooLarge, .allocation: .memory
    case .labels, .notFinite, .postprocessing: .badInput
    case .cancelled: .interrupted
    case .stepSize, .unknownLabel, .unknownFold, .noPlace: .usage
    }
  }

  /// One line: what is wrong, where, and what to do.
  public var description: String { message() }

  /// What kind of failure it is: the number that libswt's `swt_status` has for it.
  public var status: Int32 { kind.codes.status }

  package var report: FailureReport {
    switch reason {
    case .preprocessing(let error): error.report
    case .dicom(let error): error.report
    case .runtime(let error): error.report
    case .memory(let needed, let limit, let policy, let fitting):
      FailureReport(
        "input policy '\(policy.rawValue)' needs \(ByteCount.text(needed)) of memory where "
          + "\(ByteCount.text(limit)) may be used",
        advice: fitting.isEmpty
          ? "no policy fits, raise \(.memoryLimit) or use a machine with more memory"
          : "use \(.inputPolicy) \(fitting.map(\.rawValue).joined(separator: " or "))")
    case .tooLarge(let step, let needed, let limit):
      .init(
        "\(step.rawValue) it takes \(ByteCount.text(needed)) of memory where "
          + "\(ByteCount.text(limit)) may be used",
        advice: "raise \(.memoryLimit) or use a machine with more memory")
    case .allocation(let step, let byteCount):
      .init(
        "\(step.rawValue) it takes \(ByteCount.text(byteCount)) of memory, which is not available",
        advice: "use a machine with more memory, or raise its limit (ulimit -v)")
    case .labels(let problem): FailureReport(problem)
    case .notFinite:
      .init(
        "the network's logits are infinite or not numbers",
        advice: "look for such voxels in the scan")
    case .postprocessing(let path, let problem): "\(DisplayText.quoted(path)) \(problem)"
    case .cancelled: "stopped"
    case .noPlace: "a case from memory has no place in a scan: read it from its files"
    case .stepSize(let size): "the step size is \(size), not 0.01…1"
    case .unknownFold(let name, let known):
      .init(
        "the model holds no fold \(DisplayText.quoted(name)), or it is named twice",
        advice: "it holds \(known.map(DisplayText.quoted).joined(separator: ", "))")
    case .unknownLabel(let name, let known):
      .init(
        "the model has no label \(DisplayText.quoted(name))",
        advice: "it has \(known.map(DisplayText.quoted).joined(separator: ", "))")
    }
  }
}
