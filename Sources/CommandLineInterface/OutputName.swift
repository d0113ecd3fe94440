// SPDX-License-Identifier: Apache-2.0
/// Names of files that commands write, judged before any work is done for them.
package enum OutputName {
  /// Why a path is no name for a file with that ending; a name without any ending is left as it is.
  package static func problem(_ path: String, ending: String) -> String? {
    guard path != "-", !path.isEmpty else { return "is no file" }
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    guard !name.contains(".") || name.lowercased().hasSuffix(ending) else {
      return "does not end in \(ending), which is what is written"
    }
    return nil
  }
}
