// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import FileIO
internal import SWTFormat

/// A convolution's weight in the packed layout, as the file has it: `f32` is used from the map, narrower
/// numbers are widened where they are used.
struct PackedWeights: Sendable {
  private enum Source: Sendable {
    /// Of the file, or of memory of its own.
    case bytes(Bytes)
    /// Made of others when they are first used.
    case stored(StoredWeights, @Sendable (UnsafeMutablePointer<Float>) -> Void)
    /// Training changes them, never while an instruction runs.
    case trained(TrainedParameters, TrainedParameters.Entry)
    /// Made of those whenever they have changed.
    case turned(TurnedWeights)
  }

  private let source: Source
  private let dataType: TensorDataType
  /// `[outputs, inputs, kernel…]`.
  private let shape: [Int]
  let layout: PackedLayout
  /// In which blocks the input channels lie.
  let blocks: ChannelBlocks
  /// Where other forms of it are kept.
  private let origin: Origin

  /// Whose numbers they are.
  struct Origin: Sendable {
    let store: WeightStore
    let fold: Int
    let parameter: String
  }

  /// A weight of a file.
  init(_ entry: TensorEntry, of file: SWTFile, origin: Origin) {
    self.init(
      .bytes(file.bytes(of: entry)), entry.dataType, shape: entry.shape,
      blocks: ChannelBlocks([entry.shape[1]]), origin)
  }

  /// Packs a row-major weight.
  init(shape: [Int], values: [Float], origin: Origin? = nil) {
    let packed = values.withUnsafeBufferPointer { PackedLayout(shape: shape).pack($0) }
    let copy = HeapBuffer(byteCount: packed.count * MemoryLayout<Float>.stride)
    packed.withUnsafeBytes { copy.memory.copyMemory(from: $0) }
    self.init(
      .bytes(copy.bytes), .f32, shape: shape, blocks: ChannelBlocks([shape[1]]),
      origin ?? Origin(store: WeightStore(), fold: 0, parameter: ""))
  }

  /// The weight of a transposed convolution, `[inputs, outputs, kernel…]` row-major, as that of a 1×1×1
  /// convolution: the output channels of one voxel after those of the other, in whole blocks each.
  init(
    upsampling values: @escaping @Sendable () -> [Float], shape: [Int], origin: Origin
  ) throws(RuntimeError) {
    let (inputs, outputs, taps) = (shape[0], shape[1], shape.dropFirst(2).reduce(1, *))
    let block = TensorLayout.blockWidth
    let padded = (outputs + block - 1) / block * block
    let packedShape = [taps * padded, inputs] + shape.dropFirst(2).map { _ in 1 }
    let layout = PackedLayout(shape: packedShape)
    let stored = try origin.store.weights(
      fold: origin.fold, parameter: origin.parameter, form: .upsampling,
      floats: layout.elementCount)
    let pack: @Sendable (UnsafeMutablePointer<Float>) -> Void = { target in
      let values = values()
      for tap in 0..<taps {
        for output in 0..<outputs {
          let row = tap * padded + output
          for input in 0..<inputs {
            target[layout.laneIndex(block: row / block, input: input, tap: 0) + row % block] =
              values[(input * outputs + output) * taps + tap]
          }
        }
      }
    }
    self.init(
      .stored(stored, pack), .f32, shape: packedShape, blocks: ChannelBlocks([inputs]), origin)
  }

  /// A weight that is trained.
  init(_ entry: TrainedParameters.Entry, of parameters: TrainedParameters) {
    self.init(
      .trained(parameters, entry), .f32, shape: entry.shape,
      blocks: ChannelBlocks([entry.shape[1]]),
      Origin(store: WeightStore(), fold: 0, parameter: entry.name))
  }

  /// - Parameter shape: `[outputs, inputs, kernel…]`, as a convolution with it has them.
  init(turned: TurnedWeights, shape: [Int]) {
    self.init(
      .turned(turned), .f32, shape: shape, blocks: ChannelBlocks([shape[1]]),
      Origin(store: WeightStore(), fold: 0, parameter: turned.weight.name))
  }

  private init(
    _ source: Source, _ dataType: TensorDataType, shape: [Int], blocks: ChannelBlocks,
    _ origin: Origin
  ) {
    self.source = source
    self.dataType = dataType
    self.shape = shape
    self.blocks = blocks
    self.origin = origin
    layout = PackedLayout(shape: shape)
  }

  /// The same with the input channels in other blocks.
  func grouped(_ blocks: ChannelBlocks) throws(RuntimeError) -> PackedWeights {
    guard blocks != self.blocks else { return self }
    let stored = try stored(.grouped(blocks), floats: layout.elementCount)
    let (whole, team) = (self, ThreadTeam(count: 1))
    let group: @Sendable (UnsafeMutablePointer<Float>) -> Void = { target in
      let (layout, width) = (whole.layout, TensorLayout.blockWidth)
      whole.withUnsafePointer(kernels: Kernels.available[0], team: team) { source in
        for output in 0..<layout.blockCount {
          for (start, count) in zip(blocks.starts, blocks.widths) {
            let first = target + (output * layout.inputs + start) * layout.taps * width
            for tap in 0..<layout.taps {
              for input in 0..<count {
                (first + (tap * count + input) * width).update(
                  from: source
                    + layout.laneIndex(block: output, input: start + input, tap: tap),
                  count: width)
              }
            }
          }
        }
      }
    }
    return PackedWeights(.stored(stored, group), .f32, shape: shape, blocks: blocks, origin)
  }

  /// Memory for another form of these numbers, which all users share.
  func stored(_ form: WeightStore.Form, floats: Int) throws(RuntimeError) -> StoredWeights {
    try origin.store.weights(
      fold: origin.fold, parameter: origin.parameter, form: form, floats: floats)
  }

  /// Where the weights of one output block and one input block start, `[tap][input][16]`.
  func offset(outputBlock: Int, inputBlock: Int) -> Int {
    (outputBlock * layout.inputs + blocks.starts[inputBlock]) * layout.taps
      * TensorLayout.blockWidth
  }

  /// Bytes that it takes beside the file.
  var byteCount: Int {
    if case .stored(let stored, _) = source { stored.byteCount } else { 0 }
  }

  /// Makes ready what is not in the file.
  func prepare() {
    if case .stored(let stored, let fill) = source { stored.prepare(fill) }
  }

  /// Lets go of the file's pages in this process' memory; they come back when they are read again.
  func releasePages() {
    if case .bytes(let bytes) = source { bytes.releasePages() }
  }

  /// Floats that it takes to widen the elements; 0 for `f32`.
  var widenedCount: Int { dataType == .f32 ? 0 : layout.elementCount }

  /// Calls `body` with the elements, widened on all threads into `widened`, which has `widenedCount`
  /// floats.
  func withUnsafePointer(
    widened: UnsafeMutablePointer<Float>, kernels: Kernels, team: ThreadTeam,
    _ body: (UnsafePointer<Float>) -> Void
  ) {
    let bytes: Bytes
    switch source {
    case .bytes(let stored): bytes = stored
    case .stored(let stored, let fill):
      stored.prepare(fill)
      return body(stored.pointer)
    case .trained(let parameters, let entry):
      return body(UnsafePointer(parameters.values(entry)))
    case .turned(let weights):
      return body(weights.pointer(team))
    }
    // Both the file's tensors and heap buffers are aligned to 64 bytes at least, and as long as the
    // layout says.
    bytes.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      if dataType == .f32 { return body(start.assumingMemoryBound(to: Float.self)) }
      let narrow = start.assumingMemoryBound(to: UInt16.self)
      let widen = dataType == .f16 ? kernels.pointee.widen_f16 : kernels.pointee.widen_bf16
      let (count, chunk) = (layout.elementCount, 1 << 16)
      team.forEach((count + chunk - 1) / chunk) { index, _ in
        let first = index * chunk
        widen(narrow + first, widened + first, min(chunk, count - first))
      }
      body(UnsafePointer(widened))
    }
  }

  /// Calls `body` with the elements; for what is done once.
  func withUnsafePointer(
    kernels: Kernels, team: ThreadTeam, _ body: (UnsafePointer<Float>) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: max(widenedCount, 1)) { widened in
      guard let start = widened.baseAddress else { return }
      withUnsafePointer(widened: start, kernels: kernels, team: team, body)
    }
  }
}
