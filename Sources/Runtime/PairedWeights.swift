internal import CKernels
internal import SWTFormat
internal import Synchronization

/// A convolution's weight in bf16, in pairs of input channels: `[output block][input block][tap][8][16]`
/// pairs, inputs padded with zeros to whole blocks. Packed once and kept; the sessions of one plan share
/// it.
final class PairedWeights: Sendable {
  private static let block = Int(NN_BLOCK)

  private let weights: PackedWeights
  private let memory: Arena
  private let range: ArenaRange
  private let isPacked = Mutex(false)

  /// Reserves memory, of which nothing is used before `prepare`.
  init(_ weights: PackedWeights) throws(RuntimeError) {
    self.weights = weights
    let layout = weights.layout
    let inputBlocks = (layout.inputs + Self.block - 1) / Self.block
    var plan = ArenaPlan()
    range = plan.reserve(
      layout.blockCount * inputBlocks * layout.taps * Self.block / 2 * Self.block)
    memory = try Arena(plan)
  }

  var byteCount: Int { memory.byteCount }
  var pointer: UnsafePointer<Float> { UnsafePointer(memory[range]) }

  /// Packs the weight, unless that has been done.
  func prepare(_ narrow: Bf16Kernels, kernels: UnsafePointerBox, threads: Int) {
    isPacked.withLock { isPacked in
      guard !isPacked else { return }
      let team = ThreadTeam(count: threads)
      weights.withUnsafePointer(kernels: kernels, team: team) { source in
        pack(source, narrow, team: team)
      }
      weights.releasePages()
      isPacked = true
    }
  }

  private func pack(_ source: UnsafePointer<Float>, _ narrow: Bf16Kernels, team: ThreadTeam) {
    let layout = weights.layout
    let block = Self.block
    let inputBlocks = (layout.inputs + block - 1) / block
    // A pair takes the room of a float.
    let target = UnsafeMutableRawPointer(memory[range]).assumingMemoryBound(to: UInt32.self)
    let zeros = [Float](repeating: 0, count: block)
    team.forEach(layout.blockCount * inputBlocks) { index, _ in
      let (outputBlock, inputBlock) = (index / inputBlocks, index % inputBlocks)
      let inputs = min(block, layout.inputs - inputBlock * block)
      zeros.withUnsafeBufferPointer { zeros in
        guard let zeros = zeros.baseAddress else { return }
        for tap in 0..<layout.taps {
          let row =
            source + layout.laneIndex(block: outputBlock, input: inputBlock * block, tap: tap)
          for pair in 0..<block / 2 {
            let first = 2 * pair < inputs ? row + 2 * pair * block : zeros
            let second = 2 * pair + 1 < inputs ? row + (2 * pair + 1) * block : zeros
            narrow.pointee.pair(
              first, second, target + ((index * layout.taps + tap) * block / 2 + pair) * block,
              block)
          }
        }
      }
    }
  }
}
