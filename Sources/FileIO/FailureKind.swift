// SPDX-License-Identifier: Apache-2.0
/// What kind of failure an error is, for programs: it decides the exit status of a command and the
/// `swt_status` of a call.
package enum FailureKind: Sendable, CaseIterable {
  /// The call or the command line is wrong, whatever the files hold.
  case usage
  /// An input is sound but does not fit the model, or asks for what the model lacks.
  case mismatch
  /// A file or scan is damaged or not supported.
  case badInput
  /// More memory is needed than there is or may be used.
  case memory
  /// An input cannot be opened.
  case cannotOpen
  /// An output cannot be created.
  case cannotCreate
  /// Reading or writing failed in the middle.
  case inputOutput
  /// Some of several cases failed.
  case someFailed
  /// Another thread is using the object.
  case busy
  /// The fault is ours, or the machine's.
  case internalError
  /// Stopped by the user.
  case interrupted

  /// The exit status of a command, and the `swt_status` of a call.
  package var codes: (exitStatus: Int32, status: Int32) {
    switch self {
    case .usage: (64, 64)
    // To C a shape is an argument; on the command line it comes from a file.
    case .mismatch: (65, 64)
    case .badInput: (65, 65)
    case .memory: (65, 71)
    case .cannotOpen: (66, 66)
    case .cannotCreate: (73, 73)
    case .inputOutput: (74, 74)
    case .someFailed: (8, 65)
    case .busy: (75, 75)
    case .internalError: (70, 70)
    case .interrupted: (130, 76)
    }
  }
}
