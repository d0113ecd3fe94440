// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// What taps' products over small maps go through, there or back: made once, and shared by all that copies an instruction.
final class TapProducts: Sendable {
  private static let block = TensorLayout.blockWidth

  /// Neighbouring voxels of a row that meet inputs by the same taps.
  private struct Row {
    let run: Int
    let source, target: Int
  }

  /// What rows share.
  private struct Run {
    /// Of all cases.
    let voxels: Int
    let taps: Int
    /// Input blocks whose sums stay in registers: few taps would else spend their time on loading and storing them.
    let blocksPerPass: Int
    /// Of the taps of one such block after the other.
    let tapNumbers, sourceOffsets: [Int32]
  }

  /// Taps, of one input block or of several, that a register tile takes in one go, at most.
  private static let tapsPerPass = 32

  let weights: PackedWeights
  let source, target: PackedMap
  let outputBlocks: Int
  /// Whether there are voxels that no tap meets.
  private let hasGaps: Bool
  private let kernel: Extent3
  private let kernels: Kernels
  private let threads: Int
  private let runs: [Run]
  private let rows: [Row]
  /// Input blocks that all rows go through before the next ones, so that their weights stay in the second-level cache: more on
  /// the way back, where a stride leaves some voxels one tap.
  private let blocksTogether: Int

  init(
    _ geometry: ConvolutionGeometry, weights: PackedWeights, outputBlocks: Int, cases: Int,
    isBackward: Bool, target kind: Target
  ) {
    self.weights = weights
    self.outputBlocks = outputBlocks
    let blocksTogether = isBackward ? 4 : 2
    self.blocksTogether = blocksTogether
    kernels = kind.kernels
    threads = kind.threads
    let input = PackedMap(geometry.input, stride: geometry.stride.x, cases: cases)
    let output = PackedMap(geometry.positions, stride: 1, cases: cases)
    let (source, target) = isBackward ? (output, input) : (input, output)
    (self.source, self.target) = (source, target)
    let way = isBackward ? AxisRun.backward : AxisRun.forward
    let (axes, kernel) = (geometry.axes, geometry.kernel)
    self.kernel = kernel
    var runs: [Run] = []
    var rows: [Row] = []
    for z in way(axes.z) {
      for y in way(axes.y) {
        for x in way(axes.x) where !(z.taps.isEmpty || y.taps.isEmpty || x.taps.isEmpty) {
          var (numbers, places): ([Int32], [Int]) = ([], [])
          for plane in z.taps {
            for line in y.taps {
              for voxel in x.taps {
                numbers.append(
                  Int32((plane.number * kernel.y + line.number) * kernel.x + voxel.number))
                places.append(source.place(z: plane.source, y: line.source, x: voxel.source))
              }
            }
          }
          for plane in 0..<z.count {
            for line in 0..<y.count {
              rows.append(
                Row(
                  run: runs.count,
                  source: places[0] + plane * z.sourceStep * source.planeStep
                    + line * y.sourceStep * source.rowStep,
                  target: target.place(
                    z: z.first + plane * z.step, y: y.first + line * y.step, x: x.first)))
            }
          }
          let blocks = max(1, min(blocksTogether, Self.tapsPerPass / numbers.count))
          runs.append(
            Run(
              voxels: x.count * cases, taps: numbers.count, blocksPerPass: blocks,
              tapNumbers: (0..<blocks).flatMap { block in
                numbers.map { Int32(block * kernel.count) + $0 }
              },
              sourceOffsets: (0..<blocks).flatMap { block in
                places.map { Int32(block * source.blockStep + $0 - places[0]) }
              }))
        }
      }
    }
    (self.runs, self.rows) = (runs, rows)
    hasGaps = [way(axes.z), way(axes.y), way(axes.x)].contains {
      $0.contains(where: \.taps.isEmpty)
    }
  }

  /// - Parameter packed: the map that is read, `source`; `sums` is written, `target`.
  func multiply(
    _ packed: UnsafePointer<Float>, into sums: UnsafeMutablePointer<Float>, team: ThreadTeam
  ) {
    if hasGaps { sums.update(repeating: 0, count: outputBlocks * target.blockStep) }
    weights.withUnsafePointer(
      widened: sums + outputBlocks * target.blockStep, kernels: kernels, team: team
    ) { weights in
      multiply(packed, by: weights, into: sums, team)
    }
  }

  private func multiply(
    _ packed: UnsafePointer<Float>, by weights: UnsafePointer<Float>,
    into sums: UnsafeMutablePointer<Float>, _ team: ThreadTeam
  ) {
    let groupBlocks = Int(kernels.pointee.direct_blocks)
    let groups = (outputBlocks + groupBlocks - 1) / groupBlocks
    // Several tasks for a thread; every one reads its blocks' weights.
    let wanted = threads == 1 ? 1 : 4 * threads
    let parts = min(rows.count, (wanted + groups - 1) / groups)
    team.forEach(groups * parts) { index, _ in
      let (group, part) = (index / parts, index % parts)
      let blocks = group * groupBlocks..<min((group + 1) * groupBlocks, outputBlocks)
      let rows = rows[part * rows.count / parts..<(part + 1) * rows.count / parts]
      multiply(packed, by: weights, blocks: blocks, rows: rows, into: sums)
    }
  }

  private func multiply(
    _ packed: UnsafePointer<Float>, by weights: UnsafePointer<Float>, blocks: Range<Int>,
    rows: ArraySlice<Row>, into sums: UnsafeMutablePointer<Float>
  ) {
    let widths = self.weights.blocks.widths
    for start in stride(from: 0, to: widths.count, by: blocksTogether) {
      let inputs = start..<min(start + blocksTogether, widths.count)
      for row in rows {
        let step = runs[row.run].blocksPerPass
        var first = inputs.lowerBound
        while first < inputs.upperBound {
          // A narrower block, the last one, goes alone.
          let alike = widths[first..<min(first + step, inputs.upperBound)].prefix {
            $0 == widths[first]
          }
          multiply(packed, by: weights, blocks: blocks, row, inputs: alike.indices, into: sums)
          first = alike.endIndex
        }
      }
    }
  }

  /// What some input blocks add to a row.
  private func multiply(
    _ packed: UnsafePointer<Float>, by weights: UnsafePointer<Float>, blocks: Range<Int>,
    _ row: Row, inputs: Range<Int>, into sums: UnsafeMutablePointer<Float>
  ) {
    let (own, first) = (self.weights, inputs.lowerBound)
    let width = own.blocks.widths[first]
    let taps = kernel.count
    let run = runs[row.run]
    run.tapNumbers.withUnsafeBufferPointer { numbers in
      run.sourceOffsets.withUnsafeBufferPointer { offsets in
        guard let numbers = numbers.baseAddress, let offsets = offsets.baseAddress else { return }
        var job = nn_tap_products(
          source: packed + first * source.blockStep + row.source, source_offsets: offsets,
          tap_numbers: numbers, taps: Int32(inputs.count * run.taps), inputs: Int32(width),
          voxels: Int32(run.voxels), blocks: Int32(blocks.count),
          weights: weights + own.offset(outputBlock: blocks.lowerBound, inputBlock: first),
          tap_step: width * Self.block,
          weight_block_step: own.layout.inputs * taps * Self.block,
          next: blocksTogether * width * taps * Self.block,
          target: sums + blocks.lowerBound * target.blockStep + row.target,
          target_block_step: target.blockStep, accumulate: first > 0 ? 1 : 0)
        kernels.pointee.tap_products(&job)
      }
    }
  }
}
