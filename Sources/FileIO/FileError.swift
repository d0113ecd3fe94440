// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// What the operating system refused.
package enum FileError: Error, Equatable, Sendable {
  /// The file could not be opened for reading.
  case cannotOpen(path: String, errno: Int32)
  /// The path names something that is no regular file (`kind` says what).
  case notARegularFile(path: String, kind: String)
  /// Reading failed, or the file changed its size while being opened.
  case cannotRead(path: String, errno: Int32)
  /// The output could not be created (folder missing or read-only, a directory of that name, …).
  case cannotCreate(path: String, errno: Int32)
  /// The output's path names something that is no regular file (`kind` says what).
  case outputNotAFile(path: String, kind: String)
  /// The output exists and replacing it was not asked for.
  case outputExists(path: String)
  /// The output is the same file as an input.
  case outputIsInput(path: String)
  /// The output goes on with a file (`expected` says of what kind), and there is something else.
  case outputIsForeign(path: String, expected: String)
  /// Two outputs have one name.
  case outputTwice(path: String)
  /// Writing failed (disk full, quota, …).
  case cannotWrite(path: String, errno: Int32)
}

extension FileError: Failure {
  package var kind: FailureKind {
    switch self {
    case .cannotOpen, .notARegularFile: .cannotOpen
    case .cannotCreate, .outputNotAFile, .outputExists, .outputIsInput, .outputIsForeign,
      .outputTwice:
      .cannotCreate
    case .cannotRead, .cannotWrite: .inputOutput
    }
  }

  package var report: FailureReport {
    switch self {
    case .cannotOpen(let path, ENOENT) where path.unicodeScalars.contains("\u{FFFD}"):
      .init(
        "cannot open \(DisplayText.quoted(path)): \(Self.text(ENOENT))",
        advice: "rename it, if its name is no UTF-8")
    case .cannotOpen(let path, let errno):
      "cannot open \(DisplayText.quoted(path)): \(Self.text(errno))"
    case .notARegularFile(let path, let kind):
      .init(
        "\(DisplayText.quoted(path)) is \(kind), not a file", advice: "name a regular file")
    case .cannotRead(let path, let errno):
      "cannot read \(DisplayText.quoted(path)): \(Self.text(errno))"
    case .cannotCreate(let path, let errno):
      "cannot create \(DisplayText.quoted(path)): \(Self.text(errno))"
    case .outputNotAFile(let path, let kind):
      .init("output \(DisplayText.quoted(path)) is \(kind)", advice: "name a file to write")
    case .outputExists(let path):
      .init(
        "output \(DisplayText.quoted(path)) exists", advice: "use \(.replacesOutput) to replace it")
    case .outputIsInput(let path):
      .init(
        "output \(DisplayText.quoted(path)) is an input file", advice: "name another output")
    case .outputIsForeign(let path, let expected):
      .init(
        "\(DisplayText.quoted(path)) is there and is not \(expected)", advice: "name another file")
    case .outputTwice(let path):
      .init(
        "two outputs are named \(DisplayText.quoted(path))", advice: "give each its own name")
    case .cannotWrite(let path, let errno):
      "cannot write \(DisplayText.quoted(path)): \(Self.text(errno))"
    }
  }

  /// One line: what is wrong, where, and what to do.
  package var description: String { message() }

  /// The system's words for an error number.
  package static func text(_ errno: Int32) -> String {
    guard let message = strerror(errno) else { return "error \(errno)" }
    return String(cString: message).lowercased()
  }
}
