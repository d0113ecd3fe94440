internal import CKernels
internal import Preprocessing
internal import SWTRuntime

/// The mean of a window's predictions over its mirrorings.
final class WindowPrediction<Network: WindowNetwork> {
  private let plan: SlidingWindow
  private let network: Network
  private let kernels: nn_half_kernels
  // Invariant: allocated in `init`, freed in `deinit`; `mean` is empty without mirroring.
  private let input: UnsafeMutableBufferPointer<Float>
  private let mean: UnsafeMutableBufferPointer<Float>
  private var runCount = 0
  /// Of every fold its logits for a window of zeros, once there was one.
  private var zeroLogits: [Int: [Float]] = [:]

  /// Logits are kept up to this size.
  private static var largestZeroCount: Int { 1 << 26 }

  init(_ plan: SlidingWindow, network: Network) throws(PipelineError) {
    self.plan = plan
    self.network = network
    do throws(RuntimeError) { kernels = try HalfKernels().pointee } catch { throw .runtime(error) }
    input = .allocate(capacity: plan.framing.inputShape.reduce(1, *))
    input.initialize(repeating: 0)
    mean = .allocate(
      capacity: plan.mirrorings.count > 1 ? plan.heads * plan.tile.reduce(1, *) : 0)
    mean.initialize(repeating: 0)
  }

  deinit {
    input.deallocate()
    mean.deallocate()
  }

  /// Runs the network on a window and shows the sum of its logits, with the factor that makes it a mean.
  func run(
    _ window: Int, of image: [Float], fold: Int,
    progress: (Int) throws(PipelineError) -> Void,
    _ body: (UnsafePointer<Float>, Float) -> Void
  ) throws(PipelineError) {
    let isSingle = plan.mirrorings.count == 1
    // A power of two: multiplying by its inverse is dividing.
    let factor = 1 / Float(plan.mirrorings.count)
    plan.framing.copyWindow(window, of: image, into: input)
    let isZero = !input.contains { $0 != 0 }
    if isZero, let logits = zeroLogits[fold] {
      runCount += plan.mirrorings.count
      try progress(runCount)
      return logits.withUnsafeBufferPointer { logits in
        if let start = logits.baseAddress { body(start, factor) }
      }
    }
    for axes in plan.mirrorings {
      if !axes.isEmpty { plan.framing.copyWindow(window, of: image, into: input, flipped: axes) }
      try network.run(UnsafeBufferPointer(input), fold: fold) { logits in
        if isSingle { show(logits) } else { add(logits, flipped: axes) }
      }
      runCount += 1
      try progress(runCount)
    }
    if !isSingle, let sum = mean.baseAddress { show(UnsafePointer(sum)) }

    func show(_ logits: UnsafePointer<Float>) {
      let count = plan.heads * plan.tile.reduce(1, *)
      if isZero, count <= Self.largestZeroCount {
        zeroLogits[fold] = Array(UnsafeBufferPointer(start: logits, count: count))
      }
      body(logits, factor)
    }
  }

  /// Turns logits back and adds them; the first ones replace what is there.
  private func add(_ logits: UnsafePointer<Float>, flipped axes: [Int]) {
    guard let sum = mean.baseAddress else { return }
    guard !axes.isEmpty else { return sum.update(from: logits, count: mean.count) }
    let (tile, kernels) = (plan.tile, kernels)
    let lead = 3 - plan.framing.windowShape.count
    let flips = (0..<3).map { axes.contains($0 - lead) }
    nonisolated(unsafe) let (target, logits) = (sum, logits)
    ParallelRanges(count: plan.heads * tile[0], threads: plan.threads).run { planes in
      for plane in planes {
        let z = plane % tile[0]
        let source = plane - z + (flips[0] ? tile[0] - 1 - z : z)
        for y in 0..<tile[1] {
          let line = flips[1] ? tile[1] - 1 - y : y
          kernels.add_row(
            target + (plane * tile[1] + y) * tile[2],
            logits + (source * tile[1] + line) * tile[2], flips[2] ? 1 : 0, tile[2])
        }
      }
    }
  }
}
