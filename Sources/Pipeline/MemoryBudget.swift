internal import FileIO

/// How much memory this process can still have without being killed for it.
package enum MemoryBudget {
  /// The least of what the kernel calls available and what the limits of its control groups leave;
  /// `nil` where nothing of that can be read.
  package static var available: Int? {
    ([systemAvailable] + groupRooms).compactMap { $0 }.min()
  }

  private static var systemAvailable: Int? {
    let line = SystemFile.text("/proc/meminfo")?.split(separator: "\n")
      .first { $0.hasPrefix("MemAvailable:") }
    return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
  }

  /// What every control group above this process leaves, version 2 or 1.
  private static var groupRooms: [Int?] {
    var folders = ["/sys/fs/cgroup"]
    let lines = SystemFile.text("/proc/self/cgroup")?.split(separator: "\n") ?? []
    for line in lines {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3, parts[1].isEmpty || parts[1] == "memory" else { continue }
      var folder = parts[1].isEmpty ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory"
      folders.append(folder)
      for name in parts[2].split(separator: "/") {
        folder += "/\(name)"
        folders.append(folder)
      }
    }
    return folders.map { folder in
      room("\(folder)/memory.max", "\(folder)/memory.current", cache: "\(folder)/memory.stat")
        ?? room(
          "\(folder)/memory.limit_in_bytes", "\(folder)/memory.usage_in_bytes",
          cache: "\(folder)/memory.stat")
    }
  }

  /// Limit less use; cached files count as free, since they go when memory is needed.
  private static func room(_ limit: String, _ usage: String, cache: String) -> Int? {
    guard let limit = number(limit), let usage = number(usage), limit < 1 << 60 else { return nil }
    let lines = SystemFile.text(cache)?.split(separator: "\n") ?? []
    let cached = lines.first { $0.hasPrefix("inactive_file ") }
      .flatMap { $0.split(separator: " ").last }.flatMap { Int($0) }
    return max(0, limit - max(0, usage - (cached ?? 0)))
  }

  private static func number(_ path: String) -> Int? {
    SystemFile.text(path).flatMap { $0.split(separator: "\n").first }.flatMap { Int($0) }
  }
}
