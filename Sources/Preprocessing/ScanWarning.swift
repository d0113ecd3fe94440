// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// What a person should know about a scan that is read all the same.
package enum ScanWarning: Sendable, Equatable {
  /// SimpleITK turns voxels that are not finite into 0.
  case notFinite(path: String, count: Int, total: Int)
  /// Its header says something wrong that the reader passes over.
  case header(path: String, problem: String)
  /// Its voxels are all equal, or nearly all padding.
  case intensities(String)
  /// The files of a case do not lie in one place.
  case channels(String)
  /// The scans of a run lie otherwise than they should.
  case orientations(String)
  /// Its axes were turned.
  case turned(path: String, from: String, to: String)
}

extension ScanWarning: CustomStringConvertible {
  /// One line.
  package var description: String {
    switch self {
    case .notFinite(let path, let count, let total):
      "\(DisplayText.quoted(path)): \(count) of \(total) voxels are not finite; they are read as 0, as "
        + "SimpleITK does"
    case .header(let path, let problem): "\(DisplayText.quoted(path)): \(problem)"
    case .intensities(let problem): problem
    case .channels(let problem): problem
    case .orientations(let problem):
      "\(problem); nnU-Net ignores direction, so scans should lie as those trained on"
    case .turned(let path, let from, let to):
      "\(DisplayText.quoted(path)): turned from \(from) to \(to)"
    }
  }
}
