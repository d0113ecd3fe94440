internal import CKernels
internal import FileIO
internal import SWTFormat

/// A convolution's weight in the packed layout, as the file has it: `f32` is used from the map, narrower
/// numbers are widened where they are used.
struct PackedWeights: Sendable {
  private let bytes: Bytes
  private let dataType: TensorDataType
  let layout: PackedLayout

  init(_ entry: TensorEntry, of file: SWTFile) {
    layout = PackedLayout(shape: entry.shape)
    bytes = file.bytes(of: entry)
    dataType = entry.dataType
  }

  /// Packs a row-major weight.
  init(shape: [Int], values: [Float]) {
    layout = PackedLayout(shape: shape)
    dataType = .f32
    let packed = values.withUnsafeBufferPointer { PackedLayout(shape: shape).pack($0) }
    let copy = HeapBuffer(byteCount: packed.count * MemoryLayout<Float>.stride)
    packed.withUnsafeBytes { copy.memory.copyMemory(from: $0) }
    bytes = copy.bytes
  }

  /// Lets go of the file's pages in this process' memory; they come back when they are read again.
  func releasePages() { bytes.releasePages() }

  /// Floats of room that it takes to widen the elements; 0 for `f32`.
  var roomCount: Int { dataType == .f32 ? 0 : layout.elementCount }

  /// Calls `body` with the elements, widened on all threads into `room`, which has `roomCount` floats.
  func withUnsafePointer(
    room: UnsafeMutablePointer<Float>, kernels: Kernels, team: ThreadTeam,
    _ body: (UnsafePointer<Float>) -> Void
  ) {
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
        widen(narrow + first, room + first, min(chunk, count - first))
      }
      body(UnsafePointer(room))
    }
  }

  /// Calls `body` with the elements; for what is done once.
  func withUnsafePointer(
    kernels: Kernels, team: ThreadTeam, _ body: (UnsafePointer<Float>) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: max(roomCount, 1)) { room in
      guard let start = room.baseAddress else { return }
      withUnsafePointer(room: start, kernels: kernels, team: team, body)
    }
  }
}
