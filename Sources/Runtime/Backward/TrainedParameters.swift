// SPDX-License-Identifier: Apache-2.0
internal import Network
internal import SWTFormat

/// Numbers that training changes, with their gradients: those of the last stages, and those of a head.
///
/// Convolutions' weights lie as kernels read them, in blocks of 16 channels; vectors fill whole blocks.
package final class TrainedParameters: @unchecked Sendable {
  // Invariant: instructions of one session write at a time, each part by one task; an optimiser and
  // whoever sets values do so between runs.
  private let memory: Memory
  package let entries: [Entry]
  private let positions: [String: Int]
  /// How often values were changed.
  private var version = 1
  /// Of every entry what its transposed weights are of.
  private var turnedForms: [TurnedForm?]
  /// Of every entry whether its gradient holds anything: a large one is not cleared, but written first and then
  /// added to.
  private var hasGradient: [Bool]

  /// One parameter.
  package struct Entry: Sendable {
    package let name: String
    /// As in the state dict.
    package let shape: [Int]
    /// 0 for the head, 1 for the last stage, 2 for the one before it, …; the stem belongs to stage 0.
    package let group: Int
    /// Whether the output depends on it: a bias whose norm takes it away again does nothing.
    package let hasEffect: Bool
    fileprivate let isPacked: Bool
    fileprivate let index: Int
    fileprivate let values, gradient, turned: Buffer

    /// Numbers with those that fill up blocks, which are zero and stay so.
    var storedCount: Int { values.count }
  }

  /// Transposed weights: of which values, and in which order their taps lie, which depends on the input's size.
  private struct TurnedForm: Equatable {
    let version: Int
    let taps: [[Int]]
  }

  /// What becomes an entry.
  private struct Declaration {
    let name: String
    let shape: [Int]
    let group: Int
    let hasEffect: Bool
    let isPacked: Bool
    let values: [Float]
  }

  /// The parameters of the last stages of a model and of a head.
  ///
  /// - Parameters:
  ///   - stageCount: how many stages, the last ones.
  ///   - head: `weight`, `[classes, features]`, and `bias`; named `head.weight` and `head.bias`.
  package convenience init(
    _ model: Model, stageCount: Int, head: (weight: [Float], bias: [Float])
  ) throws(RuntimeError) {
    let groups = model.parameterGroups(stageCount: stageCount)
    let idle = model.idleParameters
    let values = model.parameterValues
    var declarations = groups.map { parameter, group in
      Declaration(
        name: parameter.name, shape: parameter.shape, group: group,
        hasEffect: !idle.contains(parameter), isPacked: parameter.role == .convolutionWeight,
        values: values.values(of: parameter))
    }
    let classes = head.bias.count
    declarations += [
      Declaration(
        name: Self.headWeight, shape: [classes, head.weight.count / classes], group: 0,
        hasEffect: true, isPacked: false, values: head.weight),
      Declaration(
        name: Self.headBias, shape: [classes], group: 0, hasEffect: true, isPacked: false,
        values: head.bias),
    ]
    try self.init(declarations)
  }

  package static let headWeight = "head.weight"
  package static let headBias = "head.bias"

  private init(_ declarations: [Declaration]) throws(RuntimeError) {
    var buffers = Buffers()
    let block = TensorLayout.blockWidth
    var entries: [Entry] = []
    for (index, declaration) in declarations.enumerated() {
      let layout = PackedLayout(shape: declaration.shape)
      let count =
        declaration.isPacked
        ? layout.elementCount : (declaration.values.count + block - 1) / block * block
      // Input channels in whole blocks. What is reserved and not used takes no memory.
      let turned = layout.blockCount * block * ((layout.inputs + block - 1) / block * block)
      entries.append(
        Entry(
          name: declaration.name, shape: declaration.shape, group: declaration.group,
          hasEffect: declaration.hasEffect, isPacked: declaration.isPacked, index: index,
          values: buffers.reserve(count), gradient: buffers.reserve(count),
          turned: buffers.reserve(declaration.isPacked ? turned * layout.taps : 0)))
    }
    self.entries = entries
    positions = Dictionary(
      entries.map { ($0.name, $0.index) }, uniquingKeysWith: { first, _ in first })
    turnedForms = [TurnedForm?](repeating: nil, count: entries.count)
    hasGradient = entries.map { !$0.isPacked }
    memory = try Memory(BufferLayout(buffers, lifetimes: buffers.counts.map { _ in nil }))
    for (entry, declaration) in zip(entries, declarations) {
      setValues(declaration.values, of: entry)
    }
  }

  package subscript(name: String) -> Entry? { positions[name].map { entries[$0] } }

  // MARK: - Whole parameters

  /// Values as in the state dict, row-major.
  package func values(of entry: Entry) -> [Float] { rowMajor(entry, values(entry)) }

  /// The gradient as in the state dict, row-major.
  package func gradient(of entry: Entry) -> [Float] {
    completeGradient(of: entry)
    return rowMajor(entry, gradient(entry))
  }

  private func rowMajor(_ entry: Entry, _ stored: UnsafeMutablePointer<Float>) -> [Float] {
    let all = Array(UnsafeBufferPointer(start: stored, count: entry.storedCount))
    return entry.isPacked
      ? PackedLayout(shape: entry.shape).unpack(all)
      : Array(all.prefix(entry.shape.reduce(1, *)))
  }

  /// - Parameter values: row-major, as many as the shape has.
  package func setValues(_ values: [Float], of entry: Entry) {
    let stored =
      entry.isPacked
      ? values.withUnsafeBufferPointer { PackedLayout(shape: entry.shape).pack($0) } : values
    precondition(stored.count <= entry.storedCount)
    memory[entry.values].update(from: stored, count: stored.count)
    noteChange()
  }

  /// Adds to the gradient of a parameter that is not packed: the head's.
  package func addGradient(_ gradient: [Float], of entry: Entry) {
    precondition(!entry.isPacked && gradient.count <= entry.storedCount)
    let target = self.gradient(entry)
    for (index, value) in gradient.enumerated() { target[index] += value }
  }

  func clearGradients() { for entry in entries { clearGradient(of: entry) } }

  /// To begin a sum anew.
  func clearGradient(of entry: Entry) {
    hasGradient[entry.index] = !entry.isPacked
    if !entry.isPacked { gradient(entry).update(repeating: 0, count: entry.storedCount) }
  }

  /// Says that a whole gradient is about to be written.
  ///
  /// - Returns: whether it is to be added to what there is.
  func beginGradient(of entry: Entry) -> Bool {
    defer { hasGradient[entry.index] = true }
    return hasGradient[entry.index]
  }

  /// Zeros where nothing was written.
  func completeGradient(of entry: Entry) {
    guard !beginGradient(of: entry) else { return }
    gradient(entry).update(repeating: 0, count: entry.storedCount)
  }

  /// Bytes of values and gradients; an optimiser takes as much again for each of its states.
  package var byteCount: Int {
    entries.reduce(0) { $0 + 2 * $1.storedCount * MemoryLayout<Float>.stride }
  }

  /// Bytes of transposed weights, once all have been gone back through.
  package var turnedByteCount: Int {
    entries.reduce(0) { $0 + $1.turned.count * MemoryLayout<Float>.stride }
  }

  /// Whether these can be all values as they are stored.
  package func takes(_ snapshot: [[Float]]) -> Bool {
    snapshot.map(\.count) == entries.map(\.storedCount)
  }

  /// All values as they are stored, array by array.
  package var stored: [StoredNumbers] {
    entries.map { entry in
      StoredNumbers(count: entry.storedCount) {
        Array(UnsafeBufferPointer(start: self.values(entry), count: entry.storedCount))
      }
    }
  }

  /// Comes back to values that were stored.
  package func restore(_ snapshot: [[Float]]) {
    for (entry, stored) in zip(entries, snapshot) {
      precondition(stored.count == entry.storedCount)
      values(entry).update(from: stored, count: stored.count)
    }
    noteChange()
  }

  // MARK: - As kernels read them

  func values(_ entry: Entry) -> UnsafeMutablePointer<Float> { memory[entry.values] }
  func gradient(_ entry: Entry) -> UnsafeMutablePointer<Float> { memory[entry.gradient] }

  /// Says that values were changed.
  func noteChange() { version += 1 }

  /// Transposed weights for the backward pass, which `make` fills where values have changed, or others came first.
  func turned(
    _ entry: Entry, taps: [[Int]], make: (UnsafeMutablePointer<Float>) -> Void
  ) -> UnsafePointer<Float> {
    let target = memory[entry.turned]
    let form = TurnedForm(version: version, taps: taps)
    if turnedForms[entry.index] != form {
      make(target)
      turnedForms[entry.index] = form
    }
    return UnsafePointer(target)
  }
}
