// SPDX-License-Identifier: Apache-2.0
import CKernels
import SWTFormat
import Testing

@testable import SWTRuntime

/// What Swift and the C kernels have to agree on.
struct KernelsTests {
  @Test func aBlockOfChannelsIsTheFilesOwn() {
    #expect(TensorLayout.blockWidth == Int(NN_BLOCK))
  }

  @Test func everyInstructionSetHasANameOfItsOwn() {
    let names = Kernels.available.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(names.last == "portable")
  }

  @Test func tileSizesAreThoseOfTheList() {
    #expect(Set(WinogradTileSizes.all.map(\.code)).count == WinogradTileSizes.all.count)
    for sizes in WinogradTileSizes.all {
      for axis in [sizes.z, sizes.y, sizes.x] {
        #expect(axis.weightPoints <= axis.points)
        // A tile's inputs are what its outputs' windows cover.
        #expect(axis.points == (axis.outputs - 1) * axis.stride + axis.kernel)
      }
      #expect(sizes.weightPointOfPoint.max() == sizes.weightPoints.count - 1)
    }
    #expect(nn_winograd_axis_of(5) == nil)
  }
}
