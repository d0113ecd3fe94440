internal import FileIO

/// How much memory this process can still have without being killed for it.
package enum MemoryBudget {
  /// The least of what the kernel calls available and what the limits of its control groups leave;
  /// `nil` where nothing of that can be read.
  package static var available: Int? {
    [systemAvailable, ControlGroups.current.memoryRoom].compactMap { $0 }.min()
  }

  private static var systemAvailable: Int? {
    let line = SystemFile.text("/proc/meminfo")?.split(separator: "\n")
      .first { $0.hasPrefix("MemAvailable:") }
    return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
  }
}
