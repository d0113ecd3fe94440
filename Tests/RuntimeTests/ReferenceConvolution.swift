import CKernels

@testable import SWTRuntime

/// Convolution by its definition, in double precision, on plain `[channels][z][y][x]` arrays.
struct ReferenceConvolution {
  let geometry: ConvolutionGeometry
  let weights: [Float]

  func run(_ input: [Float]) -> [Double] {
    let (size, output, kernel) = (geometry.input, geometry.output, geometry.kernel)
    var result = [Double](repeating: 0, count: geometry.outputChannels * output.count)
    for o in 0..<geometry.outputChannels {
      for z in 0..<output.z {
        for y in 0..<output.y {
          for x in 0..<output.x {
            var sum = 0.0
            for i in 0..<geometry.inputChannels {
              for kz in 0..<kernel.z {
                for ky in 0..<kernel.y {
                  for kx in 0..<kernel.x {
                    let iz = z * geometry.stride.z + kz - geometry.padding.z
                    let iy = y * geometry.stride.y + ky - geometry.padding.y
                    let ix = x * geometry.stride.x + kx - geometry.padding.x
                    guard (0..<size.z).contains(iz), (0..<size.y).contains(iy),
                      (0..<size.x).contains(ix)
                    else { continue }
                    let w =
                      (((o * geometry.inputChannels + i) * kernel.z + kz) * kernel.y + ky)
                      * kernel.x
                      + kx
                    sum +=
                      Double(weights[w])
                      * Double(input[((i * size.z + iz) * size.y + iy) * size.x + ix])
                  }
                }
              }
            }
            result[((o * output.z + z) * output.y + y) * output.x + x] = sum
          }
        }
      }
    }
    return result
  }
}

/// Numbers that look random and are the same every time.
struct TestNumbers {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 2_654_435_761 &+ 1 }

  mutating func next() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-31
  }

  mutating func array(_ count: Int) -> [Float] { (0..<count).map { _ in next() } }
}

/// Plain arrays in and out of a convolution algorithm.
struct ConvolutionBench {
  /// What a run gave: plain values, and the statistics of every block of 16 channels.
  struct Output {
    let values: [Float]
    let moments: [nn_moments]
  }

  let geometry: ConvolutionGeometry
  var slope: Float = 0.01

  /// Runs `algorithm` on the activation of `input` by `scale` and `shift`; returns plain values.
  func run(
    _ algorithm: any ConvolutionAlgorithm, input: [Float], scale: [Float], shift: [Float],
    threads: Int, planar: Bool, slackPlanes: Int = 0
  ) throws -> Output {
    var plan = ArenaPlan()
    func activation(_ channels: Int, _ extent: Extent3, _ slackPlanes: Int) -> Activation {
      Activation(
        plan.reserve(
          Activation.floatCount(channels: channels, extent: extent, slackPlanes: slackPlanes)),
        channels: channels, extent: extent, slackPlanes: slackPlanes)
    }
    let source = activation(geometry.inputChannels, geometry.input, slackPlanes)
    let target =
      slackPlanes > 0
      ? source.successor(slackPlanes) : activation(geometry.outputChannels, geometry.output, 0)
    let pending = Pending(
      scale: plan.reserve(source.blocks * 16), shift: plan.reserve(source.blocks * 16), slope: slope
    )
    let step = (algorithm.workspaceCount + 63) / 64 * 64
    let workspace = plan.reserve(step * threads)
    let scratch = plan.reserve(algorithm.scratchCount)
    var moments = [nn_moments](
      repeating: nn_moments(), count: target.blocks * algorithm.momentGroups)
    let arena = try Arena(plan)
    // Another layer's values were there before.
    for index in 0..<scratch.count { arena[scratch][index] = .nan }
    let voxels = geometry.input.count
    for channel in 0..<geometry.inputChannels {
      for voxel in 0..<voxels {
        arena[source.range][channel / 16 * source.blockStep + voxel * 16 + channel % 16] =
          input[channel * voxels + voxel]
      }
      arena[pending.scale][channel] = scale[channel]
      arena[pending.shift][channel] = shift[channel]
    }
    input.withUnsafeBufferPointer { buffer in
      guard let start = buffer.baseAddress else { return }
      algorithm.prepare()
      algorithm.run(
        planar ? .networkInput : .feature(Feature(activation: source, pending: pending)),
        into: target, moments: &moments,
        context: RunContext(
          input: start, arena: arena, team: ThreadTeam(count: threads), workspace: workspace,
          workspaceStep: step, scratch: scratch))
    }
    let kernels = Kernels.available[0].pointee
    moments.withUnsafeMutableBufferPointer { moments in
      guard let start = moments.baseAddress else { return }
      for block in 0..<target.blocks {
        kernels.combine(start + block * algorithm.momentGroups, algorithm.momentGroups)
      }
    }
    let count = geometry.output.count
    let values = (0..<geometry.outputChannels * count).map { index in
      let (channel, voxel) = (index / count, index % count)
      return arena[target.range][channel / 16 * target.blockStep + voxel * 16 + channel % 16]
    }
    return Output(
      values: values, moments: (0..<target.blocks).map { moments[$0 * algorithm.momentGroups] })
  }
}
