internal import CKernels
internal import SWTFormat

/// A model's numbers as the steps need them.
struct ModelParameters: Sendable {
  let architecture: NetworkArchitecture
  private let file: SWTFile

  init(_ file: SWTFile) {
    self.file = file
    architecture = file.description.architecture
  }

  var slope: Float { Float(architecture.nonlinearity.negativeSlope) }

  /// The packed weight of that name. A file that opened has every tensor its architecture needs.
  func weights(_ name: String) -> PackedWeights {
    guard let entry = file.entry(named: name) else {
      preconditionFailure("SWTFile checks that \(name) is there")
    }
    return PackedWeights(entry, of: file)
  }

  /// A vector padded with zeros to whole blocks; `value` in every channel where the file has none.
  func vector(_ name: String, _ count: Int, default value: Float) -> [Float] {
    let values =
      file.entry(named: name).map { file.values(of: $0) } ?? [Float](repeating: value, count: count)
    let blocks = (count + TensorLayout.blockWidth - 1) / TensorLayout.blockWidth
    return values + [Float](repeating: 0, count: blocks * TensorLayout.blockWidth - count)
  }

  /// BatchNorm in evaluation mode, with the convolution's bias, as one scale and shift per channel.
  func foldedBatchNorm(_ block: ConvolutionBlock) -> (scale: [Float], shift: [Float]) {
    let count = block.outputChannels
    func channel(_ name: String, default value: Float) -> [Float] {
      vector("\(block.path).\(name)", count, default: value)
    }
    let weight = channel("norm.weight", default: 1)
    let bias = channel("norm.bias", default: 0)
    let mean = channel("norm.running_mean", default: 0)
    let variance = channel("norm.running_var", default: 1)
    let convolutionBias = channel("conv.bias", default: 0)
    var scale = [Float](repeating: 0, count: weight.count)
    var shift = scale
    for index in 0..<count {
      let factor =
        Double(weight[index])
        / (Double(variance[index]) + architecture.normalization.eps).squareRoot()
      scale[index] = Float(factor)
      shift[index] = Float(
        Double(bias[index]) + (Double(convolutionBias[index]) - Double(mean[index])) * factor)
    }
    return (scale, shift)
  }

  func values(ofTensor name: String) -> [Float]? {
    file.entry(named: name).map { file.values(of: $0) }
  }

  /// The linear head; its bias is zero where it has none.
  var classifier: (weight: [Float], bias: [Float])? {
    guard let entry = file.entry(named: Classifier.weightName) else { return nil }
    let bias = file.entry(named: Classifier.biasName).map { file.values(of: $0) }
    return (file.values(of: entry), bias ?? [Float](repeating: 0, count: entry.shape[0]))
  }
}
