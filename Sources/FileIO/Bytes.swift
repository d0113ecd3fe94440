// SPDX-License-Identifier: Apache-2.0
/// A read-only range of memory that keeps its owner alive: a mapped file, or a buffer on the heap.
///
/// Parsers of untrusted files see their input only through this type. Every access is checked
/// against the range, so a wrong offset is `nil`, never a read outside.
package struct Bytes: @unchecked Sendable {
  // Invariant: `memory` stays valid and unchanged as long as `owner` lives. Nothing writes to it,
  // which is what makes the type safe to share between threads.
  private let owner: AnyObject
  private let memory: UnsafeRawBufferPointer

  /// The bytes of `memory`, which `owner` keeps valid and unchanged for its whole life.
  package init(owner: AnyObject, memory: UnsafeRawBufferPointer) {
    self.owner = owner
    self.memory = memory
  }

  /// A copy of an array's bytes.
  package init(_ array: [UInt8]) {
    let buffer = HeapBuffer(byteCount: array.count)
    buffer.memory.copyBytes(from: array)
    self = buffer.bytes
  }

  package var count: Int { memory.count }
  package var isEmpty: Bool { memory.isEmpty }

  /// The bytes at `offset ..< offset + count`, or `nil` where that leaves the range.
  package func slice(at offset: Int, count: Int) -> Bytes? {
    guard offset >= 0, count >= 0, offset <= memory.count, count <= memory.count - offset else {
      return nil
    }
    return Bytes(
      owner: owner, memory: UnsafeRawBufferPointer(rebasing: memory[offset..<offset + count]))
  }

  /// The byte at `offset`, or `nil` past the end.
  package func byte(at offset: Int) -> UInt8? {
    memory.indices.contains(offset) ? memory[offset] : nil
  }

  /// The little-endian integer at `offset` (any alignment), or `nil` where it would cross the end.
  package func littleEndian<Integer: FixedWidthInteger & BitwiseCopyable>(
    _ type: Integer.Type = Integer.self, at offset: Int
  ) -> Integer? {
    guard offset >= 0, offset <= memory.count,
      MemoryLayout<Integer>.size <= memory.count - offset
    else { return nil }
    return Integer(littleEndian: memory.loadUnaligned(fromByteOffset: offset, as: type))
  }

  /// Whether the bytes at `offset` are exactly `other`.
  package func hasBytes(_ other: some Collection<UInt8>, at offset: Int = 0) -> Bool {
    guard let part = slice(at: offset, count: other.count) else { return false }
    return part.memory.elementsEqual(other)
  }

  /// The offset of the first `byte` in `start ..< end`, or `nil`.
  package func firstOffset(of byte: UInt8, from start: Int, below end: Int) -> Int? {
    guard start >= 0, start <= end, end <= memory.count else { return nil }
    return memory[start..<end].firstIndex(of: byte)
  }

  /// A copy as an array.
  package var array: [UInt8] { Array(memory) }

  /// The bytes as UTF-8 text, or `nil` where they are not valid UTF-8 (nothing is repaired).
  package var utf8: String? { String(validating: memory, as: UTF8.self) }

  /// Lets go of a mapped file's pages that lie wholly within; they come back when they are read.
  /// Does nothing to memory of other kinds, whose content would be lost.
  package func releasePages() { (owner as? MappedFile)?.releasePages(memory) }

  /// Calls `body` with the memory, which is valid only during the call.
  package func withUnsafeBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(owner) {} }
    return try body(memory)
  }
}

/// A zeroed block of memory, filled once and then read through `Bytes`.
package final class HeapBuffer: @unchecked Sendable {
  // Invariant: allocated here, freed in deinit, never resized. Whoever fills it does so before
  // handing out `bytes`.
  package let memory: UnsafeMutableRawBufferPointer

  package init(byteCount: Int, alignment: Int = 64) {
    memory = .allocate(byteCount: byteCount, alignment: alignment)
    memory.initializeMemory(as: UInt8.self, repeating: 0)
  }

  deinit { memory.deallocate() }

  /// The content; do not write to `memory` after taking this.
  package var bytes: Bytes { Bytes(owner: self, memory: UnsafeRawBufferPointer(memory)) }
}
