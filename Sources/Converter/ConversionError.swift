internal import FileIO
internal import NPY
internal import PickleReader
internal import SWTFormat

/// Why a checkpoint cannot be converted.
public enum ConversionError: Error, Equatable, Sendable {
  /// What a file operation failed at.
  public enum FileFault: Sendable, Equatable {
    /// The input cannot be opened.
    case cannotOpen
    /// The output cannot be created.
    case cannotCreate
    /// Reading or writing failed in the middle.
    case inputOutput
  }

  /// The operating system refused; the message says what.
  case file(FileFault, message: String)
  /// The file cannot be read as a checkpoint.
  case unreadable(file: String, problem: String)
  /// The file is read, but holds something else than an nnU-Net network.
  case notNNUNet(problem: String, advice: String)
  /// A field of plans, dataset.json or init_args is missing or has a value we cannot take.
  case field(path: String, problem: String)
  /// The architecture names something that is not supported.
  case unsupported(what: String, advice: String)
  /// The network that the plans describe has a parameter that the weights lack.
  case missingKey(String)
  /// The weights have a key that the network does not.
  case unexpectedKey(String)
  /// A weight has another shape than the plans say.
  case shape(key: String, found: [Int], expected: [Int])
  /// A weight is stored in a way that is no plain float tensor.
  case tensor(key: String, problem: String)
  /// A key occurs twice.
  case duplicateKey(String)
  /// Two names of one parameter have different values.
  case aliasesDiffer(String, String)
  /// A weight is NaN or infinite.
  case nonFinite(key: String)
  /// The head file holds no linear head that fits.
  case head(problem: String, advice: String)
  /// Options that contradict each other or the input.
  case options(problem: String)
}

extension ConversionError {
  /// What it was about the file system, where it was.
  package var fileFault: FileFault? { if case .file(let fault, _) = self { fault } else { nil } }

  init(_ error: FileError) {
    self.init(SWTError(error), file: "")
  }

  /// - Parameter file: the model that is read or written; messages of the file system name theirs.
  init(_ error: SWTError, file: String) {
    switch error {
    case .file(.cannotOpen, let message): self = .file(.cannotOpen, message: message)
    case .file(.cannotCreate, let message): self = .file(.cannotCreate, message: message)
    case .file(.inputOutput, let message): self = .file(.inputOutput, message: message)
    case .field(let path, let problem): self = .field(path: path, problem: problem)
    default: self = .unreadable(file: file, problem: "\(error)")
    }
  }

  init(_ error: PickleError, file: String) {
    if case .file(let error) = error {
      self.init(error)
    } else {
      self = .unreadable(file: file, problem: "\(error)")
    }
  }
}

extension ConversionError: CustomStringConvertible {
  /// What is wrong, where, and what to do.
  public var description: String {
    switch self {
    case .file(_, let message): message
    case .unreadable(let file, let problem): "\(DisplayText.quoted(file)): \(problem)"
    case .notNNUNet(let problem, let advice): "\(problem) — \(advice)"
    case .field(let path, let problem):
      "\(DisplayText.escaped(path)) \(DisplayText.escaped(problem))"
    case .unsupported(let what, let advice):
      "\(DisplayText.escaped(what)) is not supported — \(advice)"
    case .missingKey(let key):
      "the weights lack \(DisplayText.quoted(key)), which the plans call for — check that plans and "
        + "checkpoint belong together"
    case .unexpectedKey(let key):
      "the weights have \(DisplayText.quoted(key)), which the plans do not — check that plans and "
        + "checkpoint belong together"
    case .shape(let key, let found, let expected):
      "\(DisplayText.quoted(key)) has shape \(found) where the plans call for \(expected) — check "
        + "that plans and checkpoint belong together"
    case .tensor(let key, let problem):
      "\(DisplayText.quoted(key)): \(problem)"
    case .duplicateKey(let key):
      "the weights have \(DisplayText.quoted(key)) twice — the checkpoint was edited, save it again"
    case .aliasesDiffer(let first, let second):
      "\(DisplayText.quoted(first)) and \(DisplayText.quoted(second)) are names of one parameter "
        + "but differ — the checkpoint was edited, save it again"
    case .nonFinite(let key):
      "\(DisplayText.quoted(key)) holds NaN or infinity — the training diverged; use "
        + "--allow-nonfinite to convert it all the same"
    case .head(let problem, let advice): "head: \(problem) — \(advice)"
    case .options(let problem): problem
    }
  }
}
