// SPDX-License-Identifier: Apache-2.0
package import FileIO
package import NPY
package import Preprocessing
internal import SWTFormat

/// What nnU-Net's network makes of a scan: a label for every voxel of it.
public struct Segmentation: Sendable {
  /// `[z, y, x]`, as nnU-Net's reader gives the scan.
  public let shape: [Int]
  /// Labels, x fastest; 0 is background.
  public private(set) var labels: [UInt16]

  package let geometry: ScanGeometry
  private let description: LabelDescription
  private let probabilities: Probabilities?
  /// The labels that are kept, by name; `nil` for all.
  private var keptNames: Set<String>?

  init(
    _ labels: [UInt16], geometry: ScanGeometry, description: LabelDescription,
    probabilities: Probabilities?
  ) {
    shape = geometry.shape
    self.labels = labels
    self.geometry = geometry
    self.description = description
    self.probabilities = probabilities
  }

  /// The labels as a previous stage's are read: numbers on the scan's grid.
  package func volume() throws(PreprocessingError) -> Volume {
    try Volume(
      shape: shape, spacing: [Double](repeating: 1, count: 3), values: labels.map { Float($0) })
  }

  /// Counts, volumes and places of every label and region of the model, or of those that were kept.
  public func statistics() -> [LabelStatistics] {
    LabelCounts(labels, shape: shape).statistics(
      description.labels.filter { keptNames?.contains($0.name) ?? true }, geometry: geometry)
  }

  /// Applies what nnU-Net found to improve the model's segmentations.
  mutating func apply(_ postprocessing: Postprocessing) {
    postprocessing.apply(to: &labels, shape: shape)
  }

  /// Keeps labels of some names, as `statistics` has them; the others become background.
  mutating func keep(_ names: [String]) {
    let kept = Set(description.labels.filter { names.contains($0.name) }.flatMap(\.values))
    let isKept = (0...UInt16.max).map { kept.contains(Int($0)) }
    keptNames = Set(names)
    for index in labels.indices where !isKept[Int(labels[index])] { labels[index] = 0 }
  }

  /// Bytes that it takes while it is written, at most.
  package var writingByteCount: Int {
    2 * labels.count * MemoryLayout<UInt16>.stride
      + (probabilities.map { $0.byteCount + labels.count * MemoryLayout<Float>.stride } ?? 0)
  }

  /// Writes the labels as the reader that the plans name does: its header, gzipped where the name ends
  /// in `.gz`.
  package func write(
    to path: String, threads: Int, inputs: [MappedFile.Identity] = []
  ) throws(PipelineError) {
    do throws(PreprocessingError) {
      let writer = try NIfTIWriter(geometry: geometry, threads: threads)
      do throws(FileError) { try writer.write(labels: labels, to: path, inputs: inputs) } catch {
        throw PreprocessingError(.file(error))
      }
    } catch { throw PipelineError(.preprocessing(error)) }
  }

  /// Writes the probabilities, where they were kept, as nnU-Net's `.npz`.
  package func writeProbabilities(
    to path: String, threads: Int, inputs: [MappedFile.Identity] = []
  ) throws(NPYError) {
    try probabilities?.write(to: path, threads: threads, inputs: inputs)
  }
}
