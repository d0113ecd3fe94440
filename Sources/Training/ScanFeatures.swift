// SPDX-License-Identifier: Apache-2.0
package import FileIO
internal import NPY
package import Pipeline
package import SWTFormat
internal import SWTRuntime

/// Pooled features of scans: preprocessed and run through the encoder once, or taken from the cache.
package struct ScanFeatures: Sendable {
  /// `[cases, features]`, in the order of the cases.
  package let values: Matrix
  /// What the columns are.
  package let pooling: [Classifier.Pooling]
  /// Cases whose scan an earlier case has too, and that.
  package let repeated: [(name: String, first: String)]

  /// - Parameters:
  ///   - pipeline: what it pools are the features.
  ///   - cachePath: a `.npy` that need not be there.
  ///   - inputs: files that must not be replaced.
  ///   - warn: told what a person should look at.
  ///   - progress: told of every case that is done, and whether it came from the cache.
  /// - Throws: what a case throws, with its name; nothing is learned from fewer cases than were named.
  package init(
    _ cases: [CaseList.Entry], _ pipeline: EncoderPipeline, cachePath: String,
    inputs: [MappedFile.Identity], warn: (String) -> Void,
    progress: (_ done: Int, _ isCached: Bool) throws -> Void
  ) throws {
    let preprocessing = pipeline.model.description.preprocessing
    let widths = pipeline.model.description.architecture.featuresPerStage
    pooling = pipeline.pooling ?? [Classifier.Pooling(stage: widths.count - 1, statistic: .mean)]
    var cache = FeatureCache(
      path: cachePath, modelID: pipeline.model.modelID, inputPolicy: pipeline.policy.rawValue,
      pooling: pooling, width: pooling.featureCount(widths), inputs: inputs)
    var firstCases: [String: String] = [:]
    var repeated: [(name: String, first: String)] = []
    var values: [Double] = []
    for (index, entry) in cases.enumerated() {
      let row: [Float]
      let isCached: Bool
      do {
        try entry.checkScan()
        var parts = try CaseIdentity(of: entry).files.map(\.sha256)
        if let name = entry.conventionName(for: preprocessing) { parts.append(name) }
        let key = parts.joined(separator: "-")
        if let first = firstCases[key] {
          repeated.append((entry.name, first))
        } else {
          firstCases[key] = entry.name
        }
        if let known = cache[key] {
          (row, isCached) = (known, true)
        } else {
          let scan = try pipeline.read(entry)
          scan.warnings.forEach(warn)
          (row, isCached) = (try pipeline.run(scan).pooled, false)
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
    self.repeated = repeated
    self.values = Matrix(
      rows: cases.count, columns: values.count / max(cases.count, 1), values: values)
  }
}

extension CaseList.Entry {
  /// Refuses what is no scan.
  package func checkScan() throws {
    switch source {
    case .scan, .dicom: return
    case .unusable(let error): throw error
    case .array: throw TrainingError.missing(case: name, problem: "is an array, not a scan")
    }
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

  /// Whether the case may well do under another input policy.
  package var isOfPolicy: Bool {
    switch (error as? PipelineError)?.reason {
    case .memory: true
    case .runtime(let error): if case .inputSize = error.reason { true } else { false }
    default: false
    }
  }

  package var confidentialPlace: String? { error.confidentialPlace }
  package var kind: FailureKind { error.kind }
  package var report: FailureReport {
    var report = error.report
    if case .memory(_, _, _, let fitting) = (error as? PipelineError)?.reason, !fitting.isEmpty {
      // What is trained keeps the model's policy.
      let policies = fitting.map(\.rawValue).joined(separator: " or ")
      report = FailureReport(
        report.problem, advice: "convert the model anew with \(.inputPolicy) \(policies)")
    }
    return report.about("case \(DisplayText.quoted(name))")
  }
  package var description: String { message() }
}
