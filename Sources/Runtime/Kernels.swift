internal import CKernels

/// The C kernels of an instruction set.
struct Kernels: @unchecked Sendable {
  // Invariant: the kernels are constants, valid for the life of the process.
  private let pointer: UnsafePointer<nn_kernels>

  init(_ pointer: UnsafePointer<nn_kernels>) { self.pointer = pointer }

  var pointee: nn_kernels { pointer.pointee }
}
