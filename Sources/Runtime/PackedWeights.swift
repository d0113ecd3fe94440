internal import FileIO
internal import SWTFormat

/// A convolution's weight in the packed layout: the mapped bytes where they are `f32`, else a
/// widened copy.
struct PackedWeights: Sendable {
  private let bytes: Bytes
  let layout: PackedLayout

  init(_ entry: TensorEntry, of file: SWTFile) {
    layout = PackedLayout(shape: entry.shape)
    let stored = file.bytes(of: entry)
    bytes =
      entry.dataType == .f32
      ? stored
      : stored.withUnsafeBytes { narrow in
        entry.dataType.widen(narrow).withUnsafeBytes { wide in
          let copy = HeapBuffer(byteCount: wide.count)
          copy.memory.copyMemory(from: wide)
          return copy.bytes
        }
      }
  }

  /// Packs a row-major weight.
  init(shape: [Int], values: [Float]) {
    layout = PackedLayout(shape: shape)
    let packed = values.withUnsafeBufferPointer { PackedLayout(shape: shape).pack($0) }
    let copy = HeapBuffer(byteCount: packed.count * MemoryLayout<Float>.stride)
    packed.withUnsafeBytes { copy.memory.copyMemory(from: $0) }
    bytes = copy.bytes
  }

  /// Lets go of the file's pages in this process' memory; they come back when they are read again.
  func releasePages() { bytes.releasePages() }

  /// Calls `body` with the elements. Both the file's tensors and heap buffers are aligned to 64
  /// bytes at least.
  func withUnsafePointer(_ body: (UnsafePointer<Float>) -> Void) {
    bytes.withUnsafeBytes { bytes in
      bytes.bindMemory(to: Float.self).baseAddress.map(body)
    }
  }
}
