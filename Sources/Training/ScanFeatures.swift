// SPDX-License-Identifier: Apache-2.0
package import FileIO
internal import NPY
package import Pipeline
package import SWTFormat
package import SWTRuntime

/// Pooled features of scans: preprocessed and run through the encoder once, or taken from the cache.
package struct ScanFeatures {
  private let pipeline: EncoderPipeline
  private var cache: FeatureCache
  /// What the columns are: mean and maximum of every stage, in that order.
  package let pooling: [Classifier.Pooling]

  /// - Parameter cachePath: a `.npy` that need not be there.
  package init(model: Model, cachePath: String, threads: Int?, memoryLimit: Int?) {
    let widths = model.description.architecture.featuresPerStage
    pooling = Classifier.Pooling.all(stageCount: widths.count)
    pipeline = EncoderPipeline(
      model: model, policy: nil, outputs: SessionOutputs(pooled: true), pooling: pooling,
      threads: threads, memoryLimit: memoryLimit)
    cache = FeatureCache(
      path: cachePath, modelID: model.modelID, inputPolicy: pipeline.policy.rawValue,
      width: pooling.reduce(0) { $0 + widths[$1.stage] })
  }

  /// The features of all cases, `[cases, features]`.
  ///
  /// - Parameter progress: told of every case that is done, and whether it came from the cache.
  /// - Throws: what a case throws, with its name; nothing is learned from fewer cases than were named.
  package mutating func make(
    _ cases: [CaseList.Entry], progress: (_ done: Int, _ isCached: Bool) throws -> Void
  ) throws -> Matrix {
    var values: [Double] = []
    for (index, entry) in cases.enumerated() {
      let row: [Float]
      let isCached: Bool
      do {
        guard case .scan(let files) = entry.source else {
          if case .unusable(let error) = entry.source { throw error }
          throw TrainingError.missing(case: entry.name, problem: "is an array, not a scan")
        }
        let key = try CaseIdentity(of: files).files.map(\.sha256).joined(separator: "-")
        if let known = cache[key] {
          (row, isCached) = (known, true)
        } else {
          (row, isCached) = (try pipeline.run(pipeline.read(files: files)).pooled, false)
          try cache.add(row, for: key)
        }
      } catch let error as any Failure {
        try? cache.save()
        throw CaseFailure(name: entry.name, error: error)
      }
      values += row.map { Double($0) }
      try progress(index + 1, isCached)
    }
    try cache.save()
    return Matrix(
      rows: cases.count, columns: values.count / max(cases.count, 1), values: values)
  }
}

/// A case that cannot be used, with its name.
package struct CaseFailure: Failure {
  package let name: String
  package let error: any Failure

  package init(name: String, error: any Failure) {
    self.name = name
    self.error = error
  }

  package var kind: FailureKind { error.kind }
  package var report: FailureReport { error.report.about("case \(DisplayText.quoted(name))") }
  package var description: String { message() }
}
