// SPDX-License-Identifier: Apache-2.0
internal import CSWT
internal import FileIO

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// What C's handles stand for.
///
/// A handle is a number in a pointer's clothes: it is looked up here and never dereferenced. So
/// whatever C hands in – NULL, closed, made up, of another kind – ends in an error code.
///
/// This is the library's only mutable global state, and there has to be some: whether a handle is
/// good can only be told by something that its holder cannot spoil. Nothing but open handles is in
/// it, and no call holds its mutex while it works.
final class HandleTable: @unchecked Sendable {
  // Invariant: `slots`, `free` and the `isBusy` of the objects are touched under `mutex` only.
  static let shared = HandleTable()

  private struct Slot {
    var object: AnyObject?
    /// Counts the objects that were here, so that a handle of one is none of the next.
    var generation: UInt32 = 0
  }

  /// Set in every handle. No address of a process has it: who dereferences a handle learns at once.
  private static let mark: UInt = 1 << 62
  private static let indexBits: UInt = 24

  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private var slots: [Slot] = []
  private var free: [Int] = []

  private init() {
    mutex.initialize(to: pthread_mutex_t())
    pthread_mutex_init(mutex, nil)
  }

  /// Keeps an object until its handle is closed.
  func insert(_ object: AnyObject) throws -> OpaquePointer {
    try locked {
      if free.isEmpty {
        free.append(slots.count)
        slots.append(Slot())
      }
      let index = free.removeLast()
      let bits = Self.mark | UInt(slots[index].generation) << Self.indexBits | UInt(index)
      guard index < 1 << Self.indexBits, let handle = OpaquePointer(bitPattern: bits) else {
        free.append(index)
        throw CallFailure(kind: .memory, report: "too many handles are open")
      }
      slots[index].object = object
      return handle
    }
  }

  /// What a handle stands for; the object lives as long as the caller uses it, even when its handle
  /// is closed meanwhile.
  func object<Object>(
    _ handle: OpaquePointer?, _ name: String, as type: Object.Type
  ) throws -> Object {
    try locked { try find(handle, name, as: type).object }
  }

  /// Gives an object to one call at a time; others fail with `SWT_BUSY`.
  func use<Object: ExclusiveObject>(
    _ handle: OpaquePointer?, _ name: String, as type: Object.Type,
    _ body: (Object) throws -> Void
  ) throws {
    let object = try locked {
      let object = try find(handle, name, as: type).object
      guard !object.isBusy else {
        throw CallFailure(
          kind: .busy,
          report: .init("\(name) is in use by another thread", advice: "make one per thread"))
      }
      object.isBusy = true
      return object
    }
    defer { locked { object.isBusy = false } }
    try body(object)
  }

  /// Makes a handle invalid and lets its object go.
  func remove<Object>(_ handle: OpaquePointer?, _ name: String, as type: Object.Type) throws {
    // Held beyond the mutex: freeing a session unmaps its memory, which takes time.
    let object = try locked {
      let (object, index) = try find(handle, name, as: type)
      slots[index].object = nil
      let (next, overflow) = slots[index].generation.addingReportingOverflow(1)
      // After the last generation a slot is not used again.
      if !overflow {
        slots[index].generation = next
        free.append(index)
      }
      return object
    }
    withExtendedLifetime(object) {}
  }

  private func find<Object>(
    _ handle: OpaquePointer?, _ name: String, as type: Object.Type
  ) throws -> (object: Object, index: Int) {
    guard let handle else { throw CallFailure.usage("\(name) is NULL") }
    let bits = UInt(bitPattern: handle)
    let index = Int(bits & (1 << Self.indexBits - 1))
    guard bits & Self.mark != 0, slots.indices.contains(index), let object = slots[index].object,
      UInt(slots[index].generation) == (bits & ~Self.mark) >> Self.indexBits
    else { throw CallFailure.usage("\(name) is closed, or was never a handle") }
    guard let object = object as? Object else {
      throw CallFailure.usage("\(name) is a handle of another kind")
    }
    return (object, index)
  }

  private func locked<Result>(_ body: () throws -> Result) rethrows -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body()
  }
}

/// An object behind a handle that serves one call at a time.
class ExclusiveObject {
  /// Belongs to `HandleTable`.
  fileprivate(set) var isBusy = false
}
