// SPDX-License-Identifier: Apache-2.0
import NPY
import Preprocessing
import SWTFormat
import SWTRuntime
import TestSupport
import Testing

@testable import Pipeline

/// Which windows an input policy cuts out.
@Suite struct InputFramingTests {
  private let model: ModelDescription

  init() throws { model = try Models.example().description }

  @Test func wholePadsToThePatchAndTheStride() {
    // The example's patch is 48³, its total stride 8.
    let framing = InputFraming(.whole, imageShape: [1, 75, 94, 20], model: model)
    #expect(framing.inputShape == [1, 80, 96, 48])
    #expect(framing.area == [-2..<78, -1..<95, -14..<34])
    #expect(framing.windowCount == 1)
  }

  @Test func slidingWindowsAreNNUNets() {
    // compute_steps_for_sliding_window: 110 voxels with tiles of 48 start at 0, 21, 41, 62.
    let framing = InputFraming(.slidingWindow, imageShape: [1, 110, 48, 30], model: model)
    #expect(framing.inputShape == [1, 48, 48, 48])
    #expect(framing.windowCount == 4)
    #expect(framing.area == [0..<110, 0..<48, -9..<39])
    // Every slice holds its number, counted from 1.
    let image = (0..<110).flatMap { [Float](repeating: Float($0 + 1), count: 48 * 30) }
    var firsts: [Float?] = []
    for window in 0..<4 { firsts.append(copy(window, framing, image).first { $0 != 0 }) }
    #expect(firsts == [1, 22, 42, 63])
  }

  @Test func centerCropCutsOrPads() {
    let framing = InputFraming(.centerCrop, imageShape: [1, 51, 48, 20], model: model)
    #expect(framing.area == [1..<49, 0..<48, -14..<34])
  }

  private func copy(_ window: Int, _ framing: InputFraming, _ image: [Float]) -> [Float] {
    var values = [Float](repeating: .nan, count: framing.inputShape.reduce(1, *))
    values.withUnsafeMutableBufferPointer { framing.copyWindow(window, of: image, into: $0) }
    return values
  }

  @Test func windowsHoldTheImageAndZerosAroundIt() {
    let shape = [2, 5, 6, 7]
    var model = model
    model.preprocessing.patchSize = [8, 4, 16]
    let image = (0..<shape.reduce(1, *)).map { index -> Float in Float(index + 1) }
    for policy in InputPolicy.allCases {
      let framing = InputFraming(policy, imageShape: shape, model: model)
      let sizes = framing.windowShape
      var seen: Set<Float> = []
      for window in 0..<framing.windowCount {
        let values = copy(window, framing, image)
        #expect(values.allSatisfy { $0.isFinite })
        // Neighbours in a window are neighbours in the image.
        for (index, value) in values.enumerated() where value != 0 && index % sizes[2] > 0 {
          let before = values[index - 1]
          #expect(before == value - 1 || (before == 0 && Int(value - 1) % 7 == 0))
        }
        seen.formUnion(values)
      }
      #expect(policy == .centerCrop || seen.count == image.count + 1)
    }
  }
}
