internal import FileIO

/// Why a scan cannot be read or preprocessed.
public enum PreprocessingError: Error, Sendable, Equatable {
  /// The operating system refused the file; `cannotOpen` tells whether it could not be opened.
  case file(message: String, cannotOpen: Bool)
  /// The file is no NIfTI, or of a format that is not read here.
  case format(path: String, problem: String)
  /// A volume given in memory is inconsistent.
  case volume(String)
  /// The channels of a case do not fit each other or the model.
  case channels(String)
  /// The plans ask for something that is not here.
  case unsupported(field: String, value: String)
}

extension PreprocessingError: CustomStringConvertible {
  /// One line: what is wrong, where, and what to do.
  public var description: String {
    switch self {
    case .file(let message, _): message
    case .format(let path, let problem): "\(DisplayText.quoted(path)): \(problem)"
    case .volume(let problem): problem
    case .channels(let problem): problem
    case .unsupported(let field, let value):
      "\(field) is \(DisplayText.quoted(value)), which is not supported — preprocess with nnU-Net "
        + "and give the array as .npy"
    }
  }
}
