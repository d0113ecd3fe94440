// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// Why a `.npy` file cannot be read or written.
package enum NPYError: Error, Equatable, Sendable {
  /// The operating system refused.
  case file(FileError)
  /// The file does not start as `.npy` files do.
  case notNPY
  /// A format version that does not exist.
  case version(Int)
  /// The header is not what NumPy writes.
  case header(String)
  /// The array holds other numbers than floats.
  case elementType(String)
  /// There are more or fewer bytes than the shape needs.
  case dataLength(found: Int, expected: Int)
}

extension NPYError: Failure {
  package var kind: FailureKind {
    if case .file(let error) = self { error.kind } else { .badInput }
  }

  package var description: String { message() }

  package var report: FailureReport {
    switch self {
    case .file(let error): error.report
    case .notNPY: .init("this is no .npy file", advice: "save the array with numpy.save")
    case .version(let version): "unknown .npy version \(version)"
    case .header(let problem): "the .npy header \(DisplayText.escaped(problem))"
    case .elementType(let descriptor):
      .init(
        "the .npy file holds \(DisplayText.quoted(descriptor))",
        advice: "save it as float32 (numpy: array.astype('<f4'))")
    case .dataLength(let found, let expected):
      "the .npy file has \(found) bytes of data where its shape needs \(expected)"
    }
  }
}
