// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import Synchronization

/// One volume of a study: a series, or one of the volumes that a series holds.
public struct DICOMSeries: Sendable {
  /// The SeriesInstanceUID, with `-1`, `-2`, … where the series holds several volumes.
  public let name: String
  /// The code of the modality, such as `CT`.
  public let modality: String?
  package let number: Int?
  /// What tells it from the other volumes of its series, such as `echo time 20.0`.
  package let distinction: String?
  /// What a person should look at, one line each.
  public let warnings: [String]

  let files: FolderFiles
  private let slices: [Slice]
  private let geometry: StackGeometry
  /// Whether dcm2niix takes it as a part of four-dimensional data.
  private let isPartOfTime: Bool

  /// Puts a stack in order.
  init(
    _ slices: [Slice], of files: FolderFiles, name: String,
    split: (key: SplittingKey, value: String)?
  ) throws(DICOMError) {
    (self.slices, geometry) = try StackGeometry.ordering(slices)
    self.files = files
    self.name = name
    let header = slices[0].series
    modality = header.modality
    number = header.number
    distinction = split.map { "\($0.key.name) \($0.value)" }
    // Echoes become files of their own there.
    isPartOfTime = split.map { $0.key != .echoTime } ?? false
    warnings = StackWarnings(self.slices, name: name, isWholeSeries: split == nil).lines
  }

  /// Of the array as scanned, `[z, y, x]`.
  public var shape: [Int] { sizes.reversed() }
  /// Of the array as scanned, `[z, y, x]`, in mm.
  public var spacing: [Double] { geometry.spacing.reversed() }
  package var sliceCount: Int { slices.count }
  /// The paths of its files in the order of the slices.
  package var paths: [String] {
    var result: [String] = []
    for slice in slices {
      let path = files.path(slice.file)
      if result.last != path { result.append(path) }
    }
    return result
  }
  /// What the volume takes as float32.
  package var byteCount: Int { sizes.reduce(MemoryLayout<Float>.stride, *) }

  private var sizes: [Int] {
    [slices[0].format.columns, slices[0].format.rows, slices.count]
  }

  /// Reads the pixels, file by file.
  ///
  /// - Parameters:
  ///   - convention: the order of the array's axes.
  ///   - threads: how many work.
  package func read(
    _ convention: DICOMConvention, threads: Int
  ) throws(DICOMError) -> DICOMVolume {
    let isThreeDimensional =
      slices[0].isThreeDimensional && slices.count > 1 && !isPartOfTime
    let turn = convention.turn(of: geometry, isThreeDimensional: isThreeDimensional)
    let sizes = sizes
    let (start, strides) = turn.layout(of: sizes)
    let failure = Mutex<(slice: Int, error: DICOMError)?>(nil)
    // Frames of one file: it is inflated once, whoever works.
    let file = slices[0].file
    let isOneFile = slices.allSatisfy { $0.file == file }
    let shared = isOneFile ? (file: file, bytes: try files.dataSetBytes(file)) : nil
    let values = [Float](unsafeUninitializedCapacity: sizes.reduce(1, *)) { output, initialized in
      // Invariant: every slice writes to voxels of its own, and the loop ends before `output` does.
      nonisolated(unsafe) let output = output
      let workers = max(1, min(threads, slices.count))
      ParallelLoop.run(workers) { worker in
        var open: (file: Int, bytes: Bytes)? = shared
        for index in worker * slices.count / workers..<(worker + 1) * slices.count / workers {
          do throws(DICOMError) {
            try write(
              slices[index], open: &open, to: output,
              at: StoredPixels.Target(
                start: start + index * strides[2], columnStride: strides[0],
                rowStride: strides[1]))
          } catch {
            failure.withLock { first in
              if first.map({ index < $0.slice }) ?? true { first = (index, error) }
            }
            return
          }
        }
      }
      initialized = failure.withLock { $0 == nil } ? output.count : 0
    }
    if let failure = failure.withLock({ $0 }) { throw failure.error }
    return DICOMVolume(
      shape: turn.turned(sizes).reversed(),
      spacing: turn.turned(geometry.spacing).reversed().map { Double(Float($0)) },
      values: values, affine: turn.affine(of: geometry, sizes: sizes))
  }

  /// Writes one slice; `open` is the file of the slice before, as frames of one file follow each other.
  private func write(
    _ slice: Slice, open: inout (file: Int, bytes: Bytes)?,
    to output: UnsafeMutableBufferPointer<Float>,
    at target: StoredPixels.Target
  ) throws(DICOMError) {
    let bytes: Bytes
    if let open, open.file == slice.file {
      bytes = open.bytes
    } else {
      bytes = try files.dataSetBytes(slice.file)
      open = (slice.file, bytes)
    }
    let stored: StoredPixels
    do throws(DICOMError) { stored = try slice.pixels.stored(in: bytes) } catch {
      throw error.at(files.place(slice.file, instance: slice.instance))
    }
    stored.write(
      slice.format, slope: slice.slope, intercept: slice.intercept, to: output, at: target)
    guard slice.largestValue >= DICOMLimits.value else { return }
    for row in 0..<slice.format.rows {
      for column in 0..<slice.format.columns {
        let value = output[
          target.start + row * target.rowStride + column * target.columnStride]
        guard abs(value) < Float(DICOMLimits.value) else {
          throw DICOMError(.rescale, "has values beyond \(DICOMLimits.value)")
            .at(files.place(slice.file, instance: slice.instance))
        }
      }
    }
  }
}

extension DICOMSeries: Equatable {
  /// Whether both are the same volume of the same folder.
  public static func == (first: DICOMSeries, second: DICOMSeries) -> Bool {
    first.name == second.name && first.files.folder == second.files.folder
  }
}
