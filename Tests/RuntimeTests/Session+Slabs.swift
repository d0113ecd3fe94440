// SPDX-License-Identifier: Apache-2.0
@testable import SWTRuntime

extension Session {
  /// The logits of the segmentation, `shape`, put together of those that are lent some planes at a time.
  func segmentationOfSlabs(shape: [Int]) -> [Float] {
    let sizes = Array(([1] + shape.dropFirst()).suffix(3))
    let heads = shape[0]
    var found = [Float](repeating: .nan, count: shape.reduce(1, *))
    forEachSegmentationSlab { slab in
      var rows = [Float](repeating: .nan, count: 2 * SegmentationSlab.blockWidth * sizes[2])
      for block in 0..<(heads + SegmentationSlab.blockWidth - 1) / SegmentationSlab.blockWidth {
        for plane in slab.planes {
          for y in 0..<sizes[1] {
            rows.withUnsafeMutableBufferPointer {
              if let start = $0.baseAddress {
                slab.copyRow(block: block, plane: plane, y: y, to: start)
              }
            }
            let first = block * SegmentationSlab.blockWidth
            for head in first..<min(first + SegmentationSlab.blockWidth, heads) {
              let target = ((head * sizes[0] + plane) * sizes[1] + y) * sizes[2]
              for x in 0..<sizes[2] { found[target + x] = rows[(head - first) * sizes[2] + x] }
            }
          }
        }
      }
    }
    return found
  }
}
