/// The machine this process runs on.
public enum Machine {
  /// The instruction set whose kernels are used: the fastest there is, or what `SWT_ISA` names.
  public static var instructionSet: String {
    (try? InstructionSet.chosen().name) ?? "none"
  }
}
