// SPDX-License-Identifier: Apache-2.0
/// `W · features + b`, summed in double.
struct LinearLayer: Instruction {
  let name: String
  let layer: LinearWeights
  let input: Buffer
  let output: Buffer

  var algorithm: String { "linear" }
  var buffers: [Buffer] { [input, output] }

  func run(_ context: RunContext) {
    let features = context.memory[input]
    let values = context.memory[output]
    for row in layer.bias.indices { values[row] = layer.value(row) { features[$0] } }
  }
}

/// `W` and `b` of a linear layer.
struct LinearWeights: Sendable {
  /// `[outputs, inputs]`.
  let weight: [Float]
  let bias: [Float]

  var inputCount: Int { weight.count / bias.count }

  /// One row of `W · features + b`.
  func value(_ row: Int, feature: (Int) -> Float) -> Float {
    let features = inputCount
    var sum = Double(bias[row])
    for index in 0..<features {
      sum += Double(weight[row * features + index]) * Double(feature(index))
    }
    return Float(sum)
  }
}
