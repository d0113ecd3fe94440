// SPDX-License-Identifier: Apache-2.0
/// How words differ.
enum Spelling {
  /// The candidate that `word` is most likely a misspelling of; `nil` where none is close.
  static func closest(to word: String, among candidates: [String]) -> String? {
    let ranked = candidates.map { (candidate: $0, distance: distance(word, $0)) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }),
      best.distance <= max(1, word.count / 3)
    else { return nil }
    return best.candidate
  }

  /// Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other.
  static func distance(_ first: String, _ second: String) -> Int {
    let (first, second) = (Array(first), Array(second))
    var rows: [[Int]] = [Array(0...second.count)]
    for (number, character) in first.enumerated() {
      var row = [number + 1]
      for index in second.indices {
        let replaced = rows[number][index] + (second[index] == character ? 0 : 1)
        var least = min(replaced, row[index] + 1, rows[number][index + 1] + 1)
        if number > 0, index > 0, first[number - 1] == second[index],
          second[index - 1] == character
        {
          least = min(least, rows[number - 1][index - 1] + 1)
        }
        row.append(least)
      }
      rows.append(row)
    }
    return rows[first.count][second.count]
  }
}
