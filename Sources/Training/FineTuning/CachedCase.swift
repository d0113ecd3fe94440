// SPDX-License-Identifier: Apache-2.0
internal import FileIO
package import Pipeline
internal import Preprocessing
package import SWTFormat
package import SWTRuntime

/// A case, or an augmented view of it, as the stages that learn see it.
package struct CachedCase: Sendable {
  package struct Window: Sendable {
    let boundary: ActivationCache.Place
    let shape: [Int]
    let frozen: [Classifier.Pooling: [Float]]
    let region: PoolingRegion?
  }

  let windows: [Window]

  /// What is run, taken from the cache when it is needed.
  func windows(of cache: ActivationCache) -> [TrainableClassifier.Window] {
    windows.map { window in
      TrainableClassifier.Window(
        boundary: { try cache.values(at: window.boundary)[...] }, shape: window.shape,
        frozen: window.frozen, region: window.region)
    }
  }
}

/// The frozen part of an encoder: preprocessing, augmentation and the first stages, once per case and view.
package struct FrozenStages: ~Copyable {
  private let model: Model
  private let pipeline: EncoderPipeline
  private let settings: FineTuningSettings
  /// What the head reads, and of that what frozen stages give.
  private let pooling: [Classifier.Pooling]
  private let frozenPooling: [Classifier.Pooling]
  private let threads: Int
  /// How the last case was run. Its session goes with it, since the next case is prepared first.
  private var kept: Program?

  /// - Parameter pooling: what the head reads.
  package init(
    model: Model, settings: FineTuningSettings, pooling: [Classifier.Pooling], threads: Int,
    memoryLimit: Int?
  ) {
    self.model = model
    self.settings = settings
    self.threads = threads
    let first = model.description.architecture.featuresPerStage.count - settings.unfrozenStages
    self.pooling = pooling
    frozenPooling = pooling.filter { $0.stage < first }
    pipeline = EncoderPipeline(
      model: model, policy: nil, outputs: SessionOutputs(pooled: true), pooling: pooling,
      threads: threads, memoryLimit: memoryLimit)
  }

  /// The stage whose features are cached; `nil` where the network's input is.
  static func boundaryStage(_ model: Model, unfrozenStages: Int) -> Int? {
    let stage = model.description.architecture.featuresPerStage.count - 1 - unfrozenStages
    return stage < 0 ? nil : stage
  }

  /// The plain view of a case, and the augmented ones.
  ///
  /// - Parameter index: the case's, on which the views depend.
  package mutating func run(
    _ entry: CaseList.Entry, case index: Int, into cache: ActivationCache
  ) throws -> [CachedCase] {
    let image = try pipeline.prepare(pipeline.read(entry))
    let framing = pipeline.framing(of: image.shape)
    let session = try session(framing.inputShape)
    let architecture = model.description.architecture
    let transforms = TrainingTransforms(
      shape: framing.windowShape, patch: model.description.preprocessing.patchSize,
      channels: architecture.inputChannels,
      mirrorAxes: settings.mirrors ? Array(framing.windowShape.indices) : [], seed: settings.seed)
    var window = [Float](repeating: 0, count: framing.inputShape.reduce(1, *))
    var views = [CachedCase]()
    for view in 0...settings.views {
      var windows: [CachedCase.Window] = []
      for number in 0..<framing.windowCount {
        window.withUnsafeMutableBufferPointer {
          framing.copyWindow(number, of: image.values, into: $0)
        }
        var seen = Augmentation(
          ChannelImage(
            channels: architecture.inputChannels, shape: framing.windowShape, values: window))
        var inside = image.nonzero.map { nonzero in
          Augmentation(
            ChannelImage(
              channels: 1, shape: framing.windowShape,
              values: framing.window(number, ofChannel: nonzero)))
        }
        for step in view > 0 ? transforms.steps(case: index, view: view) : [] {
          try seen.apply(step)
          if step.movesVoxels { try inside?.apply(step) }
        }
        windows.append(
          try run(
            seen.image.values, inside: inside?.image.values.map { $0 < 0.5 ? 0 : 1 },
            shape: framing.inputShape, session, into: cache))
      }
      views.append(CachedCase(windows: windows))
    }
    return views
  }

  /// What gives the frozen stages' results; `nil` where all stages learn.
  private mutating func session(_ shape: [Int]) throws(RuntimeError) -> Session? {
    guard let stage = Self.boundaryStage(model, unfrozenStages: settings.unfrozenStages) else {
      return nil
    }
    if let kept, kept.inputShape == shape { return try Session(kept) }
    // Other sizes take other forms of the weights; those of the last one are not kept.
    let program = try model.unprepared.program(
      inputShape: shape, outputs: Self.outputs(boundary: stage, frozenPooling), threads: threads)
    kept = program
    return try Session(program)
  }

  /// - Parameter inside: 0 outside the scan's nonzero region, where that is asked for.
  private func run(
    _ input: [Float], inside: [Float]?, shape: [Int], _ session: Session?,
    into cache: ActivationCache
  ) throws -> CachedCase.Window {
    let region = try inside.map { inside in
      try model.region(of: inside, inputShape: shape, pooling: pooling)
    }
    guard let session,
      let stage = Self.boundaryStage(model, unfrozenStages: settings.unfrozenStages)
    else {
      let place = try input.withUnsafeBufferPointer { try cache.add($0) }
      return CachedCase.Window(boundary: place, shape: shape, frozen: [:], region: region)
    }
    session.region = region
    try session.run(input)
    var frozen: [Classifier.Pooling: [Float]] = [:]
    var rest = (session.pooledFeatures ?? [])[...]
    for entry in frozenPooling {
      let width = model.description.architecture.featuresPerStage[entry.stage]
      frozen[entry] = Array(rest.prefix(width))
      rest = rest.dropFirst(width)
    }
    let boundary = try session.withFeatures(ofStage: stage) { shape, values in
      (shape, try cache.add(values))
    }
    guard let boundary else { throw RuntimeError(.stage(stage, count: stage)) }
    return CachedCase.Window(
      boundary: boundary.1, shape: boundary.0, frozen: frozen, region: region)
  }

  /// What the frozen part is asked for.
  static func outputs(
    boundary stage: Int, _ frozenPooling: [Classifier.Pooling]
  ) -> SessionOutputs {
    var outputs = SessionOutputs(stages: [stage], pooled: false)
    outputs.pooling = frozenPooling
    return outputs
  }
}
