// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// A convolution's weight in bf16, in pairs of input channels: `[output block][input block][tap][8][16]`
/// pairs, inputs padded with zeros to whole blocks. Packed once and kept.
struct PairedWeights: Sendable {
  private static let block = TensorLayout.blockWidth

  private let weights: PackedWeights
  private let kept: StoredWeights
  let bf16: nn_bf16_kernels

  init(_ weights: PackedWeights, bf16: nn_bf16_kernels) throws(RuntimeError) {
    self.weights = weights
    self.bf16 = bf16
    let layout = weights.layout
    // A pair takes the place of a float.
    kept = try weights.stored(
      .pairs(weights.blocks),
      floats: layout.blockCount * weights.blocks.count * layout.taps * Self.block / 2 * Self.block)
  }

  var byteCount: Int { kept.byteCount }
  var pointer: UnsafePointer<Float> { kept.pointer }

  /// Packs the weight, unless that has been done; `widening` are the kernels for a narrow one.
  func prepare(widening: Kernels, threads: Int) {
    kept.prepare { target in
      let team = ThreadTeam(count: threads)
      weights.withUnsafePointer(kernels: widening, team: team) { source in
        pack(
          source, into: UnsafeMutableRawPointer(target).assumingMemoryBound(to: UInt32.self),
          team: team)
      }
      weights.releasePages()
    }
  }

  private func pack(
    _ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<UInt32>, team: ThreadTeam
  ) {
    let layout = weights.layout
    let block = Self.block
    let inputBlocks = weights.blocks.count
    let zeros = [Float](repeating: 0, count: block)
    team.forEach(layout.blockCount * inputBlocks) { index, _ in
      let (outputBlock, inputBlock) = (index / inputBlocks, index % inputBlocks)
      let inputs = weights.blocks.widths[inputBlock]
      let rows = source + weights.offset(outputBlock: outputBlock, inputBlock: inputBlock)
      zeros.withUnsafeBufferPointer { zeros in
        guard let zeros = zeros.baseAddress else { return }
        for tap in 0..<layout.taps {
          let row = rows + tap * inputs * block
          for pair in 0..<block / 2 {
            let first = 2 * pair < inputs ? row + 2 * pair * block : zeros
            let second = 2 * pair + 1 < inputs ? row + (2 * pair + 1) * block : zeros
            bf16.pair(
              first, second, target + ((index * layout.taps + tap) * block / 2 + pair) * block,
              block)
          }
        }
      }
    }
  }
}
