// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// The gradient of a convolution's weight over small maps of all cases together: for every tap sums over the voxels that it
/// meets inside the map.
struct TapWeightGradient: JointInstruction {
  private static let block = TensorLayout.blockWidth

  let name: String
  let source: Feature
  /// Of what the convolution wrote, as it is.
  let gradient: Feature
  let weight: TrainedParameters.Entry
  let parameters: TrainedParameters
  let kernels: Kernels
  private let geometry: ConvolutionGeometry
  private let threads: Int
  private let input, output: PackedMap
  private let ranges: [nn_tap_range]
  /// Of every tap's neighbouring planes and rows.
  private let inputSteps: (plane: Int, row: Int)
  private let scratch: Buffer

  init(
    name: String, geometry: ConvolutionGeometry, source: Feature, gradient: Feature,
    weight: TrainedParameters.Entry, parameters: TrainedParameters, target: Target,
    buffers: inout Buffers
  ) {
    self.name = name
    self.geometry = geometry
    self.source = source
    self.gradient = gradient
    self.weight = weight
    self.parameters = parameters
    kernels = target.kernels
    threads = target.threads
    let cases = buffers.cases
    let input = PackedMap(geometry.input, stride: geometry.stride.x, cases: cases)
    let output = PackedMap(geometry.positions, stride: 1, cases: cases)
    (self.input, self.output) = (input, output)
    inputSteps = (
      geometry.stride.z * input.planeStep, geometry.stride.y * input.rowStep
    )
    let axes = geometry.axes
    ranges = AxisRun.ofTaps(axes.z).flatMap { z in
      AxisRun.ofTaps(axes.y).flatMap { y in
        AxisRun.ofTaps(axes.x).map { x in
          nn_tap_range(
            input: Int32(
              input.place(z: z.taps[0].source, y: y.taps[0].source, x: x.taps[0].source)),
            gradient: Int32(output.place(z: z.first, y: y.first, x: x.first)),
            planes: Int32(z.count), rows: Int32(y.count), voxels: Int32(x.count * cases))
        }
      }
    }
    scratch = buffers.reserveShared(
      geometry.inputs.count * input.blockStep + gradient.activation.blocks * output.blockStep)
  }

  var algorithm: String { "weight gradient by taps" }
  var flops: Double { geometry.flops }
  var buffers: [Buffer] { source.buffers + gradient.buffers + [scratch] }

  func run(_ cases: [RunContext]) {
    guard let shared = cases.first else { return }
    let accumulates = parameters.beginGradient(of: weight)
    let inputs = shared.memory[scratch]
    let gradients = inputs + geometry.inputs.count * input.blockStep
    let (inputBlocks, outputBlocks) = (geometry.inputs.count, gradient.activation.blocks)
    shared.team.forEach((inputBlocks + outputBlocks) * input.cases) { index, _ in
      let (block, number) = (index / input.cases, index % input.cases)
      if block < inputBlocks {
        input.pack(
          source, block: block, into: inputs + block * input.blockStep, kernels: kernels,
          cases, case: number)
      } else {
        output.pack(
          gradient, block: block - inputBlocks,
          into: gradients + (block - inputBlocks) * output.blockStep, kernels: kernels,
          cases, case: number)
      }
    }
    // A task has one input block, which stays in its cache.
    let wanted = threads == 1 ? 1 : 4 * threads
    let parts = min(outputBlocks, (wanted + inputBlocks - 1) / inputBlocks)
    shared.team.forEach(inputBlocks * parts) { index, _ in
      let (inputBlock, part) = (index / parts, index % parts)
      for outputBlock in part * outputBlocks / parts..<(part + 1) * outputBlocks / parts {
        add(
          inputs + inputBlock * input.blockStep, gradients + outputBlock * output.blockStep,
          inputBlock: inputBlock, outputBlock: outputBlock, accumulates: accumulates)
      }
    }
  }

  private func add(
    _ inputs: UnsafePointer<Float>, _ gradients: UnsafePointer<Float>, inputBlock: Int,
    outputBlock: Int, accumulates: Bool
  ) {
    let layout = PackedLayout(shape: weight.shape)
    ranges.withUnsafeBufferPointer { ranges in
      guard let start = ranges.baseAddress else { return }
      var job = nn_tap_gradients(
        inputs: inputs, gradients: gradients, input_plane_step: inputSteps.plane,
        input_row_step: inputSteps.row, gradient_plane_step: output.planeStep,
        gradient_row_step: output.rowStep, ranges: start, taps: Int32(ranges.count),
        channels: Int32(geometry.inputs.widths[inputBlock]),
        target: parameters.gradient(weight)
          + layout.laneIndex(block: outputBlock, input: inputBlock * Self.block, tap: 0),
        accumulate: accumulates ? 1 : 0)
      kernels.pointee.tap_gradients(&job)
    }
  }
}
