internal import FileIO

/// Where something was found, named without the text of a path below the folder that a person gave.
package enum DICOMPlace: Equatable, Sendable {
  /// The folder or file as it was given.
  case folder(String)
  /// One of the files below it, counted from 1 in the order of their names.
  case file(index: Int, count: Int, path: String, instance: String?)
  case series(String)

  /// Its name in messages; only `verbose` shows paths below the folder.
  package func name(verbose: Bool) -> String {
    switch self {
    case .folder(let path): DisplayText.quoted(path)
    case .file(let index, let count, let path, let instance):
      "file \(index) of \(count)"
        + (verbose ? " (\(DisplayText.quoted(path)))" : instance.map { " (instance \($0))" } ?? "")
    case .series(let uid): "series \(uid)"
    }
  }
}
