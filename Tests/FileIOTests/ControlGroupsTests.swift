// SPDX-License-Identifier: Apache-2.0
import FileIO
import Foundation
import Testing

/// Limits of nested control groups: the kernel enforces each of them, so the least counts.
@Suite final class ControlGroupsTests {
  private let root = NSTemporaryDirectory() + UUID().uuidString

  deinit { try? FileManager.default.removeItem(atPath: root) }

  /// Groups with these files, by path below the root.
  private func groups(_ membership: String, _ files: [String: String]) throws -> ControlGroups {
    for (path, text) in files {
      let url = URL(fileURLWithPath: "\(root)/\(path)")
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data((text + "\n").utf8).write(to: url)
    }
    return ControlGroups(root: root, membership: membership)
  }

  @Test(
    arguments: [
      (["a/cpu.max": "150000 100000"], 2), (["a/cpu.max": "50000 100000"], 1),
      (["a/cpu.max": "300000 100000", "a/b/cpu.max": "max 100000"], 3),
      (["a/cpu.max": "100000 100000", "a/b/cpu.max": "400000 100000"], 1),
      (["cpu.max": "200000 100000"], 2), (["a/c/cpu.max": "100000 100000"], nil),
      (["a/cpu.max": "max 100000"], nil), (["a/cpu.max": "9 0"], nil), (["a/cpu.max": "x"], nil),
    ] as [([String: String], Int?)])
  func theLeastQuotaOfVersion2Counts(files: [String: String], expected: Int?) throws {
    let groups = try groups("0::/a/b\n", files)
    #expect(groups.processorCount == expected)
  }

  @Test func theLeastQuotaOfVersion1Counts() throws {
    let groups = try groups(
      "4:memory:/m\n3:cpu,cpuacct:/a/b\n",
      [
        "cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000",
        "cpu/a/cpu.cfs_quota_us": "120000", "cpu/a/cpu.cfs_period_us": "50000",
        "cpu/a/b/cpu.cfs_quota_us": "500000", "cpu/a/b/cpu.cfs_period_us": "100000",
      ])
    #expect(groups.processorCount == 3)
  }

  @Test func theLeastMemoryOfVersion2Counts() throws {
    let groups = try groups(
      "0::/a/b\n",
      [
        "a/memory.max": "1000", "a/memory.current": "700",
        "a/memory.stat": "anon 500\ninactive_file 100",
        "a/b/memory.max": "2000", "a/b/memory.current": "100",
      ])
    #expect(groups.freeMemory == 400)
  }

  @Test func theLeastMemoryOfVersion1Counts() throws {
    let groups = try groups(
      "4:memory:/m\n",
      [
        "memory/memory.limit_in_bytes": "9223372036854771712", "memory/memory.usage_in_bytes": "5",
        "memory/m/memory.limit_in_bytes": "300", "memory/m/memory.usage_in_bytes": "400",
      ])
    #expect(groups.freeMemory == 0)
  }
}
