#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// Where a buffer lies in a session's memory, in floats.
struct ArenaRange: Sendable, Equatable {
  var offset: Int
  var count: Int
}

/// Plans a session's buffers by their lifetimes: memory of a buffer that is not needed any more is
/// given to the next.
struct ArenaPlan {
  private static let alignment = 64
  /// Offsets from here on are those of constants, which lie behind all buffers.
  fileprivate static let firstConstant = 1 << 48

  private var used: [ArenaRange] = []
  /// Floats that the buffers need.
  private(set) var bufferCount = 0
  /// Floats that the constants need.
  private(set) var constantCount = 0

  /// Reserves memory that no buffer shares at any time.
  mutating func reserveConstant(_ floats: Int) -> ArenaRange {
    let range = ArenaRange(offset: Self.firstConstant + constantCount, count: floats)
    constantCount += (floats + Self.alignment - 1) / Self.alignment * Self.alignment
    return range
  }

  /// Reserves the first gap that is large enough.
  mutating func reserve(_ floats: Int) -> ArenaRange {
    let needed = (max(floats, 1) + Self.alignment - 1) / Self.alignment * Self.alignment
    var offset = 0
    var position = 0
    for (index, range) in used.enumerated() {
      if range.offset - offset >= needed { break }
      offset = range.offset + range.count
      position = index + 1
    }
    let range = ArenaRange(offset: offset, count: needed)
    used.insert(range, at: position)
    bufferCount = max(bufferCount, offset + needed)
    return range
  }

  /// Bytes of all buffers and constants.
  var byteCount: Int { max(bufferCount + constantCount, 1) * MemoryLayout<Float>.stride }

  mutating func release(_ range: ArenaRange) {
    used.removeAll { $0.offset == range.offset }
  }
}

/// The memory of a session: one block, zero at first, touched only where it is used.
final class Arena: @unchecked Sendable {
  // Invariant: mapped in init, unmapped in deinit; ranges come from one ArenaPlan and lie inside.
  private let base: UnsafeMutablePointer<Float>
  private let bufferCount: Int
  let byteCount: Int

  init(_ plan: ArenaPlan) throws(RuntimeError) {
    bufferCount = plan.bufferCount
    byteCount = plan.byteCount
    guard
      let start = mmap(
        nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
      start != MAP_FAILED
    else { throw .memory(byteCount: byteCount) }
    madvise(start, byteCount, MADV_HUGEPAGE)
    base = start.assumingMemoryBound(to: Float.self)
  }

  deinit { munmap(base, byteCount) }

  subscript(range: ArenaRange) -> UnsafeMutablePointer<Float> {
    range.offset < ArenaPlan.firstConstant
      ? base + range.offset : base + (bufferCount + range.offset - ArenaPlan.firstConstant)
  }
}
