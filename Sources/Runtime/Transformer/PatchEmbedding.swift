// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// Tokens of the patches of a map: a convolution whose stride is its kernel, as a matrix product.
///
/// A task gathers its patches as rows, in the order in which the packed layout has a convolution's inputs:
/// `[block of 16 channels][tap][channel]`.
struct PatchEmbedding: Instruction {
  /// Floats of a task's patches.
  private static let gatheredFloats = 1 << 18

  let name: String
  let input: ConvolutionInput
  let inputExtent: Extent3
  let kernel: Extent3
  let order: TokenOrder
  let weights: PackedWeights
  /// Where the weights are widened; `nil` for `f32`.
  let widened: Buffer?
  let bias: Buffer
  let scale: Buffer?
  /// Tokens that are added. The output may be these.
  let addend: Buffer?
  let output: TokenSequence
  let kernels: Kernels

  var algorithm: String { "patches, matrix product" }
  var flops: Double { 2 * Double(output.count) * Double(patchCount) * Double(output.width) }
  var weightByteCount: Int { weights.byteCount }
  var workspaceCount: Int {
    gatheredCount + nn_matrix_product_scratch(Int32(rowsPerTask), Int32(patchCount))
  }
  var buffers: [Buffer] {
    input.features.flatMap(\.buffers) + [output.buffer, bias]
      + [widened, scale, addend].compactMap { $0 }
  }

  /// Numbers of a patch.
  private var patchCount: Int { weights.layout.inputs * kernel.count }

  /// Floats of a task's patches, and of a part of one.
  private var gatheredCount: Int { rowsPerTask * patchCount + kernel.x * TensorLayout.blockWidth }

  private var rowsPerTask: Int {
    let tile = Int(kernels.pointee.direct_voxels)
    return max(1, min(96, Self.gatheredFloats / patchCount) / tile) * tile
  }

  func prepare() { weights.prepare() }

  func run(_ context: RunContext) {
    let memory = context.memory
    let rows = output.rows(in: memory)
    let tasks = (output.count + rowsPerTask - 1) / rowsPerTask
    weights.withUnsafePointer(
      widened: memory[widened ?? output.buffer], kernels: kernels, team: context.team
    ) { weights in
      context.team.forEach(tasks) { task, worker in
        let tokens = task * output.count / tasks..<(task + 1) * output.count / tasks
        let patches = context.workspace(of: worker)
        for token in tokens {
          gather(token, into: patches + (token - tokens.lowerBound) * patchCount, worker, context)
        }
        var job = nn_matrix_product(
          source: patches, source_row_step: patchCount, rows: Int32(tokens.count),
          inputs: Int32(patchCount), weights: weights,
          weight_block_step: patchCount * TensorLayout.blockWidth, outputs: Int32(output.width),
          activation: MatrixProduct.Activation.none.rawValue, bias: memory[bias],
          scale: scale.map { UnsafePointer(memory[$0]) }, factor: nil, factor_row_step: 0,
          addend: addend.map { UnsafePointer(memory[$0] + tokens.lowerBound * output.width) },
          addend_row_step: output.width, target: rows[tokens.lowerBound],
          target_row_step: output.width, scratch: patches + gatheredCount)
        kernels.pointee.matrix_product(&job)
      }
    }
  }

  /// Copies the patch of a token.
  private func gather(
    _ token: Int, into patch: UnsafeMutablePointer<Float>, _ worker: Int, _ context: RunContext
  ) {
    let corner = order.position(of: token).combined(with: kernel, *)
    let block = TensorLayout.blockWidth
    let run = context.workspace(of: worker) + rowsPerTask * patchCount
    var target = patch
    for (index, width) in weights.blocks.widths.enumerated() {
      for line in 0..<kernel.z * kernel.y {
        let z = corner.z + line / kernel.y
        let y = corner.y + line % kernel.y
        let start = (z * inputExtent.y + y) * inputExtent.x + corner.x
        switch input {
        case .network:
          for lane in 0..<width {
            let channel = weights.blocks.starts[index] + lane
            let source = context.input + channel * inputExtent.count + start
            for x in 0..<kernel.x { target[x * width + lane] = source[x] }
          }
        case .features(let features):
          let feature = features[0]
          let source =
            context.memory[feature.activation] + index * feature.activation.blockStep + start
            * block
          let pending = feature.pending.kernel(block: index, in: context.memory)
          // A whole block of channels goes where it belongs at once.
          kernels.pointee.activate(source, pending, width == block ? target : run, kernel.x)
          guard width < block else { break }
          for x in 0..<kernel.x {
            for lane in 0..<width { target[x * width + lane] = run[x * block + lane] }
          }
        }
        target += kernel.x * width
      }
    }
  }
}
