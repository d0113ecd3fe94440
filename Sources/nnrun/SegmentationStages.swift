import Pipeline
import Preprocessing
import SWTFormat
import SWTRuntime

/// The pipelines that a case goes through: one, or a cascade's two.
struct SegmentationStages {
  /// The low-resolution one of a cascade.
  let first: SegmentationPipeline?
  let last: SegmentationPipeline

  /// - Parameter options: of the last stage; nnU-Net gives the first one nothing but mirroring and
  ///   steps.
  init(
    _ models: [Model], options: SegmentationOptions, cases: CaseArguments, threads: Int?
  ) throws {
    func pipeline(
      _ model: Model, _ options: SegmentationOptions
    ) throws -> SegmentationPipeline {
      try SegmentationPipeline(
        model: model, options: options, threads: threads, memoryLimit: cases.maxMemory)
    }
    last = try pipeline(models[models.count - 1], options)
    first =
      try models.count > 1
      ? pipeline(
        models[0],
        SegmentationOptions(mirroring: options.mirroring, stepSize: options.stepSize)) : nil
    guard first == nil || (last.takesPrevious && first?.takesPrevious == false) else {
      throw InputError.cascade(
        "two models are a cascade's two stages: the second takes what the first makes")
    }
  }

  /// Segments a case.
  ///
  /// - Parameter previous: what the first stage made, where that is not run here.
  func run(
    _ entry: CaseList.Entry, previous: String?, warn: (String) -> Void,
    progress: (Int, Int) throws(PipelineError) -> Void
  ) throws -> Segmentation {
    var stage: Volume?
    if let previous { stage = try last.readPrevious(file: previous) }
    if let first {
      let scan = try first.reader.read(entry)
      let result = try first.run(scan, progress: progress)
      stage = try result.volume()
    }
    let scan = try last.reader.read(entry)
    for warning in scan.warnings { warn(warning) }
    return try last.run(scan, previous: stage, progress: progress)
  }
}
