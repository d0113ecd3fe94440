// SPDX-License-Identifier: Apache-2.0
/// The version of everything here: both commands, the libraries, the package, and what files say they were
/// made with. The file format has its own.
package enum ProductVersion {
  /// As `MAJOR.MINOR.PATCH`; `scripts/package` reads this line.
  package static let text: StaticString = "0.2.0"

  /// The same.
  package static var current: String { "\(text)" }
}
