// SPDX-License-Identifier: Apache-2.0
internal import Network
internal import SWTFormat

/// Tokens of a program, `[token][width]`: registers first, then those of a grid.
struct TokenSequence: Sendable {
  let buffer: Buffer
  let count: Int
  let width: Int
  let registers: Int

  /// - Parameter value: tokens in the graph.
  init(_ graph: Graph, _ value: Graph.Value, buffer: Buffer) {
    guard case .tokens(let width, let grid, let registers) = graph[value] else {
      preconditionFailure("only tokens are in a sequence")
    }
    self.buffer = buffer
    self.width = width
    self.registers = registers
    count = registers + grid.reduce(1, *)
  }

  /// Floats of a value that is a sequence of tokens.
  static func floatCount(_ graph: Graph, _ value: Graph.Value) -> Int {
    guard case .tokens(let width, let grid, let registers) = graph[value] else { return 0 }
    return width * (registers + grid.reduce(1, *))
  }

  func rows(in memory: Memory) -> TokenRows { TokenRows(start: memory[buffer], step: width) }
}

/// Which voxel of a grid a token is.
struct TokenOrder: Sendable {
  private let order: Transformer.TokenOrder
  let grid: Extent3

  init(_ order: Transformer.TokenOrder, grid: Extent3) {
    self.order = order
    self.grid = grid
  }

  /// Where an image token lies.
  func position(of token: Int) -> Extent3 {
    switch order {
    case .whd:
      Extent3(z: token / (grid.y * grid.x), y: token / grid.x % grid.y, x: token % grid.x)
    case .hwd:
      Extent3(z: token / grid.x % grid.z, y: token / (grid.z * grid.x), x: token % grid.x)
    }
  }

  /// The image token of a voxel.
  func token(z: Int, y: Int, x: Int) -> Int {
    switch order {
    case .whd: (z * grid.y + y) * grid.x + x
    case .hwd: (y * grid.z + z) * grid.x + x
    }
  }
}
