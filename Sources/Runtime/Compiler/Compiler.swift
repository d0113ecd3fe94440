// SPDX-License-Identifier: Apache-2.0
internal import Network

/// Makes the program of a graph for one input shape: passes over it, each in a file of its own, none of
/// which knows the others.
enum Compiler {
  static func compile(
    _ graph: Graph, inputShape: [Int], outputs: SessionOutputs, values: ParameterValues,
    target: Target
  ) throws(RuntimeError) -> Program {
    var wanted = outputs.stages.sorted().map { graph.skips[$0] }
    let pooled = outputs.pooled || outputs.logits ? graph.pooled : nil
    let logits = outputs.logits ? graph.logits : nil
    let segmentation = outputs.segmentation ? graph.segmentation : nil
    let planewise = outputs.segmentationSlabs && segmentation == nil ? graph.segmentation : nil
    let (places, pooledCount) = PooledPlaces.places(of: outputs.pooling, in: graph)
    wanted += places.values.map(\.stage).sorted().map { graph.skips[$0] }
    wanted += [pooled, logits, segmentation, planewise].compactMap { $0 }
    if wanted.isEmpty { wanted = graph.skips.suffix(1) }
    let nodes = graph.nodes(for: wanted)
    var names: [Graph.Value: String] = [:]
    for stage in outputs.stages { names[graph.skips[stage]] = "stage \(stage)" }
    if let segmentation { names[segmentation] = "segmentation" }

    let shapes = try Shapes(graph, nodes: nodes, inputShape: inputShape)
    var layers = Deferral(nodes, input: graph.input, maps: names, pooled: places).layers
    layers = AlgorithmChoice(target: target).apply(to: layers, shapes: shapes)
    func slackSlices(_ layer: Layer) -> Int {
      guard case .fused(let tileSizes) = layer.method else { return 0 }
      return WinogradConvolution.slackSlices(
        shapes.geometry(of: layer), tileSizes: tileSizes, target: target)
    }
    layers = Recomputation { layer in
      // It goes from plane to plane.
      shapes.geometry(of: layer).input.z > 1 ? slackSlices(layer) : 0
    }.apply(to: layers)
    layers = Overwriting(graph: graph, slackSlices: slackSlices).apply(to: layers)
    let lowered = try Lowering(
      layers, graph: graph, shapes: shapes, values: values, target: target, planewise: planewise,
      pooledCount: pooledCount)

    func map(_ value: Graph.Value) -> Program.Output? {
      lowered.maps[value].map { buffer in
        Program.Output(
          buffer: buffer,
          shape: [graph.width(of: value)]
            + shapes[value].sizes(dimension: inputShape.count - 1))
      }
    }
    func vector(_ value: Graph.Value?) -> Program.Output? {
      value.flatMap { lowered.vectors[$0] }.map { Program.Output(buffer: $0, shape: [$0.count]) }
    }
    var stages: [Int: Program.Output] = [:]
    for stage in outputs.stages { stages[stage] = map(graph.skips[stage]) }
    return Program(
      inputShape: inputShape, outputs: outputs, threads: target.threads,
      instructions: lowered.instructions, buffers: lowered.buffers, stages: stages,
      pooling: lowered.pooling.map { Program.Output(buffer: $0, shape: [pooledCount]) },
      pooled: vector(pooled), logits: vector(logits), segmentation: segmentation.flatMap(map),
      planewise: lowered.planewise)
  }
}
