/// Chooses how a layer is computed. The one place that knows all algorithms.
struct AlgorithmChoice: Sendable {
  let instructionSet: InstructionSet
  let threads: Int

  func algorithm(
    for geometry: ConvolutionGeometry, weights: PackedWeights
  ) -> any ConvolutionAlgorithm {
    DirectConvolution(
      geometry, weights: weights, instructionSet: instructionSet, threads: threads)
  }
}
