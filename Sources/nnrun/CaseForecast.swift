// SPDX-License-Identifier: Apache-2.0
import CommandLineInterface
import FileIO
import Pipeline
import Preprocessing
import Report
import SWTFormat
import SWTRuntime

/// What `plan` tells of a case: sizes, work, time and memory, for people and as JSON.
struct CaseForecast {
  /// Labels and texts.
  let rows: [[String]]
  let json: [(String, JSONValue)]
  /// For all of it.
  let seconds: Double
  let peakByteCount: Int
  /// How the scan lies.
  let place: ScanGeometry?
  /// Why it does not fit.
  private(set) var refusal: PipelineError?

  /// Seconds for the parts of a case that come before the network.
  private struct Preparation {
    let reading: Double
    let preprocessing: Double

    func row(network: Double) -> [String] {
      let parts = [("reading", reading), ("preprocessing", preprocessing), ("network", network)]
        .map { "\($0.0) \(CaseForecast.text($0.1))" }
      let all = CaseForecast.text(total + network)
      return ["time", "about \(all): \(parts.joined(separator: ", "))"]
    }

    func json(network: Double) -> [(String, JSONValue)] {
      [
        ("reading_seconds", .number(reading)), ("preprocessing_seconds", .number(preprocessing)),
        ("network_seconds", .number(network)),
      ]
    }

    var total: Double { reading + preprocessing }
  }

  /// Of `classify` and `features`.
  init(
    of entry: CaseList.Entry, _ pipeline: EncoderPipeline, _ calibration: inout Calibration,
    _ reporter: Reporter
  ) throws {
    let start = ContinuousClock.now
    let scan = try pipeline.readTelling(entry, reporter)
    let reading = (ContinuousClock.now - start) / .seconds(1)
    place = scan.place
    let estimate = try pipeline.estimate(scan)
    let preparation = Preparation(
      reading: reading, preprocessing: try calibration.preprocessingSeconds(scan))
    let network = try calibration.networkSeconds(estimate)
    let count = estimate.framing.windowCount
    seconds = preparation.total + network
    peakByteCount = estimate.peakByteCount
    var rows = Self.scanRows(estimate.geometry)
    let windows = "\(count) window\(count == 1 ? "" : "s") of "
    rows.append([
      "network sees",
      windows + "\(Self.sizes(estimate.framing.windowShape)) (\(estimate.policy.rawValue))",
    ])
    rows.append(Self.work(estimate.flops))
    rows.append(preparation.row(network: network))
    rows.append(Self.memory(peakByteCount, limit: pipeline.memoryLimit))
    self.rows = rows
    var json = Self.json(
      estimate.geometry, windows: count, shape: estimate.framing.inputShape,
      flops: estimate.flops, peakByteCount: peakByteCount)
    json += preparation.json(network: network)
    self.json = json
    do throws(PipelineError) { try pipeline.check(estimate) } catch { refusal = error }
  }

  /// Of `segment`.
  ///
  /// - Parameter others: pipelines that would take less time, by what makes them so.
  init(
    of entry: CaseList.Entry, _ pipeline: SegmentationPipeline, _ calibration: inout Calibration,
    others: [(option: String, pipeline: SegmentationPipeline)], _ reporter: Reporter
  ) throws {
    let start = ContinuousClock.now
    let scan = try pipeline.reader.read(entry)
    scan.warnings.forEach(reporter.warn)
    let reading = (ContinuousClock.now - start) / .seconds(1)
    place = scan.place
    let estimate = try pipeline.estimate(scan)
    let preparation = Preparation(
      reading: reading, preprocessing: try calibration.preprocessingSeconds(scan))
    let perRun = try calibration.secondsPerRun(estimate)
    let network = perRun * Double(estimate.runCount)
    seconds = preparation.total + network
    peakByteCount = estimate.peakByteCount
    var rows = Self.scanRows(estimate.geometry)
    let windows =
      Self.counted(estimate.windowCount, "window") + " of "
      + Self.sizes(estimate.windowShape.dropFirst())
    let looks =
      Self.counted(estimate.mirroringCount, "mirroring") + " × "
      + Self.counted(estimate.foldCount, "fold")
    rows.append(["network sees", "\(windows) × \(looks) = \(estimate.runCount) runs"])
    rows.append(Self.work(estimate.flops))
    rows.append(preparation.row(network: network))
    rows.append(Self.memory(peakByteCount, limit: pipeline.memoryLimit))
    var savings: [JSONValue] = []
    for other in others {
      let changed = try other.pipeline.estimate(scan)
      guard changed.runCount < estimate.runCount else { continue }
      let saved = perRun * Double(estimate.runCount - changed.runCount)
      rows.append([
        other.option,
        "\(changed.runCount) runs: would save about \(Self.text(saved)), and change labels",
      ])
      savings.append([
        "option": .string(other.option), "runs": .integer(changed.runCount),
        "saved_seconds": .number(saved), "peak_bytes": .integer(changed.peakByteCount),
      ])
    }
    self.rows = rows
    var json = Self.json(
      estimate.geometry, windows: estimate.windowCount, shape: estimate.windowShape,
      flops: estimate.flops, peakByteCount: peakByteCount)
    json.append(("mirrorings", .integer(estimate.mirroringCount)))
    json.append(("folds", .integer(estimate.foldCount)))
    json.append(("runs", .integer(estimate.runCount)))
    json += preparation.json(network: network)
    json.append(("savings", .array(savings)))
    self.json = json
    do throws(PipelineError) { try pipeline.check(estimate) } catch { refusal = error }
  }

  // MARK: - Texts

  private static func counted(_ count: Int, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
  }

  private static func sizes(_ sizes: some Sequence<Int>) -> String {
    sizes.map(String.init).joined(separator: "×")
  }

  private static func text(_ seconds: Double) -> String {
    seconds < 100 ? Decimals.text(seconds, places: 2) + " s" : CaseProgress.duration(seconds)
  }

  private static func scanRows(_ geometry: PreparedGeometry) -> [[String]] {
    let spacing = geometry.originalSpacing.map { Decimals.text($0, places: 3) }
    return [
      [
        "scan",
        "\(sizes(geometry.originalShape)), spacing \(spacing.joined(separator: " × ")) mm",
      ], ["resampled", sizes(geometry.shape.dropFirst())],
    ]
  }

  private static func work(_ flops: Double) -> [String] {
    ["work", "\(Decimals.text(flops / 1e9, places: 1)) GFLOP"]
  }

  private static func memory(_ byteCount: Int, limit: Int?) -> [String] {
    let allowed = limit.map { " of \(ByteCount.text($0)) that may be used" } ?? ""
    return ["memory", ByteCount.text(byteCount) + allowed]
  }

  private static func json(
    _ geometry: PreparedGeometry, windows: Int, shape: [Int], flops: Double, peakByteCount: Int
  ) -> [(String, JSONValue)] {
    [
      ("original_shape", JSONValue(geometry.originalShape)),
      ("original_spacing", JSONValue(geometry.originalSpacing)),
      ("shape", JSONValue(geometry.shape)), ("spacing", JSONValue(geometry.spacing)),
      ("windows", .integer(windows)), ("window_shape", JSONValue(shape)),
      ("gflop", .number(flops / 1e9)), ("peak_bytes", .integer(peakByteCount)),
    ]
  }
}
