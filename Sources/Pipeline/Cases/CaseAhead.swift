// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// Reads and preprocesses the next case while the network looks at this one.
///
/// For one thread at a time; it works on another.
package final class CaseAhead {
  private let entries: [CaseList.Entry]
  private let reader: CaseReader
  private var next: (name: String, work: BackgroundWork<PreparedCase?>)?

  /// - Parameter entries: the cases, in the order in which they are run; none where the next one is not known.
  package init(_ entries: [CaseList.Entry], reader: CaseReader) {
    self.entries = entries
    self.reader = reader
  }

  /// A case, where it was prepared ahead.
  package func take(_ entry: CaseList.Entry) -> PreparedCase? {
    guard let next else { return nil }
    self.next = nil
    let ready = next.work.value
    return next.name == entry.name ? ready : nil
  }

  /// Begins to prepare the case after `entry`.
  ///
  /// - Parameter held: bytes that `entry` takes meanwhile.
  package func prepare(after entry: CaseList.Entry, held: Int) {
    guard next == nil, let index = entries.firstIndex(where: { $0.name == entry.name }),
      index + 1 < entries.count, entries[index + 1].isArray == false
    else { return }
    let following = entries[index + 1]
    next = (
      following.name,
      BackgroundWork("next case") { [reader] in reader.prepareAhead(following, held: held) }
    )
  }
}
