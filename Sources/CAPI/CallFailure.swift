internal import CSWT
internal import Pipeline
internal import Preprocessing
internal import SWTFormat
internal import SWTRuntime

/// Why a call fails: what C sees of our errors.
struct CallFailure: Error {
  let status: swt_status
  let message: String

  static func usage(_ message: String) -> CallFailure {
    CallFailure(status: SWT_USAGE, message: message)
  }

  init(status: swt_status, message: String) {
    self.status = status
    self.message = message
  }

  init(_ error: any Error) {
    switch error {
    case let failure as CallFailure: self = failure
    case let error as RuntimeError: self.init(status: Self.status(error), message: "\(error)")
    case PipelineError.runtime(let error):
      self.init(status: Self.status(error), message: "\(error)")
    case PipelineError.memory: self.init(status: SWT_MEMORY, message: "\(error)")
    case PipelineError.preprocessing(.file(let message, cannotOpen: true)):
      self.init(status: SWT_CANNOT_OPEN, message: message)
    default: self.init(status: SWT_BAD_INPUT, message: "\(error)")
    }
  }

  private static func status(_ error: RuntimeError) -> swt_status {
    switch error {
    case .model(.file(.cannotOpen, _)): SWT_CANNOT_OPEN
    case .model: SWT_BAD_INPUT
    case .memory: SWT_MEMORY
    default: SWT_USAGE
    }
  }

  /// Runs a call, turning what it throws into a status and a text.
  static func report(
    _ error: UnsafeMutablePointer<swt_error>?, _ body: () throws -> Void
  ) -> swt_status {
    do {
      try body()
      return SWT_OK
    } catch let thrown {
      let failure = CallFailure(thrown)
      failure.write(to: error)
      return failure.status
    }
  }

  private func write(to error: UnsafeMutablePointer<swt_error>?) {
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
