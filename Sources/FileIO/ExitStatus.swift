/// Exit statuses of the commands, as BSD's sysexits has them.
package enum ExitStatus {
  package static let different: Int32 = 1
  package static let someFailed: Int32 = 8
  package static let usage: Int32 = 64
  package static let badInput: Int32 = 65
  package static let cannotOpen: Int32 = 66
  package static let internalError: Int32 = 70
  package static let cannotCreate: Int32 = 73
  package static let inputOutput: Int32 = 74
}
