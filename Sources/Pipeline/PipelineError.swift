internal import FileIO
public import Preprocessing
public import SWTFormat
public import SWTRuntime

/// Why a case cannot be run.
public enum PipelineError: Error, Sendable, Equatable {
  /// The scan cannot be read or preprocessed.
  case preprocessing(PreprocessingError)
  /// The network cannot be run.
  case runtime(RuntimeError)
  /// The case would take more memory than it may; `fitting` names policies that would not.
  case memory(needed: Int, limit: Int, policy: InputPolicy, fitting: [InputPolicy])
  /// The model's labels do not fit its network.
  case labels(String)
  /// The network's logits are infinite or not numbers.
  case notFinite
}

extension PipelineError: CustomStringConvertible {
  /// One line: what is wrong, where, and what to do.
  public var description: String {
    switch self {
    case .preprocessing(let error): "\(error)"
    case .runtime(let error): "\(error)"
    case .memory(let needed, let limit, let policy, let fitting):
      "input policy '\(policy.rawValue)' needs \(ByteCount.text(needed)) of memory where "
        + "\(ByteCount.text(limit)) may be used — "
        + (fitting.isEmpty
          ? "no policy fits, use a machine with more memory"
          : "use --input-policy \(fitting.map(\.rawValue).joined(separator: " or "))")
    case .labels(let problem): problem
    case .notFinite:
      "the network's logits are infinite or not numbers — look for such voxels in the scan"
    }
  }
}
