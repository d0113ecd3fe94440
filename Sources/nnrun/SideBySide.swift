// SPDX-License-Identifier: Apache-2.0
import FileIO
import Pipeline

/// Runs several cases at once, each on a pipeline of its own with its share of the threads: small cases do not
/// keep many processors busy one by one.
struct SideBySide {
  /// What became of a case.
  struct Finished {
    let result: Result<EncoderOutput, any Error>
    /// What a person should look at.
    let warnings: [String]
    let seconds: Double
  }

  /// One per case that runs at a time.
  let pipelines: [EncoderPipeline]
  let interruption: Interruption

  /// How many cases are given at a time, so that none waits long for the others.
  var batchSize: Int { 8 * pipelines.count }

  /// Runs cases of scans; in their order.
  func run(_ entries: [CaseList.Entry]) -> [Finished] {
    var finished = [Finished?](repeating: nil, count: entries.count)
    finished.withUnsafeMutableBufferPointer { finished in
      // Every worker has a pipeline of its own, and writes to places of its own.
      nonisolated(unsafe) let (finished, runner) = (finished, self)
      ParallelLoop.run(pipelines.count) { worker in
        for place in stride(from: worker, to: entries.count, by: runner.pipelines.count) {
          finished[place] = runner.run(
            entries[place], runner.pipelines[worker])
        }
      }
    }
    return finished.compactMap { $0 }
  }

  private func run(_ entry: CaseList.Entry, _ pipeline: EncoderPipeline) -> Finished {
    let start = ContinuousClock.now
    var warnings: [String] = []
    let result = Result {
      if case .unusable(let error) = entry.source { throw error }
      guard !interruption.hasCome else { throw PipelineError(.cancelled) }
      let scan = try pipeline.read(entry)
      warnings = scan.warnings
      return try pipeline.run(scan) { done, count throws(PipelineError) in
        if interruption.hasCome, done < count { throw PipelineError(.cancelled) }
      }
    }
    return Finished(
      result: result, warnings: warnings, seconds: (ContinuousClock.now - start) / .seconds(1))
  }
}
