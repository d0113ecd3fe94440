// SPDX-License-Identifier: Apache-2.0
internal import CSWT

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// Checks of what C hands in, before any of it is read or written.
///
/// Whether memory is the caller's to lend cannot be checked; whether it can be at all is.
enum Argument {
  /// Longest text that is read, its ending zero left out: Linux' own limit of a path.
  private static let longestText = 4095

  static func pointer<Element>(
    _ pointer: UnsafePointer<Element>?, count: Int = 1, _ name: String
  ) throws -> UnsafeBufferPointer<Element> {
    guard let pointer else { throw CallFailure.usage("\(name) is NULL") }
    let address = UInt(bitPattern: pointer)
    guard address % UInt(MemoryLayout<Element>.alignment) == 0 else {
      throw CallFailure.usage(
        "\(name) is not aligned to \(MemoryLayout<Element>.alignment) bytes")
    }
    let (size, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
    guard !overflow, size >= 0, !address.addingReportingOverflow(UInt(size)).overflow else {
      throw CallFailure.usage("\(name): \(count) elements leave the address space")
    }
    return UnsafeBufferPointer(start: pointer, count: count)
  }

  static func pointer<Element>(
    _ pointer: UnsafeMutablePointer<Element>?, count: Int = 1, _ name: String
  ) throws -> UnsafeMutableBufferPointer<Element> {
    let checked = try Self.pointer(UnsafePointer(pointer), count: count, name)
    return UnsafeMutableBufferPointer(mutating: checked)
  }

  /// Where a new handle goes; NULL until it is made.
  static func handle(
    _ handle: UnsafeMutablePointer<OpaquePointer?>?, _ name: String
  ) throws -> UnsafeMutableBufferPointer<OpaquePointer?> {
    let place = try pointer(handle, name)
    place[0] = nil
    return place
  }

  static func text(_ text: UnsafePointer<CChar>?, _ name: String) throws -> String {
    guard let text else { throw CallFailure.usage("\(name) is NULL") }
    guard strnlen(text, longestText + 1) <= longestText else {
      throw CallFailure.usage("\(name) is longer than \(longestText) bytes")
    }
    // A name that is no UTF-8 would be repaired into another one.
    guard let valid = String(validatingCString: text) else {
      throw CallFailure.usage("\(name) is not UTF-8")
    }
    return valid
  }

  /// How many threads are to work; `nil` for as many as the process may.
  static func threads(_ threads: Int32) throws -> Int? {
    guard (0...1024).contains(threads) else {
      throw CallFailure.usage("threads \(threads) is not 0 to 1024")
    }
    return threads == 0 ? nil : Int(threads)
  }
}
