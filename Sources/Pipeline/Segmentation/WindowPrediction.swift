// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import Preprocessing
internal import SWTRuntime

/// The mean of a window's predictions over its mirrorings.
final class WindowPrediction<Network: WindowNetwork> {
  private let plan: SlidingWindow
  private let network: Network
  private let rows: WindowRows
  private let kernels: nn_half_kernels
  // Invariant: allocated in `init`, freed in `deinit`; `sum` is empty without mirroring.
  private let input: UnsafeMutableBufferPointer<Float>
  private let sum: UnsafeMutableBufferPointer<Float>
  private var runCount = 0
  /// Of every fold its logits for a window of zeros, once there was one.
  private var zeroLogits: [Int: [Float]] = [:]

  /// Logits of a window of zeros are kept up to this size.
  private static var largestZeroCount: Int { 1 << 24 }

  private static func logitCount(_ plan: SlidingWindow) -> Int {
    plan.heads * plan.tile.reduce(1, *)
  }

  /// Bytes that it takes.
  static func byteCount(_ plan: SlidingWindow) -> Int {
    let count = logitCount(plan)
    let sum = plan.mirrorings.count > 1 ? count : 0
    let zeros = count <= largestZeroCount && plan.framing.windowCount > 1 ? count * plan.folds : 0
    return (plan.framing.inputShape.reduce(1, *) + sum + zeros) * MemoryLayout<Float>.stride
  }

  init(_ plan: SlidingWindow, network: Network) throws(PipelineError) {
    self.plan = plan
    self.network = network
    rows = WindowRows(heads: plan.heads, tile: plan.tile, threads: plan.threads)
    do throws(RuntimeError) { kernels = try HalfKernels().pointee } catch {
      throw PipelineError(.runtime(error))
    }
    input = .allocate(capacity: plan.framing.inputShape.reduce(1, *))
    input.initialize(repeating: 0)
    sum = .allocate(capacity: plan.mirrorings.count > 1 ? Self.logitCount(plan) : 0)
    sum.initialize(repeating: 0)
  }

  deinit {
    input.deallocate()
    sum.deallocate()
  }

  /// Runs the network on a window and shows the sum of its logits, some planes after the other, with the
  /// factor that makes it a mean.
  func run(
    _ window: Int, of image: [Float], fold: Int,
    progress: (Int) throws(PipelineError) -> Void,
    _ body: (any WindowLogits, Float) -> Void
  ) throws(PipelineError) {
    // A power of two: multiplying by its inverse is dividing.
    let factor = 1 / Float(plan.mirrorings.count)
    plan.framing.copyWindow(window, of: image, into: input)
    let isZero =
      Self.logitCount(plan) <= Self.largestZeroCount && plan.framing.windowCount > 1
      && !input.contains { $0 != 0 }
    if isZero, let logits = zeroLogits[fold] {
      runCount += plan.mirrorings.count
      try progress(runCount)
      return logits.withUnsafeBufferPointer { logits in
        if let start = logits.baseAddress { body(planar(start), factor) }
      }
    }
    var kept = [Float](
      repeating: 0, count: isZero && sum.isEmpty ? Self.logitCount(plan) : 0)
    for axes in plan.mirrorings {
      if !axes.isEmpty { plan.framing.copyWindow(window, of: image, into: input, flipped: axes) }
      try network.run(UnsafeBufferPointer(input), fold: fold) { logits in
        guard sum.isEmpty else { return add(logits, flipped: axes, to: sum) }
        body(logits, factor)
        kept.withUnsafeMutableBufferPointer { add(logits, flipped: [], to: $0) }
      }
      runCount += 1
      try progress(runCount)
    }
    if let start = sum.baseAddress, !sum.isEmpty { body(planar(UnsafePointer(start)), factor) }
    if isZero { zeroLogits[fold] = sum.isEmpty ? kept : Array(sum) }
  }

  private func planar(_ start: UnsafePointer<Float>) -> PlanarLogits {
    PlanarLogits(values: start, heads: plan.heads, tile: plan.tile)
  }

  /// Turns logits back and adds them to a sum, `[heads, z, y, x]`; those that were not flipped replace what
  /// is there.
  private func add(
    _ logits: some WindowLogits, flipped axes: [Int], to sum: UnsafeMutableBufferPointer<Float>
  ) {
    guard let start = sum.baseAddress, !sum.isEmpty else { return }
    let (tile, kernels) = (plan.tile, kernels)
    let lead = 3 - plan.framing.windowShape.count
    let flips = (0..<3).map { axes.contains($0 - lead) }
    nonisolated(unsafe) let target = start
    rows.forEach(of: logits) { row, head, plane, y in
      let z = flips[0] ? tile[0] - 1 - plane : plane
      let line = flips[1] ? tile[1] - 1 - y : y
      let place = target + ((head * tile[0] + z) * tile[1] + line) * tile[2]
      if axes.isEmpty {
        place.update(from: row, count: tile[2])
      } else {
        kernels.add_row(place, row, flips[2] ? 1 : 0, tile[2])
      }
    }
  }
}
