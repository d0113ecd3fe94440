// SPDX-License-Identifier: Apache-2.0
internal import Preprocessing
internal import SWTFormat
internal import SWTRuntime

/// A short measurement of this machine, from which the time for a case is foretold.
package struct Calibration {
  private let model: Model
  private let outputs: SessionOutputs
  private let reader: CaseReader
  private let precision: Precision
  /// Of the network's runs so far: cases of a cohort often have the same size.
  private var ratesOfRuns: [Run: Double] = [:]

  private struct Run: Hashable {
    let inputShape: [Int]
    let isRepeated: Bool
  }

  /// Prepares to measure what `pipeline` does.
  package init(_ pipeline: EncoderPipeline) {
    model = pipeline.model
    outputs = SessionOutputs()
    reader = pipeline.reader
    precision = pipeline.precision
  }

  /// Prepares to measure what `pipeline` does.
  package init(_ pipeline: SegmentationPipeline) {
    model = pipeline.model
    outputs = SessionOutputs(pooled: false, segmentation: true)
    reader = pipeline.reader
    precision = .f32
  }

  /// Seconds that the network will take: the rate of a small run, times the work.
  package mutating func networkSeconds(_ estimate: CaseEstimate) throws(PipelineError) -> Double {
    try secondsPerFlop(
      window: estimate.framing.inputShape, isRepeated: estimate.framing.windowCount > 1)
      * estimate.flops
  }

  /// Seconds that the network takes for one look at one window, by one fold.
  package mutating func secondsPerRun(
    _ estimate: SegmentationEstimate
  ) throws(PipelineError) -> Double {
    try secondsPerFlop(window: estimate.windowShape, isRepeated: estimate.runCount > 1)
      * estimate.windowFlops
  }

  private mutating func secondsPerFlop(
    window: [Int], isRepeated: Bool
  ) throws(PipelineError) -> Double {
    let architecture = model.description.architecture
    let stride = architecture.totalStride
    let side = window.count == 3 ? 256 : 96
    let sizes = zip(window.dropFirst(), stride).map { size, stride in
      // A transformer takes one size only.
      architecture.transformer == nil ? min(size, max(stride * 2, side / stride * stride)) : size
    }
    let measured = Run(inputShape: [window[0]] + sizes, isRepeated: isRepeated)
    if let known = ratesOfRuns[measured] { return known }
    do throws(RuntimeError) {
      let session = try model.makeSession(
        inputShape: measured.inputShape, outputs: outputs, threads: reader.threads,
        precision: precision)
      let input = [Float](repeating: 0.5, count: session.inputShape.reduce(1, *))
      let run = { () throws(RuntimeError) in try session.run(input) }
      var seconds = try Self.seconds(run)
      // The first window of a case touches its memory for the first time, the others do not.
      if isRepeated { seconds = try Self.seconds(run) }
      let rate = seconds / session.steps.reduce(0) { $0 + $1.flops }
      ratesOfRuns[measured] = rate
      return rate
    } catch { throw PipelineError(.runtime(error)) }
  }

  /// Seconds that preprocessing will take: that of a piece from the middle of the case, scaled up.
  package func preprocessingSeconds(
    _ scan: borrowing Case
  ) throws(PipelineError) -> Double {
    let channels = scan.channels
    guard let first = channels.first else { return 0 }
    let ranges = first.shape.map { size in
      let side = min(size, 96)
      return (size - side) / 2..<(size + side) / 2
    }
    var pieces: [Volume] = []
    do throws(PreprocessingError) {
      for channel in channels { pieces.append(try channel.piece(ranges)) }
    } catch { throw PipelineError(.preprocessing(error)) }
    let piece = try reader.makeCase(of: pieces)
    let isCascade = !model.description.preprocessing.cascadeLabels.isEmpty
    let work = Self.work(piece.geometry)
    let shape = ranges.map(\.count)
    let seconds = try Self.seconds { () throws(PipelineError) in
      var previous: Volume?
      do throws(PreprocessingError) {
        if isCascade {
          previous = try Volume(
            shape: shape, spacing: first.spacing,
            values: [Float](repeating: 0, count: shape.reduce(1, *)))
        }
      } catch { throw PipelineError(.preprocessing(error)) }
      _ = try reader.prepare(reader.makeCase(of: pieces), previous: previous)
    }
    return seconds * Self.work(scan.geometry) / work
  }

  /// Voxels that preprocessing touches.
  private static func work(_ geometry: PreparedGeometry) -> Double {
    let original = geometry.originalShape.reduce(1, *)
    let resampled = geometry.shape.dropFirst().reduce(1, *)
    return Double(original + resampled)
  }

  private static func seconds<Failure: Error>(
    _ body: () throws(Failure) -> Void
  ) throws(Failure) -> Double {
    let start = ContinuousClock.now
    try body()
    return (ContinuousClock.now - start) / .seconds(1)
  }
}
