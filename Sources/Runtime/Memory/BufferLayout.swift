// SPDX-License-Identifier: Apache-2.0
/// Where the buffers of a program lie in memory: those that live at the same time lie apart, those that do
/// not share what they can.
struct BufferLayout: Sendable {
  /// In floats: a cache line, and whole vectors of every instruction set.
  private static let alignment = 64

  /// In floats, of all buffers in the order of their numbers.
  private(set) var offsets: [Int]
  /// Floats of all buffers and constants.
  private(set) var count = 0
  /// Floats behind every buffer that belong to none.
  let guardCount: Int

  /// - Parameters:
  ///   - lifetimes: of every buffer the instructions from its first use to its last; `nil` for one that
  ///     keeps its place, as constants do.
  ///   - isGuarded: whether to leave some floats behind every buffer, to find what writes over its end.
  init(_ buffers: Buffers, lifetimes: [ClosedRange<Int>?], isGuarded: Bool = false) {
    guardCount = isGuarded ? Self.alignment : 0
    offsets = [Int](repeating: 0, count: buffers.counts.count)
    let counts = buffers.counts.map { [guardCount] in
      ($0 + Self.alignment - 1) / Self.alignment * Self.alignment + guardCount
    }
    let changing = counts.indices.filter { lifetimes[$0] != nil }
    // In the order of their first use, as an allocator would meet them, or the largest first; neither is
    // always the better one.
    let orders = [
      changing.sorted { (start(lifetimes[$0]), $0) < (start(lifetimes[$1]), $1) },
      changing.sorted { (-counts[$0], $0) < (-counts[$1], $1) },
    ]
    let layouts = orders.map { Self.place($0, counts: counts, lifetimes: lifetimes) }
    let best = layouts[0].count <= layouts[1].count ? layouts[0] : layouts[1]
    for (buffer, offset) in best.offsets { offsets[buffer] = offset }
    count = best.count
    // What keeps its place lies behind all others.
    for buffer in counts.indices where lifetimes[buffer] == nil {
      offsets[buffer] = count
      count += counts[buffer]
    }
  }

  var byteCount: Int { max(count, 1) * MemoryLayout<Float>.stride }

  /// Gives every buffer the first gap that is free for its lifetime.
  private static func place(
    _ order: [Int], counts: [Int], lifetimes: [ClosedRange<Int>?]
  ) -> (offsets: [Int: Int], count: Int) {
    var offsets: [Int: Int] = [:]
    /// In the order of their offsets.
    var placed: [Int] = []
    var end = 0
    for buffer in order {
      guard let lifetime = lifetimes[buffer] else { continue }
      var offset = 0
      for other in placed {
        guard let others = lifetimes[other], others.overlaps(lifetime),
          let start = offsets[other]
        else { continue }
        if start - offset >= counts[buffer] { break }
        offset = max(offset, start + counts[other])
      }
      offsets[buffer] = offset
      let position = placed.firstIndex { offsets[$0] ?? 0 > offset } ?? placed.count
      placed.insert(buffer, at: position)
      end = max(end, offset + counts[buffer])
    }
    return (offsets, end)
  }
}

private func start(_ lifetime: ClosedRange<Int>?) -> Int { lifetime?.lowerBound ?? 0 }
