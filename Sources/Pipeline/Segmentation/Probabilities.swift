// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import NPY
internal import Preprocessing

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// How likely every label or region is at every voxel, in the cropped scan; outside of it there is
/// background for sure, or no region.
struct Probabilities: Sendable {
  private let heads: Int
  /// `[heads, z, y, x]` of the cropped scan.
  private let values: [Float]
  /// `[z, y, x]` of the cropped scan.
  private let shape: [Int]
  private let placement: ScanPlacement
  private let isExclusive: Bool

  /// Makes probabilities of logits, in place and in single precision: softmax over labels, sigmoid of
  /// regions.
  init(
    logits: consuming [Float], heads: Int, shape: [Int], placement: ScanPlacement, rule: LabelRule,
    threads: Int
  ) {
    let count = shape.reduce(1, *)
    let isExclusive = rule == .largest
    logits.withUnsafeMutableBufferPointer { logits in
      nonisolated(unsafe) let logits = logits
      ParallelRanges(count: count, threads: threads).run { voxels in
        for voxel in voxels {
          let places = stride(from: voxel, to: voxel + heads * count, by: count)
          guard isExclusive else {
            for place in places { logits[place] = 1 / (1 + exp(-logits[place])) }
            continue
          }
          let largest = places.reduce(-Float.infinity) { max($0, logits[$1]) }
          var sum: Float = 0
          for place in places {
            logits[place] = exp(logits[place] - largest)
            sum += logits[place]
          }
          for place in places { logits[place] /= sum }
        }
      }
    }
    self.heads = heads
    self.shape = shape
    self.placement = placement
    self.isExclusive = isExclusive
    values = logits
  }

  /// Bytes that they take.
  var byteCount: Int { values.count * MemoryLayout<Float>.stride }

  /// Writes them as nnU-Net does: `probabilities`, `[heads, z, y, x]` of the array that was read.
  func write(
    to path: String, threads: Int, inputs: [MappedFile.Identity]
  ) throws(NPYError) {
    var file = try NPZFile(
      path: path, name: "probabilities", shape: [heads] + placement.shape, threads: threads,
      inputs: inputs)
    let count = shape.reduce(1, *)
    var volume = [Float](repeating: 0, count: placement.shape.reduce(1, *))
    for head in 0..<heads {
      let outside: Float = isExclusive && head == 0 ? 1 : 0
      for index in volume.indices { volume[index] = outside }
      for z in 0..<shape[0] {
        for y in 0..<shape[1] {
          let source = head * count + (z * shape[1] + y) * shape[2]
          let target = placement.offset + z * placement.steps[0] + y * placement.steps[1]
          for x in 0..<shape[2] { volume[target + x * placement.steps[2]] = values[source + x] }
        }
      }
      try file.write(volume)
    }
    try file.commit()
  }
}
