// SPDX-License-Identifier: Apache-2.0
import CKernels
import SWTFormat
import TestSupport
import Testing

@testable import SWTRuntime

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Linear layers, layer norm and attention over tokens against their definitions in double precision.
struct TransformerTests {
  /// Tokens with some floats between rows, in memory of their own.
  private final class Tokens {
    let rows: TokenRows
    let count: Int
    let width: Int

    init(_ count: Int, width: Int, seed: UInt64) {
      var numbers = TestNumbers(seed: seed)
      let step = width + 3
      let memory = UnsafeMutablePointer<Float>.allocate(capacity: count * step)
      for index in 0..<count * step { memory[index] = numbers.next() }
      rows = TokenRows(start: memory, step: step)
      (self.count, self.width) = (count, width)
    }

    deinit { rows.start.deallocate() }

    /// `[token][width]`.
    var values: [Double] {
      (0..<count * width).map { Double(rows[$0 / width][$0 % width]) }
    }
  }

  private static let isas = Kernels.available.map(\.name)

  private func kernels(_ isa: String) throws -> Kernels {
    try #require(Kernels.available.first { $0.name == isa })
  }

  @Test(arguments: isas, [1, 3])
  func aLinearLayerIsAProductAndWhatFollows(isa: String, threads: Int) throws {
    for (rows, inputs, outputs) in [
      (1, 1, 1), (5, 66, 33), (150, 24, 100), (7, 200, 16), (200, 400, 40),
    ] {
      let source = Tokens(rows, width: inputs, seed: 1)
      let residual = Tokens(rows, width: outputs, seed: 2)
      var numbers = TestNumbers(seed: 3)
      let blocks = (outputs + 15) / 16
      let weights = numbers.array(blocks * inputs * 16).enumerated().map { index, value in
        index / (inputs * 16) * 16 + index % 16 < outputs ? value : 0
      }
      let (bias, scale) = (numbers.array(outputs), numbers.array(outputs))
      let before = residual.values
      try weights.withUnsafeBufferPointer { weights in
        try bias.withUnsafeBufferPointer { bias in
          try scale.withUnsafeBufferPointer { scale in
            let product = MatrixProduct(
              kernels: try kernels(isa), inputs: inputs, outputs: outputs,
              weights: try #require(weights.baseAddress), bias: bias.baseAddress,
              scale: scale.baseAddress, activation: .silu)
            let step = MatrixProduct.workspaceCount(inputs: inputs, kernels: try kernels(isa))
            let workspace = UnsafeMutablePointer<Float>.allocate(capacity: threads * step)
            defer { workspace.deallocate() }
            // What was there before must not matter.
            workspace.initialize(repeating: .nan, count: threads * step)
            // In place, as a residual is.
            product.run(
              source.rows, rows: rows, into: residual.rows, addend: residual.rows,
              team: ThreadTeam(count: threads)
            ) { workspace + $0 * step }
          }
        }
      }
      let input = source.values
      let expected = (0..<rows * outputs).map { index in
        let (row, output) = (index / outputs, index % outputs)
        var sum = Double(bias[output])
        for i in 0..<inputs {
          sum +=
            input[row * inputs + i]
            * Double(weights[(output / 16 * inputs + i) * 16 + output % 16])
        }
        return sum / (1 + exp(-sum)) * Double(scale[output]) + before[index]
      }
      #expect(Difference(residual.values, expected).relative <= 2e-6)
    }
  }

  @Test(arguments: isas, [1, 3])
  func layerNormIsOverTheLastAxis(isa: String, threads: Int) throws {
    for width in [3, 16, 66, 396] {
      let tokens = Tokens(37, width: width, seed: 4)
      let before = tokens.values
      var numbers = TestNumbers(seed: 5)
      let (weight, bias) = (numbers.array(width), numbers.array(width))
      try weight.withUnsafeBufferPointer { weight in
        try bias.withUnsafeBufferPointer { bias in
          LayerNorm(
            kernels: try kernels(isa), width: width, eps: 1e-5,
            weight: try #require(weight.baseAddress), bias: try #require(bias.baseAddress)
          ).run(tokens.rows, rows: 37, into: tokens.rows, team: ThreadTeam(count: threads))
        }
      }
      let expected = before.indices.map { index in
        let row = before[index / width * width..<index / width * width + width]
        let mean = row.reduce(0, +) / Double(width)
        let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
        let normal = (before[index] - mean) / (variance + 1e-5).squareRoot()
        return normal * Double(weight[index % width]) + Double(bias[index % width])
      }
      #expect(Difference(tokens.values, expected).relative <= 2e-6)
    }
  }

  /// With registers and without, with fewer tokens than a block and with several blocks of queries.
  private static let attentions: [(Extent3, registers: Int, heads: Int, headWidth: Int, Bool)] = [
    (Extent3(z: 1, y: 2, x: 3), 0, 2, 6, true), (Extent3(z: 5, y: 4, x: 6), 3, 3, 12, true),
    (Extent3(z: 4, y: 6, x: 8), 0, 1, 66, false), (Extent3(z: 3, y: 5, x: 10), 1, 2, 72, true),
  ]

  @Test(arguments: isas, [1, 3])
  func attentionOfAllHeadsIsASoftmax(isa: String, threads: Int) throws {
    for difference in attentionDifferences(try kernels(isa), bf16: nil, threads: threads) {
      #expect(difference.relative <= 3e-6)
    }
  }

  @Test(.enabled(if: Kernels.available[0].bf16 != nil, "no bf16 here"), arguments: [1, 3])
  func attentionInBF16AgreesToItsDigits(threads: Int) {
    let kernels = Kernels.available[0]
    for difference in attentionDifferences(kernels, bf16: kernels.bf16, threads: threads) {
      #expect((1e-5...2e-2).contains(difference.relative), "really in bf16, and no worse")
    }
  }

  private func attentionDifferences(
    _ kernels: Kernels, bf16: nn_bf16_kernels?, threads: Int
  ) -> [Difference] {
    Self.attentions.map { grid, registers, heads, headWidth, rotates in
      let tokens = registers + grid.count
      let width = heads * headWidth
      let (q, k, v) = (
        Tokens(tokens, width: width, seed: 6), Tokens(tokens, width: width, seed: 7),
        Tokens(tokens, width: width, seed: 8)
      )
      let target = Tokens(tokens, width: width, seed: 9)
      let attention = Attention(
        kernels: kernels, heads: heads, headWidth: headWidth, tokens: tokens, registers: registers,
        rotary: rotates ? RotaryTable(grid: grid, headWidth: headWidth) : nil, bf16: bf16)
      let step = (attention.workspaceCount + 15) / 16 * 16
      let packedCount = (attention.packedCount + 15) / 16 * 16
      let count = packedCount + threads * step
      let memory = UnsafeMutableRawPointer.allocate(byteCount: count * 4, alignment: 64)
      defer { memory.deallocate() }
      // What was there before must not matter.
      let floats = memory.initializeMemory(as: Float.self, repeating: .nan, count: count)
      attention.run(
        queries: q.rows, keys: k.rows, values: v.rows, into: target.rows, packed: floats,
        team: ThreadTeam(count: threads)
      ) { floats + packedCount + $0 * step }
      let expected = reference(
        q.values, k.values, v.values, grid: grid, registers: registers, heads: heads,
        headWidth: headWidth, rotates: rotates)
      return Difference(target.values, expected)
    }
  }

  private func reference(
    _ q: [Double], _ k: [Double], _ v: [Double], grid: Extent3, registers: Int, heads: Int,
    headWidth: Int, rotates: Bool
  ) -> [Double] {
    let width = heads * headWidth
    let tokens = q.count / width
    func rotated(_ values: [Double]) -> [Double] {
      guard rotates else { return values }
      var result = values
      let bands = headWidth / 6
      for token in registers..<tokens {
        let place = token - registers
        let position = [place / (grid.y * grid.x), place / grid.x % grid.y, place % grid.x]
        for pair in 0..<width / 2 {
          let (axis, band) = (pair % (headWidth / 2) / bands, pair % (headWidth / 2) % bands)
          let angle = Double(position[axis]) * pow(10_000, -Double(band) / Double(bands))
          let (a, b) = (values[token * width + 2 * pair], values[token * width + 2 * pair + 1])
          result[token * width + 2 * pair] = a * cos(angle) - b * sin(angle)
          result[token * width + 2 * pair + 1] = b * cos(angle) + a * sin(angle)
        }
      }
      return result
    }
    let (q, k) = (rotated(q), rotated(k))
    var result = [Double](repeating: 0, count: q.count)
    for head in 0..<heads {
      for query in 0..<tokens {
        let scores = (0..<tokens).map { key in
          (0..<headWidth).reduce(0.0) { sum, i in
            let element = head * headWidth + i
            return sum + q[query * width + element] * k[key * width + element]
          } / Double(headWidth).squareRoot()
        }
        let weights = scores.map { exp($0) }
        let total = weights.reduce(0, +)
        for i in head * headWidth..<(head + 1) * headWidth {
          result[query * width + i] =
            (0..<tokens).reduce(0.0) { $0 + weights[$1] * v[$1 * width + i] } / total
        }
      }
    }
    return result
  }
}
