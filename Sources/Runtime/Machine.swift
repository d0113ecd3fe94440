/// The machine this process runs on.
package enum Machine {
  /// The instruction set whose kernels are used: the fastest there is, or what `SWT_ISA` names.
  package static var instructionSet: String {
    (try? InstructionSet.chosen().name) ?? "none"
  }
}
