// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// A linear layer over tokens, with what follows it.
///
/// Rows and outputs are cut into tasks: the rows of one stay in the second-level cache beside one block of
/// outputs' weights, which are read from the file's map as they lie there.
struct MatrixProduct: @unchecked Sendable {
  /// What is applied to a sum and its bias.
  enum Activation: Int32 {
    case none = 0
    /// `x · Φ(x)`.
    case gelu = 1
    /// `x / (1 + exp(−x))`.
    case silu = 2
  }

  // Invariant: the pointers are valid, and nobody writes there, as long as the value is used.
  let kernels: Kernels
  let inputs: Int
  let outputs: Int
  /// `[⌈outputs / 16⌉][input][16]`, missing outputs zeros.
  let weights: UnsafePointer<Float>
  /// `[output]`; `nil` for none.
  var bias: UnsafePointer<Float>?
  /// Of every output, after the activation: layer scale. `nil` for none.
  var scale: UnsafePointer<Float>?
  var activation = Activation.none

  /// `target = activation(source · weights + bias) · scale · factor + addend` for some tokens.
  ///
  /// `target` may be `factor`, as of a SwiGLU's gate, or `addend`, as of a residual; not `source`.
  func run(
    _ source: TokenRows, rows: Int, into target: TokenRows, factor: TokenRows? = nil,
    addend: TokenRows? = nil, team: ThreadTeam
  ) {
    let block = TensorLayout.blockWidth
    let outputBlocks = (outputs + block - 1) / block
    let rowTasks = (rows + rowsPerTask - 1) / rowsPerTask
    // Few rows: outputs are shared out as well.
    let tile = Int(kernels.pointee.direct_blocks)
    let wanted = max(1, (4 * team.count + rowTasks - 1) / rowTasks)
    let outputTasks = team.count == 1 ? 1 : min(wanted, (outputBlocks + tile - 1) / tile)
    team.forEach(rowTasks * outputTasks) { task, _ in
      let (rowTask, outputTask) = (task / outputTasks, task % outputTasks)
      let first = rowTask * rows / rowTasks
      let firstBlock = outputTask * outputBlocks / outputTasks
      let endBlock = (outputTask + 1) * outputBlocks / outputTasks
      let output = firstBlock * block
      var job = nn_matrix_product(
        source: source[first], source_row_step: source.step,
        rows: Int32((rowTask + 1) * rows / rowTasks - first), inputs: Int32(inputs),
        weights: weights + output * inputs, weight_block_step: inputs * block,
        outputs: Int32(min(outputs, endBlock * block) - output), activation: activation.rawValue,
        bias: bias.map { $0 + output }, scale: scale.map { $0 + output },
        factor: factor.map { UnsafePointer($0[first] + output) },
        factor_row_step: factor?.step ?? 0,
        addend: addend.map { UnsafePointer($0[first] + output) },
        addend_row_step: addend?.step ?? 0,
        target: target[first] + output, target_row_step: target.step)
      kernels.pointee.matrix_product(&job)
    }
  }

  /// Rows beside which one block's weights fit three quarters of the second-level cache; some register
  /// tiles of them.
  private var rowsPerTask: Int {
    let tile = Int(kernels.pointee.direct_voxels)
    let blockFloats = inputs * TensorLayout.blockWidth * Int(kernels.pointee.direct_blocks)
    let fitting = (Caches.found.secondLevel / 4 * 3 - blockFloats) / inputs
    return max(2, min(fitting / tile, 96 / tile)) * tile
  }
}
