// SPDX-License-Identifier: Apache-2.0
/// The control groups above this process and what they allow it: the least of all of them counts.
package struct ControlGroups: Sendable {
  private let root: String
  private let membership: String

  /// The groups of this process.
  package static var current: ControlGroups {
    ControlGroups(membership: SystemFile.text("/proc/self/cgroup") ?? "")
  }

  /// - Parameters:
  ///   - root: where the kernel's trees of groups are mounted.
  ///   - membership: lines `number:controllers:path`; version 2 has no controllers in it.
  package init(root: String = "/sys/fs/cgroup", membership: String) {
    self.root = root
    self.membership = membership
  }

  /// How many processors the CPU quotas allow, rounded up; `nil` without a quota.
  package var processorCount: Int? {
    folders(of: "cpu").compactMap { folder in
      let unified = line("\(folder)/cpu.max")?.split(separator: " ").map(String.init)
      let pair =
        unified
        ?? ["\(folder)/cpu.cfs_quota_us", "\(folder)/cpu.cfs_period_us"].compactMap { line($0) }
      guard pair.count == 2, let quota = Int(pair[0]), let period = Int(pair[1]), quota > 0,
        period > 0
      else { return nil }
      return quota / period + (quota % period > 0 ? 1 : 0)
    }.min()
  }

  /// How many bytes the memory limits leave; `nil` without a limit.
  package var freeMemory: Int? {
    folders(of: "memory").compactMap { folder in
      free(folder, limit: "memory.max", usage: "memory.current")
        ?? free(folder, limit: "memory.limit_in_bytes", usage: "memory.usage_in_bytes")
    }.min()
  }

  /// Limit less use; cached files count as free, since they go when memory is needed.
  private func free(_ folder: String, limit: String, usage: String) -> Int? {
    guard let limit = line("\(folder)/\(limit)").flatMap({ Int($0) }), limit < 1 << 60,
      let usage = line("\(folder)/\(usage)").flatMap({ Int($0) })
    else { return nil }
    let cached = SystemFile.text("\(folder)/memory.stat")?.split(separator: "\n")
      .first { $0.hasPrefix("inactive_file ") }?.split(separator: " ").last
    return max(0, limit - max(0, usage - (cached.flatMap { Int($0) } ?? 0)))
  }

  /// Folders of this process's groups, outermost first. In a container the outermost is its own group
  /// and the others may not be there.
  private func folders(of controller: String) -> [String] {
    var folders = [root, "\(root)/\(controller)"]
    for line in membership.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3,
        parts[1].isEmpty || parts[1].split(separator: ",").contains(Substring(controller))
      else { continue }
      var folder = parts[1].isEmpty ? root : "\(root)/\(controller)"
      for name in parts[2].split(separator: "/") {
        folder += "/\(name)"
        folders.append(folder)
      }
    }
    return folders
  }

  private func line(_ path: String) -> String? {
    SystemFile.text(path)?.split(separator: "\n").first.map(String.init)
  }
}
