// SPDX-License-Identifier: Apache-2.0
/// The standard error stream. Whether anyone hears is of no matter.
package enum StandardError {
  /// Whether a person sits in front of it.
  package static var isTerminal: Bool { StandardDescriptor.error.isTerminal }

  package static func write(_ text: String) { _ = StandardDescriptor.error.write(text) }

  package static func writeLine(_ text: String) { write(text + "\n") }
}
