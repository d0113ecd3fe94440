// SPDX-License-Identifier: Apache-2.0
internal import CKernels

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// The C kernels of one instruction set.
struct Kernels: @unchecked Sendable {
  // Invariant: points to constants that live as long as the process.
  private let pointer: UnsafePointer<nn_kernels>

  /// `pointer` has to stay valid for the life of the process.
  init(_ pointer: UnsafePointer<nn_kernels>) { self.pointer = pointer }

  var pointee: nn_kernels { pointer.pointee }

  var name: String { String(cString: pointer.pointee.name) }

  /// Those for bf16 arithmetic; `nil` where the processor has none.
  var bf16: nn_bf16_kernels? { pointer.pointee.bf16?.pointee }

  /// Those of all instruction sets that this processor has, the fastest first.
  static var available: [Kernels] {
    var count: Int32 = 0
    let all = nn_available_kernels(&count)
    return (0..<Int(count)).map { Kernels(all[$0]) }
  }

  /// The fastest, or those that the environment variable `SWT_ISA` names.
  static func chosen() throws(RuntimeError) -> Kernels {
    let available = available
    guard let forced = getenv("SWT_ISA") else { return available[0] }
    let name = String(cString: forced)
    guard let match = available.first(where: { $0.name == name }) else {
      throw RuntimeError(.instructionSet(name, available: available.map(\.name)))
    }
    return match
  }
}
