// SPDX-License-Identifier: Apache-2.0
internal import Pipeline
package import SWTFormat

extension FineTuningEstimate {
  /// - Parameter limit: bytes that the process may hold.
  package func json(within limit: Int?) -> JSONValue {
    [
      "cases": .integer(caseCount), "windows": .integer(windowCount),
      "cache_bytes": .integer(cacheByteCount), "training_bytes": .integer(trainingByteCount),
      "frozen_bytes": .integer(frozenByteCount),
      "peak_bytes": .integer(peakByteCount(within: limit)),
      "least_bytes": .integer(leastByteCount(isCacheInMemory: false)),
      "frozen_seconds": JSONValue(finite: times?.frozen ?? .nan),
      "training_seconds_at_most": JSONValue(finite: times?.training ?? .nan),
      "step_seconds": JSONValue(finite: times?.step ?? .nan),
    ]
  }

  /// - Parameter limit: bytes that the process may hold.
  package func lines(within limit: Int?) -> [String] {
    func minutes(_ seconds: Double) -> String {
      seconds < 90 ? "\(Int(seconds.rounded(.up))) s" : "\(Int((seconds / 60).rounded(.up))) min"
    }
    let kept =
      sizeCount > 1 ? ", what inputs of \(sizeCount) sizes take kept as far as it fits" : ""
    let memory = [
      "cache: \(ByteCount.text(cacheByteCount))",
      "memory: \(ByteCount.text(peakByteCount(within: limit)))" + kept,
      "memory at least: \(ByteCount.text(leastByteCount(isCacheInMemory: true))) with the cache in "
        + "it, \(ByteCount.text(leastByteCount(isCacheInMemory: false))) with the cache in a file",
    ]
    let time = times.map {
      "time: about \(minutes($0.frozen)) for the frozen part, at most about "
        + "\(minutes($0.training)) for training"
    }
    return ["\(caseCount) cases, \(windowCount) window\(windowCount == 1 ? "" : "s")"] + memory
      + [time].compactMap { $0 }
  }
}
