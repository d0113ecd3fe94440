// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CaseCommands
import CommandLineInterface
import FileIO
import Pipeline
import SWTFormat
import SWTRuntime

/// How many cases are run at once.
struct JobsArgument: ParsableArguments {
  @Option(
    help:
      "Run so many scans at once, each on its share of the threads and of the memory: for many small scans."
  )
  var jobs = 1

  func validate() throws {
    guard (1...256).contains(jobs) else { throw ValidationError("--jobs must be 1…256") }
  }

  /// The pipelines of one after the other, or of all jobs.
  ///
  /// - Parameter pooling: what pooled features are; `nil` for what `outputs` say.
  func pipelines(
    _ cases: CaseArguments, _ model: Model, outputs: SessionOutputs,
    pooling: [Classifier.Pooling]? = nil, threads: Int?, precision: Precision,
    makesMaps: Bool = false, _ reporter: Reporter
  ) throws -> [EncoderPipeline] {
    var cases = cases
    var each = threads
    if jobs > 1 {
      each = max(1, (threads ?? ProcessorCount.available) / jobs)
      cases.memory.maxMemory = (cases.memory.maxMemory ?? MemoryBudget.available).map { $0 / jobs }
    }
    let muted = Reporter(name: NNRun.tool.name, isQuiet: true)
    return try (0..<jobs).map { index in
      try cases.pipeline(
        model, outputs: outputs, pooling: pooling, threads: each, precision: precision,
        makesMaps: makesMaps, index == 0 ? reporter : muted)
    }
  }
}
