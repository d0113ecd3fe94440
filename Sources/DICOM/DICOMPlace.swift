// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// Where something was found, named without the text of a path below the folder that a person gave.
package enum DICOMPlace: Equatable, Sendable {
  /// The folder or file as it was given.
  case folder(String)
  /// One of the studies below it, counted from 1 in the order of their names.
  case study(index: Int, count: Int, path: String)
  /// One of the files of a study, counted from 1 in the order of their names.
  case file(index: Int, count: Int, path: String, instance: String?, study: String?)
  case series(String)

  /// Its name in messages.
  package var name: String {
    switch self {
    case .folder(let path): DisplayText.quoted(path)
    case .study: study ?? ""
    case .file(let index, let count, _, let instance, let study):
      (study.map { "\($0), " } ?? "") + "file \(index) of \(count)"
        + (instance.map { " (instance \($0))" } ?? "")
    case .series(let uid): "series \(uid)"
    }
  }

  /// Where it lies below the folder that was given.
  var path: String? {
    switch self {
    case .study(_, _, let path), .file(_, _, let path, _, _): path
    case .folder, .series: nil
    }
  }

  /// The number of the study that it is.
  var study: String? {
    guard case .study(let index, let count, _) = self else { return nil }
    return "study \(index) of \(count)"
  }
}
