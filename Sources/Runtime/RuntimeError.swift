// SPDX-License-Identifier: Apache-2.0
public import FileIO
package import SWTFormat

/// Why a model cannot be opened or run.
public struct RuntimeError: Error, Equatable, Sendable {
  package enum Reason: Equatable, Sendable {
    /// The file cannot be opened, or is no sound model.
    case model(SWTError)
    /// The input has the wrong rank or number of channels.
    case inputShape(found: [Int], expected: String)
    /// The input is too small, or cannot be halved as often as the network halves it.
    case inputSize(found: [Int], problem: String)
    /// A buffer does not have as many numbers as the shape that the session was made for.
    case elementCount(found: Int, expected: Int)
    /// The network has no such stage.
    case stage(Int, count: Int)
    /// The model has no classifier.
    case noClassifier
    /// The model has no decoder.
    case noDecoder
    /// The classifier reads several stages, which a session alone does not pool.
    case severalStages
    /// `SWT_ISA` names an instruction set that this processor lacks.
    case instructionSet(String, available: [String])
    /// The memory that the program needs is not available.
    case memory(byteCount: Int)
    /// A result is infinite or not a number; the text says which.
    case notFinite(String)
    /// A number of threads below one.
    case threads(Int)
    /// This processor, or the instruction set that `SWT_ISA` names, has no arithmetic of that precision.
    case precision(Precision, instructionSet: String)
    /// The caller stopped the run.
    case cancelled
  }

  package let reason: Reason

  package init(_ reason: Reason) { self.reason = reason }
}

extension RuntimeError: Failure {
  package var kind: FailureKind {
    switch reason {
    case .model(let error): error.kind
    case .inputShape, .inputSize, .elementCount, .noClassifier, .noDecoder, .severalStages:
      .mismatch
    case .stage, .instructionSet, .threads, .precision: .usage
    case .memory: .memory
    case .notFinite: .badInput
    case .cancelled: .interrupted
    }
  }

  /// One line: what is wrong, where, and what to do.
  public var description: String { message() }

  /// What kind of failure it is: the number that libswt's `swt_status` has for it.
  public var status: Int32 { kind.codes.status }

  package var report: FailureReport {
    switch reason {
    case .model(let error): error.report
    case .inputShape(let found, let expected):
      "the input has shape \(found) where the network takes \(expected)"
    case .inputSize(let found, let problem): "an input of shape \(found) \(problem)"
    case .elementCount(let found, let expected):
      "the input has \(found) numbers instead of \(expected)"
    case .stage(let stage, let count):
      "the network has no stage \(stage); it has stages 0…\(count - 1)"
    case .noClassifier:
      .init("the model has no classifier", advice: "convert with \(.head) or use nnconvert attach")
    case .noDecoder:
      .init("the model has no decoder", advice: "convert with \(.part) network")
    case .severalStages:
      .init("the classifier reads several stages", advice: "run it through a pipeline")
    case .instructionSet(let name, let available):
      "SWT_ISA names '\(name)', but this processor has \(available.joined(separator: ", "))"
    case .memory(let byteCount):
      .init("\(byteCount >> 20) MiB of memory is not available", advice: "use a smaller input")
    case .precision(let precision, let instructionSet):
      .init(
        "there is no \(precision.rawValue) arithmetic with \(instructionSet) on this processor",
        advice: "leave \(.precision) at f32")
    case .notFinite(let what):
      .init(
        "the network's \(what) are infinite or not numbers",
        advice: "look for such voxels in the input")
    case .cancelled: "stopped"
    case .threads(let count): .init("\(count) threads", advice: "use at least one")
    }
  }
}
