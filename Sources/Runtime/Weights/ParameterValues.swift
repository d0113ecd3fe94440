// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import Network
internal import SWTFormat

/// A model's numbers as instructions need them.
struct ParameterValues: Sendable {
  private let file: SWTFile
  /// A position in the model's folds.
  private let fold: Int
  private let store: WeightStore
  /// A session's own values, row-major, by parameter; all others are the file's.
  private let own: [String: [Float]]

  init(_ file: SWTFile, store: WeightStore, fold: Int = 0, own: [String: [Float]] = [:]) {
    self.file = file
    self.fold = fold
    // What is made of own values is nobody else's.
    self.store = own.isEmpty ? store : WeightStore()
    self.own = own
  }

  private func entry(_ parameter: Parameter) -> TensorEntry {
    guard let entry = file.entry(named: parameter.name, fold: fold) else {
      preconditionFailure("a model opens only if \(parameter.name) is there")
    }
    return entry
  }

  private func origin(_ parameter: Parameter) -> PackedWeights.Origin {
    PackedWeights.Origin(store: store, fold: fold, parameter: parameter.name)
  }

  /// A parameter's numbers, row-major.
  func values(of parameter: Parameter) -> [Float] {
    own[parameter.name] ?? file.values(of: entry(parameter))
  }

  /// A convolution's weight.
  func weights(of convolution: Operation.Convolution) -> PackedWeights {
    weights(of: convolution.weight)
  }

  /// A parameter's numbers, row-major in `f32`: the file's own where it has them so.
  func rows(of parameter: Parameter) -> Bytes {
    let entry = entry(parameter)
    if own[parameter.name] == nil, entry.dataType == .f32, entry.layout == .rowMajor {
      return file.bytes(of: entry)
    }
    let numbers = values(of: parameter)
    let copy = HeapBuffer(byteCount: numbers.count * MemoryLayout<Float>.stride)
    numbers.withUnsafeBytes { copy.memory.copyMemory(from: $0) }
    return copy.bytes
  }

  /// A weight in the packed layout.
  func weights(of parameter: Parameter) -> PackedWeights {
    if let values = own[parameter.name] {
      return PackedWeights(shape: parameter.shape, values: values, origin: origin(parameter))
    }
    return PackedWeights(entry(parameter), of: file, origin: origin(parameter))
  }

  /// A transposed convolution's weight.
  func weights(
    of convolution: Operation.TransposedConvolution
  ) throws(RuntimeError) -> PackedWeights {
    let parameter = convolution.weight
    guard let repeats = convolution.repeats else {
      return try PackedWeights(
        upsampling: { values(of: parameter) }, shape: parameter.shape, origin: origin(parameter))
    }
    // `[outputs, inputs]` becomes `[inputs, outputs, kernel…]`, the same for every voxel of a block.
    let (outputs, inputs) = (parameter.shape[0], parameter.shape[1])
    let taps = repeats.reduce(1, *)
    return try PackedWeights(
      upsampling: {
        let values = values(of: parameter)
        return (0..<inputs * outputs * taps).map { index in
          values[index / taps % outputs * inputs + index / taps / outputs]
        }
      }, shape: [inputs, outputs] + repeats, origin: origin(parameter))
  }

  /// A linear layer's numbers; its bias is zero where it has none.
  func weights(of layer: Operation.Linear) -> LinearWeights {
    LinearWeights(
      weight: values(of: layer.weight),
      bias: layer.bias.map(values)
        ?? [Float](repeating: 0, count: layer.weight.shape[0]))
  }

  /// A vector padded with zeros to whole blocks; `value` in every channel without a parameter.
  func vector(_ parameter: Parameter?, _ count: Int, default value: Float) -> [Float] {
    let block = TensorLayout.blockWidth
    let values = parameter.map(values) ?? [Float](repeating: value, count: count)
    return values + [Float](repeating: 0, count: (count + block - 1) / block * block - count)
  }

  /// BatchNorm in evaluation mode, with the convolution's bias, as one scale and shift per channel.
  func folded(
    _ norm: Operation.ChannelNormalization,
    _ running: Operation.ChannelNormalization.RunningStatistics, bias convolutionBias: Parameter?,
    channels: Int
  ) -> (scale: [Float], shift: [Float]) {
    let weight = vector(norm.weight, channels, default: 1)
    let bias = vector(norm.bias, channels, default: 0)
    let mean = vector(running.mean, channels, default: 0)
    let variance = vector(running.variance, channels, default: 1)
    let offset = vector(convolutionBias, channels, default: 0)
    var scale = [Float](repeating: 0, count: weight.count)
    var shift = scale
    for index in 0..<channels {
      let factor =
        Double(weight[index]) / (Double(variance[index]) + norm.eps).squareRoot()
      scale[index] = Float(factor)
      shift[index] = Float(
        Double(bias[index]) + (Double(offset[index]) - Double(mean[index])) * factor)
    }
    return (scale, shift)
  }
}
