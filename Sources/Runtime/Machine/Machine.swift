// SPDX-License-Identifier: Apache-2.0
/// The machine this process runs on.
package enum Machine {
  /// The instruction set whose kernels are used: the fastest there is, or what `SWT_ISA` names.
  package static var instructionSet: String {
    (try? Kernels.chosen().name) ?? "none"
  }

  /// What it can compute with.
  package static var precisions: [Precision] {
    (try? Kernels.chosen().bf16) == nil ? [.f32] : [.f32, .bf16]
  }
}
