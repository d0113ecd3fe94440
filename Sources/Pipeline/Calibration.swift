internal import Preprocessing
internal import SWTFormat
internal import SWTRuntime

/// A short measurement of this machine, from which the time for a case is foretold.
package struct Calibration {
  private let pipeline: EncoderPipeline

  /// Prepares to measure what `pipeline` does.
  package init(_ pipeline: EncoderPipeline) { self.pipeline = pipeline }

  /// Seconds that the network will take: the rate of a small run, times the work.
  package func networkSeconds(_ estimate: CaseEstimate) throws(PipelineError) -> Double {
    let stride = pipeline.model.description.architecture.totalStride
    let side = estimate.framing.windowShape.count == 2 ? 256 : 96
    let sizes = zip(estimate.framing.windowShape, stride).map { size, stride in
      min(size, max(stride * 2, side / stride * stride))
    }
    do throws(RuntimeError) {
      let session = try pipeline.model.makeSession(
        inputShape: [estimate.framing.inputShape[0]] + sizes, threads: pipeline.threads,
        precision: pipeline.precision)
      let input = [Float](repeating: 0.5, count: session.inputShape.reduce(1, *))
      let run = { () throws(RuntimeError) in try session.run(input) }
      var seconds = try Self.seconds(run)
      // The first window of a case touches its memory for the first time, the others do not.
      if estimate.framing.windowCount > 1 { seconds = try Self.seconds(run) }
      return seconds * estimate.flops / session.steps.reduce(0) { $0 + $1.flops }
    } catch { throw .runtime(error) }
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
    } catch { throw .preprocessing(error) }
    let piece = try pipeline.makeCase(of: pieces)
    let work = Self.work(piece.geometry)
    let seconds = try Self.seconds { () throws(PipelineError) in
      _ = try pipeline.prepare(pipeline.makeCase(of: pieces))
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
