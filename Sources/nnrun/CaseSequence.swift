// SPDX-License-Identifier: Apache-2.0
import FileIO
import Pipeline

/// The cases of a list, or those that stdin names line by line as they arrive, until the user stops.
struct CaseSequence: Sequence, IteratorProtocol {
  private var entries: ArraySlice<CaseList.Entry>?
  private let interruption: Interruption
  private let cases: CaseLines
  private var lines = LineReader()
  private var number = 0

  /// - Parameter cases: reads the lines of stdin.
  init(list: CaseList?, cases: CaseLines, interruption: Interruption) {
    entries = list.map { $0.entries[...] }
    self.cases = cases
    self.interruption = interruption
  }

  mutating func next() -> CaseList.Entry? {
    guard entries == nil else { return entries?.popFirst() }
    while let line = lines.next(waiting: interruption.waitForInput) {
      number += 1
      if !line.allSatisfy(\.isWhitespace) { return cases.entry(line, number: number) }
    }
    return nil
  }
}
