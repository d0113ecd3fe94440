// SPDX-License-Identifier: Apache-2.0
package import FileIO
internal import SWTFormat

/// What the frozen part of a network gives, kept for all epochs: as half-precision numbers, in memory or in a
/// file without a name.
package final class ActivationCache {
  /// Where an array is kept.
  package struct Place: Sendable {
    fileprivate let offset: Int
    package let count: Int
  }

  private enum Storage {
    case memory
    case file(ScratchFile)
  }

  private let storage: Storage
  private let isHalf: Bool
  /// By their number, where they are in memory.
  private var arrays: [[UInt8]] = []

  /// - Parameters:
  ///   - folder: where the file lies; `nil` for memory.
  ///   - isHalf: whether 16 bits a number are enough.
  package init(folder: String?, isHalf: Bool) throws(FileError) {
    self.isHalf = isHalf
    storage = if let folder { .file(try ScratchFile(folder: folder)) } else { .memory }
  }

  /// Bytes of a number.
  package static func byteCount(isHalf: Bool) -> Int { isHalf ? 2 : 4 }

  package func add(_ values: UnsafeBufferPointer<Float>) throws -> Place {
    var bytes = [UInt8](repeating: 0, count: values.count * Self.byteCount(isHalf: isHalf))
    if isHalf {
      let isStored = bytes.withUnsafeMutableBytes { bytes in
        let halves = bytes.bindMemory(to: UInt16.self)
        for (index, value) in values.enumerated() {
          guard let half = TensorDataType.f16.narrow(value) else { return false }
          halves[index] = half
        }
        return true
      }
      guard isStored else {
        throw TrainingError.features(problem: "activations beyond 65504 cannot be cached")
      }
    } else {
      bytes.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(values)) }
    }
    switch storage {
    case .memory:
      arrays.append(bytes)
      return Place(offset: arrays.count - 1, count: values.count)
    case .file(let file):
      return Place(offset: try bytes.withUnsafeBytes { try file.append($0) }, count: values.count)
    }
  }

  package func values(at place: Place) throws(FileError) -> [Float] {
    let type: TensorDataType = isHalf ? .f16 : .f32
    switch storage {
    case .memory: return arrays[place.offset].withUnsafeBytes { type.widen($0) }
    case .file(let file):
      var bytes = [UInt8](repeating: 0, count: place.count * Self.byteCount(isHalf: isHalf))
      var failure: FileError?
      bytes.withUnsafeMutableBytes { bytes in
        do throws(FileError) { try file.read(into: bytes, at: place.offset) } catch {
          failure = error
        }
      }
      if let failure { throw failure }
      return bytes.withUnsafeBytes { type.widen($0) }
    }
  }
}
