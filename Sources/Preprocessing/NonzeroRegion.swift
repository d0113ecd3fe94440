/// Where a case has anything but zeros: nnU-Net's `crop_to_nonzero`.
enum NonzeroRegion {
  /// The bounding box of voxels that are nonzero in any channel; all of it where there are none.
  static func box(of channels: [[Float]], shape: [Int]) -> [Range<Int>] {
    var low = shape
    var high = [0, 0, 0]
    for values in channels {
      for z in 0..<shape[0] {
        for y in 0..<shape[1] {
          let row = (z * shape[1] + y) * shape[2]
          guard let first = (0..<shape[2]).first(where: { values[row + $0] != 0 }),
            let last = (0..<shape[2]).last(where: { values[row + $0] != 0 })
          else { continue }
          low = [min(low[0], z), min(low[1], y), min(low[2], first)]
          high = [max(high[0], z + 1), max(high[1], y + 1), max(high[2], last + 1)]
        }
      }
    }
    guard high[0] > 0 else { return shape.map { 0..<$0 } }
    return (0..<3).map { low[$0]..<high[$0] }
  }

  /// The nonzero voxels with filled holes: everything but zeros connected by faces to the border.
  static func mask(of channels: [[Float]], shape: [Int]) -> [Bool] {
    let count = shape.reduce(1, *)
    let strides = [shape[1] * shape[2], shape[2], 1]
    var inside = [Bool](repeating: true, count: count)
    var pending: [Int] = []
    func visit(_ index: Int) {
      guard inside[index], channels.allSatisfy({ $0[index] == 0 }) else { return }
      inside[index] = false
      pending.append(index)
    }
    for z in 0..<shape[0] {
      for y in 0..<shape[1] {
        let isBorder = z == 0 || z == shape[0] - 1 || y == 0 || y == shape[1] - 1
        let step = isBorder ? 1 : max(shape[2] - 1, 1)
        for x in stride(from: 0, to: shape[2], by: step) {
          visit(z * strides[0] + y * strides[1] + x)
        }
      }
    }
    while let index = pending.popLast() {
      let place = [index / strides[0], index / strides[1] % shape[1], index % shape[2]]
      for axis in 0..<3 {
        if place[axis] > 0 { visit(index - strides[axis]) }
        if place[axis] + 1 < shape[axis] { visit(index + strides[axis]) }
      }
    }
    return inside
  }
}
