// SPDX-License-Identifier: Apache-2.0
internal import DICOM
internal import FileIO
internal import Preprocessing

extension Argument {
  /// One file per channel.
  static func files(
    _ files: UnsafePointer<UnsafePointer<CChar>?>?, _ count: Int
  ) throws -> [String] {
    guard (1...1024).contains(count) else {
      throw CallFailure.usage("file_count \(count) is not 1 to 1024")
    }
    return try pointer(files, count: count, "files").enumerated()
      .map { try text($1, "files[\($0)]") }
  }

  /// One volume per channel, copied, so that preprocessing can free them on its way.
  static func volumes(
    _ channels: UnsafePointer<UnsafePointer<Float>?>?, _ channelCount: Int,
    _ shape: UnsafePointer<Int64>?, _ spacing: UnsafePointer<Double>?
  ) throws -> [Volume] {
    guard (1...1024).contains(channelCount) else {
      throw CallFailure.usage("channel_count \(channelCount) is not 1 to 1024")
    }
    let sizes = try pointer(shape, count: 3, "shape").map { Int($0) }
    let spacing = Array(try pointer(spacing, count: 3, "spacing"))
    guard sizes.allSatisfy({ (1...65_536).contains($0) }) else {
      throw CallFailure.usage("shape \(sizes) is not three sizes of 1 to 65536")
    }
    let count = sizes.reduce(1, *)
    let voxels = try pointer(channels, count: channelCount, "channels").enumerated()
      .map { try pointer($1, count: count, "channels[\($0)]") }
    try checkMemory(count * channelCount * MemoryLayout<Float>.stride)
    return try voxels.map { try Volume(shape: sizes, spacing: spacing, values: Array($0)) }
  }

  /// Where the caller wants exactly as many values as a result has.
  static func target<Element>(
    _ values: UnsafeMutablePointer<Element>?, _ count: Int, expected: Int, _ name: String
  ) throws -> UnsafeMutableBufferPointer<Element> {
    guard count == expected else {
      throw CallFailure.usage("\(name): count \(count) is not \(expected)")
    }
    return try pointer(values, count: count, name)
  }

  /// Copies a result to where the caller wants it.
  static func copy<Element>(
    _ result: [Element], to values: UnsafeMutablePointer<Element>?, _ count: Int, _ name: String
  ) throws {
    _ = try target(values, count, expected: result.count, name).update(from: result)
  }
}

/// Series of a DICOM study, as C names them.
struct StudyArgument {
  let folder: String
  let series: [String]
  let convention: DICOMConvention?

  init(
    _ folder: UnsafePointer<CChar>?, _ series: UnsafePointer<UnsafePointer<CChar>?>?,
    _ seriesCount: Int, _ convention: UnsafePointer<CChar>?
  ) throws {
    guard (0...1024).contains(seriesCount) else {
      throw CallFailure.usage("series_count \(seriesCount) is not 0 to 1024")
    }
    self.folder = try Argument.text(folder, "folder")
    self.series =
      seriesCount == 0
      ? []
      : try Argument.pointer(series, count: seriesCount, "series").enumerated()
        .map { try Argument.text($1, "series[\($0)]") }
    self.convention = try convention.map { text in
      let name = try Argument.text(text, "convention")
      guard let convention = DICOMConvention(name: name) else {
        throw CallFailure.usage(
          "convention \(DisplayText.quoted(name)) is none of "
            + DICOMConvention.names.joined(separator: ", "))
      }
      return convention
    }
  }
}
