// SPDX-License-Identifier: Apache-2.0
internal import Network

extension Model {
  /// The parameters of the last stages with their groups, in the order of the state dict.
  func parameterGroups(stageCount: Int) -> [(Parameter, group: Int)] {
    var groups: [Parameter: Int] = [:]
    var stage = 0
    for node in graph.nodes(for: graph.skips) {
      let group = graph.skips.count - stage
      let running =
        if case .normalization(let norm) = node.operation { norm.running } else {
          nil as Operation.ChannelNormalization.RunningStatistics?
        }
      for parameter in node.operation.parameters
      where group <= stageCount && parameter != running?.mean && parameter != running?.variance {
        groups[parameter] = group
      }
      if node.output == graph.skips[stage], stage < graph.skips.count - 1 { stage += 1 }
    }
    return graph.parameters.compactMap { parameter in
      groups[parameter].map { (parameter, $0) }
    }
  }

  /// Biases that an instance norm takes away again.
  var idleParameters: Set<Parameter> {
    var biases: [Graph.Value: Parameter] = [:]
    var idle: Set<Parameter> = []
    for node in graph.nodes {
      switch node.operation {
      case .convolution(let convolution): biases[node.output] = convolution.bias
      case .normalization(let norm) where norm.running == nil:
        if let bias = biases[node.inputs[0]] { idle.insert(bias) }
      default: break
      }
    }
    return idle
  }

  /// What the last stages read: the features of the stage before them, or the network's input.
  func boundary(stageCount: Int) -> Graph.Value {
    stageCount < graph.skips.count
      ? graph.skips[graph.skips.count - 1 - stageCount] : graph.input
  }
}
