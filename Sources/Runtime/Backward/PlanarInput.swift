// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// How a convolution's activated, padded input lies when weights' gradients are summed over it:
/// `[channel block][case][row][phase][channel][voxel]`, where with stride s every s-th voxel of a row is in one phase, so
/// that what a tap meets are neighbours.
struct PlanarInput: Sendable {
  private let geometry: ConvolutionGeometry
  /// Rows with their halo.
  private let planes, rowsPerPlane: Int
  /// Channels that every block has place for.
  private let spacing: Int
  /// From a channel to the next.
  let pitch: Int
  private let phaseStep, rowStep, caseStep, blockStep: Int
  /// Of every row of outputs, of one case after the other, how far its inputs lie beyond the first one's.
  let rowOffsets: [Int32]

  /// - Parameter cases: how many run together.
  init(_ geometry: ConvolutionGeometry, cases: Int) {
    self.geometry = geometry
    let (stride, output) = (geometry.stride, geometry.positions)
    let needed = output.combined(with: stride) { ($0 - 1) * $1 }.combined(
      with: geometry.kernel, +)
    (planes, rowsPerPlane) = (needed.z, needed.y)
    spacing = geometry.inputs.widths.max() ?? 0
    // What is read of a row, or what lies in it, where that is more.
    pitch = (max(needed.x, geometry.input.x + geometry.padding.x) + stride.x - 1) / stride.x
    phaseStep = spacing * pitch
    rowStep = stride.x * phaseStep
    caseStep = planes * rowsPerPlane * rowStep
    blockStep = cases * caseStep
    let step = (
      case: caseStep, plane: stride.z * rowsPerPlane * rowStep, row: stride.y * rowStep
    )
    rowOffsets = (0..<cases * output.z * output.y).map { row in
      let (plane, line) = (row / output.y, row % output.y)
      return Int32(
        plane / output.z * step.case + plane % output.z * step.plane + line * step.row)
    }
  }

  var count: Int { geometry.inputs.count * blockStep }

  /// Where the first output's input for a tap lies.
  func offset(block: Int, tap: Int) -> Int {
    let (kernel, stride) = (geometry.kernel, geometry.stride)
    let (z, y, x) = (tap / (kernel.y * kernel.x), tap / kernel.x % kernel.y, tap % kernel.x)
    return block * blockStep + (z * rowsPerPlane + y) * rowStep + x % stride.x * phaseStep
      + x / stride.x
  }

  /// Floats of one row of outputs' inputs: what a chunk of rows takes.
  var floatsPerRow: Int { geometry.stride.y * rowStep }

  /// Activates and lays out what `source` is.
  func pack(
    _ source: Feature, into target: UnsafeMutablePointer<Float>, kernels: Kernels,
    cases: [RunContext], team: ThreadTeam
  ) {
    let (input, padding) = (geometry.input, geometry.padding)
    let tasksPerBlock = cases.count * planes
    team.forEach(geometry.inputs.count * tasksPerBlock) { index, _ in
      let block = index / tasksPerBlock
      let (number, plane) = (index % tasksPerBlock / planes, index % planes)
      let context = cases[number]
      let values = context.memory[source.activation]
      let first =
        target + block * blockStep + number * caseStep + plane * rowsPerPlane * rowStep
      first.update(repeating: 0, count: rowsPerPlane * rowStep)
      let z = plane - padding.z
      guard (0..<input.z).contains(z) else { return }
      let pending = source.pending.kernel(block: block, in: context.memory)
      for row in 0..<rowsPerPlane where (0..<input.y).contains(row - padding.y) {
        let line =
          values + block * source.activation.blockStep
          + (z * input.y + row - padding.y) * input.x * TensorLayout.blockWidth
        packRow(
          line, pending, channels: geometry.inputs.widths[block], into: first + row * rowStep,
          kernels: kernels)
      }
    }
  }

  /// The padding shifts phases: voxels before the first one of phase 0 come one by one.
  private func packRow(
    _ line: UnsafePointer<Float>, _ pending: nn_pending, channels: Int,
    into target: UnsafeMutablePointer<Float>, kernels: Kernels
  ) {
    let (stride, padding, width) = (geometry.stride.x, geometry.padding.x, geometry.input.x)
    let whole = min((stride - padding % stride) % stride, width)
    for x in 0...whole {
      let at = x + padding
      let voxels = x < whole ? 1 : width - whole
      guard voxels > 0 else { continue }
      var job = nn_planar_row(
        source: line + x * TensorLayout.blockWidth, voxels: Int32(voxels), pending: pending,
        channels: Int32(channels), stride: Int32(stride),
        target: target + at % stride * phaseStep + at / stride, phase_step: phaseStep,
        channel_step: pitch)
      kernels.pointee.planar_row(&job)
    }
  }
}
