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

  /// Insertions, deletions and replacements that lead from one word to the other (Levenshtein).
  static func distance(_ first: String, _ second: String) -> Int {
    let second = Array(second)
    var row = Array(0...second.count)
    for (number, character) in first.enumerated() {
      var diagonal = row[0]
      row[0] = number + 1
      for index in second.indices {
        let replaced = diagonal + (second[index] == character ? 0 : 1)
        diagonal = row[index + 1]
        row[index + 1] = min(replaced, row[index] + 1, row[index + 1] + 1)
      }
    }
    return row[second.count]
  }
}
