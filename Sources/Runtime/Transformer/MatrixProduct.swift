// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// A linear layer over tokens, with what follows it.
///
/// Rows and outputs are cut into tasks: a task packs its rows, and reads weights from the file's map as they lie
/// there.
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
  /// `[⌈outputs / 16⌉][input][16]`, missing outputs zeros; of `bf16` pairs of inputs (`PairedWeights`).
  let weights: UnsafePointer<Float>
  /// Products of bf16 numbers; `nil` for f32.
  var bf16: nn_bf16_kernels?
  /// `[output]`; `nil` for none.
  var bias: UnsafePointer<Float>?
  /// Of every output, after the activation: layer scale. `nil` for none.
  var scale: UnsafePointer<Float>?
  var activation = Activation.none

  /// Floats that every thread works in.
  static func workspaceCount(inputs: Int, kernels: Kernels) -> Int {
    nn_matrix_product_scratch(Int32(rowsPerTask(kernels)), Int32(inputs))
  }

  /// Rows of a task, some whole register tiles: so many that reading weights costs little beside multiplying
  /// them, so few that there are enough tasks.
  private static func rowsPerTask(_ kernels: Kernels) -> Int {
    let tile = Int(kernels.pointee.direct_voxels)
    return 144 / tile * tile
  }

  /// `target = activation(source · weights + bias) · scale · factor + addend` for some tokens.
  ///
  /// `workspace(worker)` are `workspaceCount` floats each.
  /// `target` may be `factor`, as of a SwiGLU's gate, or `addend`, as of a residual; not `source`.
  func run(
    _ source: TokenRows, rows: Int, into target: TokenRows, factor: TokenRows? = nil,
    addend: TokenRows? = nil, team: ThreadTeam,
    workspace: (_ worker: Int) -> UnsafeMutablePointer<Float>
  ) {
    let block = TensorLayout.blockWidth
    let rowsPerTask = Self.rowsPerTask(kernels)
    let outputBlocks = (outputs + block - 1) / block
    let blockStep = (bf16 == nil ? inputs : (inputs + block - 1) / block * block / 2) * block
    var rowTaskCount = (rows + rowsPerTask - 1) / rowsPerTask
    // Equally many for every thread.
    if rowTaskCount > team.count {
      rowTaskCount += (team.count - rowTaskCount % team.count) % team.count
    }
    let rowTasks = RowTasks(
      rows: rows, tile: Int(kernels.pointee.direct_voxels), count: rowTaskCount)
    // Few rows: outputs are shared out as well.
    let tile = Int(kernels.pointee.direct_blocks)
    let wanted = max(1, (4 * team.count + rowTasks.count - 1) / rowTasks.count)
    let outputTasks = team.count == 1 ? 1 : min(wanted, (outputBlocks + tile - 1) / tile)
    team.forEach(rowTasks.count * outputTasks) { task, worker in
      let (part, outputTask) = (rowTasks[task / outputTasks], task % outputTasks)
      let first = part.lowerBound
      let firstBlock = outputTask * outputBlocks / outputTasks
      let endBlock = (outputTask + 1) * outputBlocks / outputTasks
      let output = firstBlock * block
      var job = nn_matrix_product(
        source: source[first], source_row_step: source.step,
        rows: Int32(part.count), inputs: Int32(inputs),
        weights: weights + firstBlock * blockStep, weight_block_step: blockStep,
        outputs: Int32(min(outputs, endBlock * block) - output), activation: activation.rawValue,
        bias: bias.map { $0 + output }, scale: scale.map { $0 + output },
        factor: factor.map { UnsafePointer($0[first] + output) },
        factor_row_step: factor?.step ?? 0,
        addend: addend.map { UnsafePointer($0[first] + output) },
        addend_row_step: addend?.step ?? 0,
        target: target[first] + output, target_row_step: target.step,
        scratch: workspace(worker))
      (bf16?.matrix_product ?? kernels.pointee.matrix_product)(&job)
    }
  }
}
