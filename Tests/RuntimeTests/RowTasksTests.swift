// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import SWTRuntime

@Suite struct RowTasksTests {
  @Test(arguments: [
    (1, 6, 1), (5, 6, 3), (1728, 6, 18), (4096, 6, 43), (4096, 14, 30), (137, 6, 2),
  ])
  func tasksAreWholeTilesOfAlmostEqualNumber(rows: Int, tile: Int, wanted: Int) {
    let tasks = RowTasks(rows: rows, tile: tile, count: wanted)
    #expect((1...wanted).contains(tasks.count))
    let parts = (0..<tasks.count).map { tasks[$0] }
    #expect(parts.flatMap(Array.init) == Array(0..<rows))
    #expect(parts.dropLast().allSatisfy { $0.count % tile == 0 })
    let tiles = parts.map { ($0.count + tile - 1) / tile }
    #expect((tiles.max() ?? 0) - (tiles.min() ?? 0) <= 1)
    #expect((tiles.min() ?? 0) >= 1)
  }
}
