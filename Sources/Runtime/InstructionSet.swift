internal import CKernels

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// The kernels of one instruction set.
struct InstructionSet: @unchecked Sendable {
  // Invariant: points to a constant of the C module.
  let kernels: UnsafePointer<nn_kernels>

  var name: String { String(cString: kernels.pointee.name) }

  /// All that this processor runs, the fastest first.
  static var available: [InstructionSet] {
    var count: Int32 = 0
    let all = nn_available_kernels(&count)
    return (0..<Int(count)).map { InstructionSet(kernels: all[$0]) }
  }

  /// The fastest, or the one that the environment variable `SWT_ISA` names.
  static func chosen() throws(RuntimeError) -> InstructionSet {
    let available = available
    guard let forced = getenv("SWT_ISA") else { return available[0] }
    let name = String(cString: forced)
    guard let match = available.first(where: { $0.name == name }) else {
      throw .instructionSet(name, available: available.map(\.name))
    }
    return match
  }
}
