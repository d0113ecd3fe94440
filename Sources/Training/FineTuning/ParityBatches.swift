// SPDX-License-Identifier: Apache-2.0
package import FileIO
internal import NPY
internal import PickleReader

/// Exact batches for comparing with PyTorch: `x0`, `x1`, … `[B, C, z, y, x]` and `y0`, `y1`, …, `[B]` classes or
/// `[B, classes]` zeros and ones, in an `.npz`.
package struct ParityBatches: Sendable {
  struct Batch: Sendable {
    /// Of one case, `[C, z, y, x]` or `[C, y, x]`.
    let shape: [Int]
    let values: [Float]
    let targets: [Loss.Target]

    func input(_ index: Int) -> ArraySlice<Float> {
      let count = shape.reduce(1, *)
      return values[index * count..<(index + 1) * count]
    }
  }

  private static let byteLimit = 1 << 30
  private static let countLimit = 1000
  /// Cases of all batches; every one runs 41 times.
  private static let caseLimit = 10_000

  let batches: [Batch]

  package init(_ bytes: Bytes, loss: Loss, classCount: Int) throws {
    func problem(_ text: String) -> TrainingError { .batches(problem: text) }
    let archive = try ZipArchive(bytes)
    func content(_ name: String) throws -> Bytes? {
      try archive.entry(named: "\(name).npy").map {
        try archive.content(of: $0, limit: Self.byteLimit)
      }
    }
    var batches: [Batch] = []
    while batches.count < Self.countLimit, let inputs = try content("x\(batches.count)") {
      let index = batches.count
      guard let labels = try content("y\(index)") else { throw problem("y\(index) is missing") }
      let array = try NPYArray(bytes: inputs)
      let truths = try NPYIntegers(bytes: labels)
      guard array.shape.count > 2, array.shape.allSatisfy({ $0 > 0 }),
        truths.shape.first == array.shape[0]
      else { throw problem("x\(index) has shape \(array.shape), y\(index) \(truths.shape)") }
      guard batches.reduce(array.shape[0], { $0 + $1.targets.count }) <= Self.caseLimit else {
        throw problem("there are more than \(Self.caseLimit) cases")
      }
      let targets: [Loss.Target]
      switch loss {
      case .crossEntropy:
        guard truths.shape.count == 1, truths.values.allSatisfy((0..<classCount).contains) else {
          throw problem("y\(index) does not hold classes 0…\(classCount - 1)")
        }
        targets = truths.values.map { .oneClass($0) }
      case .binaryCrossEntropy:
        guard truths.shape == [array.shape[0], classCount],
          truths.values.allSatisfy((0...1).contains)
        else { throw problem("y\(index) does not hold zeros and ones of \(classCount) classes") }
        targets = (0..<array.shape[0]).map { row in
          .classes(truths.values[row * classCount..<(row + 1) * classCount].map { $0 == 1 })
        }
      }
      batches.append(
        Batch(
          shape: Array(array.shape.dropFirst()), values: array.values, targets: targets))
    }
    guard !batches.isEmpty else { throw problem("there is no x0") }
    self.batches = batches
  }
}
