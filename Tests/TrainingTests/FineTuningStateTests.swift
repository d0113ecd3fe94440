// SPDX-License-Identifier: Apache-2.0
import FileIO
import SWTFormat
import TestSupport
import Testing

@testable import Training

/// The file of an interrupted run, whose numbers may be anybody's.
@Suite struct FineTuningStateTests {
  /// A state as it lies in a file, taken up.
  private func resumed(_ members: String) throws -> FineTuningState {
    let folder = try TemporaryFolder()
    let path = folder.file("state")
    let text = Array("{\"fingerprint\": \"f\", \(members)}".utf8)
    var file = try AtomicFile(path: path, replacing: true)
    try file.write(withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text)
    try file.commit()
    var state = FineTuningState(path: path, fingerprint: "f")
    try state.resume()
    return state
  }

  /// What a part came to, all zeros.
  private func part(epochs: Int, classes: Int, logits: Int, distances: Int) -> String {
    func numbers(_ count: Int) -> String {
      [String](repeating: "0", count: count).joined(separator: ", ")
    }
    return """
      "parts": [{"part": 0, "epochs": \(epochs), "classes": \(classes), "logits": [\(numbers(logits))], \
      "distances": [\(numbers(distances))]}]
      """
  }

  @Test func aPartIsTakenAsItWas() throws {
    let state = try resumed(part(epochs: 3, classes: 2, logits: 4, distances: 2))
    let known = try #require(try state.part(0, cases: 2, classes: 2, epochs: 3))
    #expect(known.epochs == 3 && known.logits.rows == 2 && known.distances.count == 2)
    #expect(try state.part(1, cases: 2, classes: 2, epochs: 3) == nil)
    // The fitted head was best: there is nothing else to know.
    let none = try resumed(part(epochs: 0, classes: 0, logits: 0, distances: 0))
    #expect(try none.part(0, cases: 2, classes: 2, epochs: 3)?.epochs == 0)
  }

  @Test(arguments: [
    (4, 2, 4, 2), (-1, 2, 4, 2), (3, 2, 2, 2), (3, 1, 2, 2), (3, 4, 4, 2), (3, 2, 4, 1),
    (3, 2, 4, 3), (3, 0, 4, 2),
  ])
  func aPartOfOtherCasesIsRefused(epochs: Int, classes: Int, logits: Int, distances: Int) throws {
    #expect(throws: TrainingError.self) {
      let state = try resumed(
        part(epochs: epochs, classes: classes, logits: logits, distances: distances))
      _ = try state.part(0, cases: 2, classes: 2, epochs: 3)
    }
  }

  @Test(arguments: [4, -1, Int.max])
  func moreEpochsThanThereAreAreRefused(epochs: Int) throws {
    let state = try resumed("\"best_epochs\": [[0, \(epochs)], [1, 3]]")
    #expect(try state.bestEpochs(of: 1, epochs: 3) == 3)
    #expect(throws: TrainingError.self) { try state.bestEpochs(of: 0, epochs: 3) }
  }
}
