// SPDX-License-Identifier: Apache-2.0
internal import CKernels

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// Matrix products, layer norm and attention of a transformer's width, with numbers of their own, against
/// their definitions in double precision.
struct TransformerSelfTest {
  let kernels: Kernels
  /// Attention in bf16; `nil` for f32.
  let bf16: nn_bf16_kernels?
  let team: ThreadTeam
  /// Of the tokens, and of one head.
  let width: Int
  let headWidth: Int

  /// Tokens that some tiles and blocks of keys do not divide.
  private static let grid = Extent3(z: 3, y: 5, x: 7)

  /// Random numbers in memory of their own.
  private final class Numbers {
    let start: UnsafeMutablePointer<Float>
    let count: Int

    init(_ count: Int, _ numbers: inout SmallNumbers) {
      start = .allocate(capacity: count)
      start.initialize(from: numbers.array(count), count: count)
      self.count = count
    }

    deinit { start.deallocate() }

    var values: [Double] { (0..<count).map { Double(start[$0]) } }
  }

  func run() -> [SelfTest.Check] { [product(), layerNorm(), attention()] }

  private func product() -> SelfTest.Check {
    let (rows, outputs, block) = (29, 50, 16)
    var numbers = SmallNumbers()
    let source = Numbers(rows * width, &numbers)
    let weights = Numbers((outputs + block - 1) / block * block * width, &numbers)
    let bias = Numbers(outputs, &numbers)
    let target = Numbers(rows * outputs, &numbers)
    let step = MatrixProduct.workspaceCount(inputs: width, kernels: kernels)
    let workspace = Numbers(team.count * step, &numbers)
    MatrixProduct(
      kernels: kernels, inputs: width, outputs: outputs, weights: weights.start,
      bias: bias.start, activation: .silu
    ).run(
      TokenRows(start: source.start, step: width), rows: rows,
      into: TokenRows(start: target.start, step: outputs), team: team
    ) { workspace.start + $0 * step }
    var error = LargestError()
    for index in 0..<rows * outputs {
      let (row, output) = (index / outputs, index % outputs)
      var sum = Double(bias.start[output])
      for input in 0..<width {
        let weight = weights.start[(output / block * width + input) * block + output % block]
        sum += Double(source.start[row * width + input]) * Double(weight)
      }
      error.compare(Double(target.start[index]), sum / (1 + exp(-sum)))
    }
    return SelfTest.Check(
      name: "matrix product, \(width) wide", error: error.relative, bound: 1e-5)
  }

  private func layerNorm() -> SelfTest.Check {
    let rows = 5
    var numbers = SmallNumbers()
    let tokens = Numbers(rows * width, &numbers)
    let (weight, bias) = (Numbers(width, &numbers), Numbers(width, &numbers))
    let before = tokens.values
    let place = TokenRows(start: tokens.start, step: width)
    LayerNorm(
      kernels: kernels, width: width, eps: 1e-5, weight: weight.start, bias: bias.start
    ).run(place, rows: rows, into: place, team: team)
    var error = LargestError()
    for row in 0..<rows {
      let values = before[row * width..<(row + 1) * width]
      let mean = values.reduce(0, +) / Double(width)
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
      for index in 0..<width {
        let normal = (before[row * width + index] - mean) / (variance + 1e-5).squareRoot()
        error.compare(
          Double(place[row][index]),
          normal * Double(weight.start[index]) + Double(bias.start[index]))
      }
    }
    return SelfTest.Check(name: "layer norm, \(width) wide", error: error.relative, bound: 1e-5)
  }

  private func attention() -> SelfTest.Check {
    let tokens = Self.grid.count
    var numbers = SmallNumbers()
    let sources = (0..<3).map { _ in Numbers(tokens * headWidth, &numbers) }
    let target = Numbers(tokens * headWidth, &numbers)
    var attention = Attention(
      kernels: kernels, heads: 1, headWidth: headWidth, tokens: tokens, bf16: bf16)
    let isRotary = headWidth % 6 == 0
    if isRotary { attention.rotary = RotaryTable(grid: Self.grid, headWidth: headWidth) }
    let packed = Numbers(attention.packedCount, &numbers)
    let workspace = Numbers(team.count * attention.workspaceCount, &numbers)
    let rows = (sources + [target]).map { TokenRows(start: $0.start, step: headWidth) }
    attention.run(
      queries: rows[0], keys: rows[1], values: rows[2], into: rows[3], packed: packed.start,
      team: team
    ) { workspace.start + $0 * attention.workspaceCount }
    let table = attention.rotary
    func turned(_ values: [Double]) -> [Double] {
      guard let table else { return values }
      var result = values
      for pair in 0..<tokens * headWidth / 2 {
        let (a, b) = (values[2 * pair], values[2 * pair + 1])
        let (cosine, sine) = (Double(table.cosines[pair]), Double(table.sines[pair]))
        result[2 * pair] = a * cosine - b * sine
        result[2 * pair + 1] = b * cosine + a * sine
      }
      return result
    }
    let (q, k) = (turned(sources[0].values), turned(sources[1].values))
    let v = sources[2].values
    var error = LargestError()
    for query in 0..<tokens {
      let weights = (0..<tokens).map { key in
        let score = (0..<headWidth).reduce(0.0) { sum, index in
          sum + q[query * headWidth + index] * k[key * headWidth + index]
        }
        return exp(score / Double(headWidth).squareRoot())
      }
      let total = weights.reduce(0, +)
      for index in 0..<headWidth {
        let sum = (0..<tokens).reduce(0.0) { $0 + weights[$1] * v[$1 * headWidth + index] }
        error.compare(Double(target.start[query * headWidth + index]), sum / total)
      }
    }
    return SelfTest.Check(
      name: "attention\(bf16 == nil ? "" : " bf16"), heads of \(headWidth)", error: error.relative,
      bound: bf16 == nil ? 1e-5 : 2e-2)
  }
}
