// SPDX-License-Identifier: Apache-2.0

/// Rows cut into tasks of whole register tiles, as equal as these allow: rows that only fill a tile up cost as
/// much as others.
struct RowTasks: Sendable {
  /// How many tasks there are.
  let count: Int
  private let rows: Int
  private let tile: Int
  private let tiles: Int

  /// - Parameters:
  ///   - rows: at least 1.
  ///   - tile: rows of a tile.
  ///   - count: how many tasks are wanted; there are never more than tiles.
  init(rows: Int, tile: Int, count: Int) {
    self.rows = rows
    self.tile = tile
    tiles = (rows + tile - 1) / tile
    self.count = min(count, tiles)
  }

  /// The rows of a task.
  subscript(task: Int) -> Range<Int> {
    task * tiles / count * tile..<min(rows, (task + 1) * tiles / count * tile)
  }
}
