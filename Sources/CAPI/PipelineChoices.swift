// SPDX-License-Identifier: Apache-2.0
internal import CSWT
internal import FileIO
internal import Pipeline
internal import SWTFormat
internal import SWTRuntime

/// What a pipeline is asked for.
struct PipelineChoices {
  private var policy: InputPolicy?
  private let threads: Int?
  private let memoryLimit: Int?
  private var pooling: [Classifier.Pooling]??
  private var stages: Set<Int> = []
  private var makesMaps = false

  init(policy: UnsafePointer<CChar>?, threads: Int32, memoryLimit: UInt64) throws {
    self.threads = try Argument.threads(threads)
    self.memoryLimit = memoryLimit == 0 ? nil : Int(clamping: memoryLimit)
    guard let policy else { return }
    self.policy = InputPolicy(rawValue: try Argument.text(policy, "policy"))
    guard self.policy != nil else {
      throw CallFailure.usage("policy is none of whole, sliding-window, center-crop")
    }
  }

  init(_ options: UnsafePointer<swt_pipeline_options>?, for model: Model) throws {
    guard let options else {
      try self.init(policy: nil, threads: 0, memoryLimit: 0)
      return
    }
    let values = try Argument.pointer(options, "options")[0]
    try self.init(
      policy: values.policy, threads: values.threads, memoryLimit: values.memory_limit)
    let stageCount = model.description.architecture.stages.count
    if let name = try values.pooling.map({ try Argument.text($0, "pooling") }) {
      guard let named = Pooling(rawValue: name) else {
        throw CallFailure.usage("pooling is none of \(Pooling.names)")
      }
      pooling = named == .mean ? .some(nil) : named.entries(stageCount: stageCount)
    }
    guard (0...64).contains(values.stage_count) else {
      throw CallFailure.usage("stage_count \(values.stage_count) is not 0 to 64")
    }
    if values.stage_count > 0 {
      stages = Set(
        try Argument.pointer(values.stages, count: values.stage_count, "stages").map { Int($0) })
    }
    if let stage = stages.first(where: { !(0..<stageCount).contains($0) }) {
      throw RuntimeError(.stage(stage, count: stageCount))
    }
    makesMaps = values.maps != 0
    guard !makesMaps || (pooling == nil && model.description.classifier != nil) else {
      throw RuntimeError(.noClassifier)
    }
  }

  func makePipeline(_ model: Model) -> EncoderPipeline {
    let classifier = model.description.classifier
    return EncoderPipeline(
      model: model, policy: policy,
      outputs: SessionOutputs(
        stages: stages, pooled: true, logits: classifier != nil && pooling == nil),
      pooling: pooling ?? classifier?.pooling, threads: threads, memoryLimit: memoryLimit,
      makesMaps: makesMaps)
  }
}
