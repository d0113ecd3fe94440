// SPDX-License-Identifier: Apache-2.0
package import CKernels

/// The kernels for half precision of the instruction set that sessions use.
package struct HalfKernels: @unchecked Sendable {
  // Invariant: points to a constant of the C module.
  private let pointer: UnsafePointer<nn_half_kernels>

  package var pointee: nn_half_kernels { pointer.pointee }

  /// - Throws: `RuntimeError` where `SWT_ISA` names one that this processor lacks.
  package init() throws(RuntimeError) {
    pointer = try Kernels.chosen().pointee.halves
  }
}
