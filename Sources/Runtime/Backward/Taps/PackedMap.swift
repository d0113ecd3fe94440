// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// A map of all cases that run together, `[block][z][y][x][case][16]`. Along x, voxels that a stride's distance lies between
/// are neighbours: what one tap meets is a run of memory then.
struct PackedMap: Sendable {
  private static let block = TensorLayout.blockWidth

  let extent: Extent3
  let cases: Int
  /// Of x.
  private let stride: Int
  /// Voxels before those of every remainder of x by the stride.
  private let phaseStarts: [Int]

  init(_ extent: Extent3, stride: Int, cases: Int) {
    self.extent = extent
    self.cases = cases
    self.stride = stride
    var start = 0
    phaseStarts = (0..<stride).map { phase in
      defer { start += Self.count(extent.x, phase, stride) }
      return start
    }
  }

  private static func count(_ size: Int, _ phase: Int, _ stride: Int) -> Int {
    max(0, (size - phase + stride - 1) / stride)
  }

  var rowStep: Int { extent.x * cases * Self.block }
  var planeStep: Int { extent.y * rowStep }
  var blockStep: Int { extent.z * planeStep }

  /// Where the first case's voxel lies in a block.
  func place(z: Int, y: Int, x: Int) -> Int {
    z * planeStep + y * rowStep + (phaseStarts[x % stride] + x / stride) * cases * Self.block
  }

  /// The voxels of a row by their remainders: the first one, and how many.
  private var phases: [(first: Int, count: Int)] {
    (0..<stride).map { ($0, Self.count(extent.x, $0, stride)) }.filter { $0.1 > 0 }
  }

  /// Activates what a block of a case is, and puts it here; zeros for a case that there is not.
  func pack(
    _ feature: Feature, block: Int, into target: UnsafeMutablePointer<Float>, kernels: Kernels,
    _ contexts: [RunContext], case number: Int
  ) {
    guard contexts.indices.contains(number) else {
      for voxel in 0..<extent.count {
        (target + (voxel * cases + number) * Self.block).update(repeating: 0, count: Self.block)
      }
      return
    }
    let memory = contexts[number].memory
    let pending = feature.pending.kernel(block: block, in: memory)
    let source = memory[feature.activation] + block * feature.activation.blockStep
    for row in 0..<extent.z * extent.y {
      let line = source + row * extent.x * Self.block
      for phase in phases {
        var job = nn_packed_voxels(
          source: line + phase.first * Self.block, source_step: stride * Self.block,
          voxels: Int32(phase.count), pending: pending,
          target: target + place(z: 0, y: row, x: phase.first) + number * Self.block,
          target_step: cases * Self.block)
        kernels.pointee.pack_voxels(&job)
      }
    }
  }

  /// Puts a block of one case where it belongs, and makes `moments` its statistics.
  func unpack(
    _ source: UnsafePointer<Float>, case number: Int, block: Int, to output: Activation,
    accumulates: Bool, moments: UnsafeMutablePointer<nn_moments>?, kernels: Kernels,
    memory: Memory
  ) {
    moments?.pointee = nn_moments()
    let target = memory[output] + block * output.blockStep
    for row in 0..<extent.z * extent.y {
      for phase in phases {
        var job = nn_unpacked_voxels(
          source: source + place(z: 0, y: row, x: phase.first) + number * Self.block,
          source_step: cases * Self.block, voxels: Int32(phase.count),
          accumulate: accumulates ? 1 : 0,
          target: target + (row * extent.x + phase.first) * Self.block,
          target_step: stride * Self.block, moments: moments)
        kernels.pointee.unpack_voxels(&job)
      }
    }
  }
}
