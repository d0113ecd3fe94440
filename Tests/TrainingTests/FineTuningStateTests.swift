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
    #expect(try state.resume())
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

  /// Of a run of two folds with two cases each, two classes and three epochs, which trains four numbers.
  private let outline = FineTuningState.Outline(
    folds: [0, 1, 1, 0], foldCount: 2, classCount: 2, epochs: 3, batchSize: 1
  ) { $0.map(\.count) == [4] }

  /// A part that is being trained, with the bits of its numbers.
  private func running(
    part: Int = 1, epoch: Int = 2, losses: [UInt64] = [0, 0, 0], best: Int = 0, steps: Int = 4,
    numbers: [UInt32] = [0, 0, 0, 0]
  ) throws -> FineTuningState {
    let text = Array(
      """
      {"fingerprint": "f", "current": {"part": \(part), "inner": true, "epoch": \(epoch), "best_epoch": \(best), \
      "losses": \(losses), "steps": [\(steps)], "counts": [\(numbers.count), 0, 0]}}
      """.utf8)
    let stored = numbers.flatMap { number in
      withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }
    let folder = try TemporaryFolder()
    let path = folder.file("state")
    var file = try AtomicFile(path: path, replacing: true)
    try file.write(
      withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text + stored)
    try file.commit()
    var state = FineTuningState(path: path, fingerprint: "f")
    #expect(try state.resume())
    return state
  }

  @Test func aStateThatFitsIsTaken() throws {
    try running().check(outline)
    try resumed(part(epochs: 3, classes: 2, logits: 4, distances: 2)).check(outline)
    try resumed("\"best_epochs\": [[2, 3]]").check(outline)
  }

  @Test(arguments: [
    "\"best_epochs\": [[3, 0]]", "\"best_epochs\": [[0, 4]]", "\"best_epochs\": [[-1, 0]]",
    "\"parts\": [{\"part\": 2, \"epochs\": 0, \"classes\": 0, \"logits\": [], \"distances\": []}]",
    "\"parts\": [{\"part\": 0, \"epochs\": 1, \"classes\": 2, \"logits\": [0, 0, 0, 9218868437227405312], "
      + "\"distances\": [0, 0]}]",
  ])
  func whatCannotBeIsRefusedBeforeCasesAreRead(members: String) throws {
    let state = try resumed(members)
    #expect(throws: TrainingError.self) { try state.check(outline) }
  }

  @Test func trainingThatCannotBeIsRefusedBeforeCasesAreRead() throws {
    let infinite = Double.infinity.bitPattern
    let states = try [
      running(part: 3), running(part: -1), running(epoch: 4, losses: [0, 0, 0, 0, 0]),
      running(losses: [0, 0]), running(losses: [0, 0, infinite]), running(epoch: 1, best: 2),
      running(steps: 5), running(steps: -1), running(numbers: [0, 0, 0]),
      running(numbers: [0, 0, 0, Float.nan.bitPattern]),
    ]
    for state in states { #expect(throws: TrainingError.self) { try state.check(outline) } }
  }

  @Test(arguments: [4, -1, Int.max])
  func moreEpochsThanThereAreAreRefused(epochs: Int) throws {
    let state = try resumed("\"best_epochs\": [[0, \(epochs)], [1, 3]]")
    #expect(try state.bestEpochs(of: 1, epochs: 3) == 3)
    #expect(throws: TrainingError.self) { try state.bestEpochs(of: 0, epochs: 3) }
  }

  @Test(arguments: [
    ([0, 0], 0), ([3], 3), ([0, 5, 0], 5), ([2, 7], 2), ([9, 0, 1, 4], 4), ([6, 2, 8, 3], 3),
  ])
  func allCasesAreTrainedForTheMedianOfTheFoldsThatWere(epochs: [Int], usual: Int) {
    let parts = epochs.map {
      FineTuning.Part(epochs: $0, logits: Matrix(rows: 0, columns: 0), distances: [])
    }
    #expect(FineTuning.usualEpochs(parts) == usual)
  }
}
