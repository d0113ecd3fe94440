internal import CAffinity

/// How many processors this process may use.
package enum ProcessorCount {
  /// The smaller of the processors it is bound to and what its cgroup's CPU quota allows; at least 1.
  package static let available: Int = max(1, min(Int(affinity_processor_count()), quota ?? .max))

  /// Quota divided by period, rounded up: cgroup v2's `cpu.max`, or v1's two files.
  private static var quota: Int? {
    let unified = text(of: "/sys/fs/cgroup/cpu.max")?.split(separator: " ").map(String.init) ?? []
    let pair =
      unified.count == 2
      ? unified
      : [
        text(of: "/sys/fs/cgroup/cpu/cpu.cfs_quota_us"),
        text(of: "/sys/fs/cgroup/cpu/cpu.cfs_period_us"),
      ].compactMap { $0 }
    guard pair.count == 2, let quota = Int(pair[0]), let period = Int(pair[1]), quota > 0,
      period > 0
    else { return nil }
    return (quota + period - 1) / period
  }

  /// The first line of a small file.
  private static func text(of path: String) -> String? {
    SystemFile.text(path)?.split(separator: "\n").first.map(String.init)
  }
}
