// SPDX-License-Identifier: Apache-2.0
internal import CKernels

extension DirectConvolution {
  /// Packs the task's input rows of some input blocks: block by block, `[z][y][x][inputs]`.
  func pack(
    _ inputBlocks: [(feature: Feature, block: Int)], _ blocks: Range<Int>, _ task: Task,
    into slab: UnsafeMutablePointer<Float>, context: RunContext
  ) {
    let packed = blocking.packed
    let planesNeeded = (task.planes.count - 1) * geometry.stride.z + geometry.kernel.z
    let rowsNeeded = (task.rows.count - 1) * geometry.stride.y + geometry.kernel.y
    for block in blocks {
      let elements = elements[block]
      for planeOffset in 0..<planesNeeded {
        let z = task.planes.lowerBound * geometry.stride.z - geometry.padding.z + planeOffset
        for rowOffset in 0..<rowsNeeded {
          let y = task.rows.lowerBound * geometry.stride.y - geometry.padding.y + rowOffset
          packRow(
            inputBlocks.isEmpty ? nil : inputBlocks[block], block: block, z: z, y: y,
            into: slab + slabOffset(block)
              + (planeOffset * packed.y + rowOffset) * packed.x * elements,
            line: slab + slabCount - packed.x * Self.block, context: context)
        }
      }
    }
  }

  /// - Parameters:
  ///   - source: where the block's channels are; `nil` for the network's input.
  ///   - line: memory for a row of 16 channels.
  private func packRow(
    _ source: (feature: Feature, block: Int)?, block: Int, z: Int, y: Int,
    into row: UnsafeMutablePointer<Float>, line: UnsafeMutablePointer<Float>, context: RunContext
  ) {
    let (input, packedWidth, elements) = (geometry.input, blocking.packed.x, elements[block])
    guard (0..<input.z).contains(z), (0..<input.y).contains(y) else {
      row.update(repeating: 0, count: packedWidth * elements)
      return
    }
    let inputs = geometry.inputs.widths[block]
    let left = geometry.padding.x
    let used = min(input.x, packedWidth - left)
    row.update(repeating: 0, count: left * elements)
    let right = packedWidth - left - used
    (row + (left + used) * elements).update(repeating: 0, count: right * elements)
    let first = row + left * elements
    guard let (feature, featureBlock) = source else {
      for channel in 0..<inputs {
        let plane = context.input + (geometry.inputs.starts[block] + channel) * input.count
        let line = plane + (z * input.y + y) * input.x
        for x in 0..<used { first[x * inputs + channel] = line[x] }
      }
      return
    }
    let values =
      context.memory[feature.activation] + featureBlock * feature.activation.blockStep
      + (z * input.y + y) * input.x * Self.block
    let pending = feature.pending.kernel(block: featureBlock, in: context.memory)
    if let paired {
      // Padding lanes have scale and shift 0.
      kernels.pointee.activate(values, pending, line, used)
      let narrow = UnsafeMutableRawPointer(first).assumingMemoryBound(to: UInt16.self)
      paired.bf16.narrow(line, narrow, used * Self.block)
    } else if inputs == Self.block {
      kernels.pointee.activate(values, pending, first, used)
    } else {
      // A block is narrower than a vector: activate elsewhere, then drop the padding lanes.
      kernels.pointee.activate(values, pending, line, used)
      for x in 0..<used {
        (first + x * inputs).update(from: line + x * Self.block, count: inputs)
      }
    }
  }
}
