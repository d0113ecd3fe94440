// SPDX-License-Identifier: Apache-2.0
internal import CSWT
internal import FileIO

/// What is wrong with a call itself.
struct CallFailure: Failure {
  let kind: FailureKind
  let report: FailureReport

  var description: String { message() }

  static func usage(_ problem: String) -> CallFailure {
    CallFailure(kind: .usage, report: FailureReport(problem))
  }

  /// Runs a call, turning what it throws into a status and a text.
  static func report(
    _ error: UnsafeMutablePointer<swt_error>?, _ body: () throws -> Void
  ) -> swt_status {
    do {
      try body()
      return SWT_OK
    } catch let thrown {
      let failure = thrown as? any Failure
      write(failure?.message { $0.argument } ?? "\(thrown)", to: error)
      return swt_status(rawValue: UInt32((failure?.kind ?? .internalError).codes.status))
    }
  }

  private static func write(_ message: String, to error: UnsafeMutablePointer<swt_error>?) {
    guard let error else { return }
    withUnsafeMutableBytes(of: &error.pointee.message) { target in
      // Cut between characters, and ended by a zero.
      var length = 0
      for character in message {
        let bytes = Array(character.utf8)
        guard length + bytes.count < target.count else { break }
        target.baseAddress.map { ($0 + length).copyMemory(from: bytes, byteCount: bytes.count) }
        length += bytes.count
      }
      target[length] = 0
    }
  }
}

extension Setting {
  /// What `swt.h` calls it.
  fileprivate var argument: String {
    switch self {
    case .inputPolicy: "policy"
    case .memoryLimit: "memory_limit"
    default: rawValue
    }
  }
}
