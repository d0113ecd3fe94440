// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// How much memory a case may take.
package struct MemoryBudget: Sendable {
  /// The most bytes that the process may hold; `nil` where there is no limit and none can be found.
  package let limit: Int?

  /// - Parameter limit: by default what this machine has free now.
  package init(limit: Int? = nil) { self.limit = limit ?? Self.available }

  /// Whether the process may hold so many bytes.
  package func allows(_ byteCount: Int) -> Bool { byteCount <= limit ?? .max }

  /// Refuses a step that would have the process hold more than it may, or more than is available: an
  /// array that finds no memory ends the process.
  ///
  /// - Parameters:
  ///   - needed: bytes that the process would hold.
  ///   - new: those among them that it does not hold yet.
  package func check(
    _ step: PipelineError.Step, needed: Int, new: Int
  ) throws(PipelineError) {
    if let limit, needed > limit {
      throw PipelineError(.tooLarge(step, needed: needed, limit: limit))
    }
    guard Allocation.isPossible(new) else { throw PipelineError(.allocation(step, byteCount: new)) }
  }

  /// The least of what the kernel calls available and what the limits of its control groups leave to
  /// this process without being killed for it; `nil` where nothing of that can be read.
  package static var available: Int? {
    [systemAvailable, ControlGroups.current.freeMemory].compactMap { $0 }.min()
  }

  private static var systemAvailable: Int? {
    let line = SystemFile.text("/proc/meminfo")?.split(separator: "\n")
      .first { $0.hasPrefix("MemAvailable:") }
    return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
  }
}
