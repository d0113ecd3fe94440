// SPDX-License-Identifier: Apache-2.0
/// The order of a convolution weight's elements in `TensorLayout.packed16`.
package struct PackedLayout: Sendable {
  package let outputs: Int
  package let inputs: Int
  package let taps: Int

  /// The layout of a weight of `shape` `[outputs, inputs, kernel…]`.
  package init(shape: [Int]) {
    outputs = shape.first ?? 0
    inputs = shape.count > 1 ? shape[1] : 0
    taps = shape.dropFirst(2).reduce(1, *)
  }

  /// Blocks of 16 output channels.
  package var blockCount: Int { (outputs + TensorLayout.blockWidth - 1) / TensorLayout.blockWidth }
  package var elementCount: Int { blockCount * TensorLayout.blockWidth * inputs * taps }

  /// The index of the 16 lanes that hold input `input`, tap `tap` of output block `block`.
  package func laneIndex(block: Int, input: Int, tap: Int) -> Int {
    let width = TensorLayout.blockWidth
    let inputBlock = input / width * width
    let blockInputs = min(width, inputs - inputBlock)
    return ((block * inputs + inputBlock) * taps + tap * blockInputs + input - inputBlock) * width
  }

  /// Calls `body` with the packed index and the row-major index of every element.
  private func forEachElement(_ body: (_ packed: Int, _ rowMajor: Int) -> Void) {
    for output in 0..<outputs {
      let lane = output % TensorLayout.blockWidth
      for input in 0..<inputs {
        for tap in 0..<taps {
          body(
            laneIndex(block: output / TensorLayout.blockWidth, input: input, tap: tap) + lane,
            (output * inputs + input) * taps + tap)
        }
      }
    }
  }

  /// Row-major values in packed order, with zeros in unused lanes.
  package func pack(_ rowMajor: UnsafeBufferPointer<Float>) -> [Float] {
    [Float](unsafeUninitializedCapacity: elementCount) { packed, count in
      pack(rowMajor, into: UnsafeMutableBufferPointer(rebasing: packed[..<elementCount]))
      count = elementCount
    }
  }

  /// Puts row-major values into packed order, with zeros in unused lanes.
  package func pack(
    _ rowMajor: UnsafeBufferPointer<Float>, into packed: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(rowMajor.count == outputs * inputs * taps && packed.count == elementCount)
    let width = TensorLayout.blockWidth
    let rowStep = inputs * taps
    // In the order of the packed elements, so that they are written in one go.
    var target = 0
    for block in stride(from: 0, to: outputs, by: width) {
      let lanes = min(width, outputs - block)
      for inputBlock in stride(from: 0, to: inputs, by: width) {
        for tap in 0..<taps {
          for input in inputBlock..<min(inputBlock + width, inputs) {
            let source = block * rowStep + input * taps + tap
            for lane in 0..<lanes { packed[target + lane] = rowMajor[source + lane * rowStep] }
            for lane in lanes..<width { packed[target + lane] = 0 }
            target += width
          }
        }
      }
    }
  }

  /// Packed values in row-major order.
  package func unpack(_ packed: [Float]) -> [Float] {
    precondition(packed.count == elementCount)
    return [Float](unsafeUninitializedCapacity: outputs * inputs * taps) { rowMajor, count in
      packed.withUnsafeBufferPointer { packed in
        forEachElement { rowMajor[$1] = packed[$0] }
      }
      count = outputs * inputs * taps
    }
  }
}
