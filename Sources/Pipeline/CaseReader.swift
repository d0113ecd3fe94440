// SPDX-License-Identifier: Apache-2.0
package import Preprocessing
package import SWTFormat
package import SWTRuntime

/// Reads cases for a model.
///
/// It shares nothing with a pipeline that runs, so that the next case can be read meanwhile.
package struct CaseReader: Sendable {
  /// The model that the cases are for.
  package var model: ModelDescription { mapped.description }
  private let mapped: Model
  /// How the network sees a case.
  package let policy: InputPolicy
  /// How much memory a case may take.
  package let memory: MemoryBudget
  /// How many threads work.
  package let threads: Int
  /// What scans are turned to; `nil` where they are taken as they lie.
  private let orientation: ScanOrientation?
  /// Whether prepared images say where the scan's nonzero region lies.
  let tellsNonzero: Bool

  /// A model whose preprocessing is not here can still run arrays.
  private let result: Result<Preprocessor, PreprocessingError>

  package init(
    model: Model, policy: InputPolicy, memory: MemoryBudget, threads: Int,
    turningTo orientation: ScanOrientation? = nil, tellsNonzero: Bool = false
  ) {
    self.tellsNonzero = tellsNonzero
    self.orientation = orientation
    mapped = model
    self.policy = policy
    self.memory = memory
    self.threads = threads
    result = Result { () throws(PreprocessingError) in
      try Preprocessor(description: model.description.preprocessing, threads: threads)
    }
  }

  /// The same on another number of threads.
  init(_ other: CaseReader, threads: Int) {
    self.init(
      model: other.mapped, policy: other.policy, memory: other.memory, threads: threads,
      turningTo: other.orientation, tellsNonzero: other.tellsNonzero)
  }

  /// Reads a case's files, one per channel; what is too large is refused before any voxel is read.
  package func read(files: [String]) throws(PipelineError) -> Case {
    try read(open(files: files))
  }

  /// Opens a case's files, one per channel, and reads their headers.
  func open(files: [String]) throws(PipelineError) -> [NIfTISource] {
    let preprocessor = try preprocessor()
    do throws(PreprocessingError) { return try preprocessor.open(files: files) } catch {
      throw PipelineError(.preprocessing(error))
    }
  }

  /// Reads the voxels of open files; what is too large is refused before.
  func read(_ sources: [NIfTISource]) throws(PipelineError) -> Case {
    let preprocessor = try preprocessor()
    var scan: Scan
    let byteCount = sources.byteCount
    try memory.check(.reading, needed: CaseEstimate.baseByteCount + byteCount, new: byteCount)
    do throws(PreprocessingError) {
      scan = try preprocessor.read(sources, turningTo: orientation)
    } catch { throw PipelineError(.preprocessing(error)) }
    let (warnings, place) = (scan.warnings.map { "\($0)" }, scan.geometry)
    return try makeCase(scan.takeChannels(), warnings: warnings, place: place)
  }

  /// Reads a segmentation of a case: one file, as the reader that the plans name gives it.
  package func readSegmentation(file: String) throws(PipelineError) -> Volume {
    let preprocessor = try preprocessor()
    do throws(PreprocessingError) {
      let image = try NIfTIImage(
        contentsOf: file, reader: preprocessor.reader, turningTo: orientation, volumeLimit: 1)
      return image.volumes[0]
    } catch { throw PipelineError(.preprocessing(error)) }
  }

  /// A case of channels that are in memory already.
  package func makeCase(of channels: consuming [Volume]) throws(PipelineError) -> Case {
    try makeCase(channels, warnings: [], place: nil)
  }

  /// A case of channels that are in memory, with the place of their voxels.
  ///
  /// - Parameter rows: of the affine from voxels `(x, y, z)` to mm towards right, anterior and superior,
  ///   3 of 4: the reader's rules count then, as for a file. `nil` for channels that lie as those of
  ///   training.
  package func makeCase(
    of channels: consuming [Volume], affine rows: [[Double]]?
  ) throws(PipelineError) -> Case {
    let preprocessor = try preprocessor()
    guard let first = channels.first else { return try makeCase(of: channels) }
    var scan: Scan
    do throws(PreprocessingError) {
      let reader = try preprocessor.reader
      let spacing = first.spacing
      // Where nothing is known: as a reader that turns would give them, else as ITK's identity lies.
      let sign = reader.reorients ? 1.0 : -1.0
      let plain = [
        [sign * spacing[2], 0, 0, 0], [0, sign * spacing[1], 0, 0], [0, 0, spacing[0], 0],
      ]
      scan = try Scan(
        channels: channels, affine: rows ?? plain, reader: reader,
        turningTo: rows == nil ? nil : orientation)
    } catch { throw PipelineError(.preprocessing(error)) }
    let (warnings, place) = (scan.warnings.map { "\($0)" }, scan.geometry)
    return try makeCase(scan.takeChannels(), warnings: warnings, place: place)
  }

  func makeCase(
    _ channels: consuming [Volume], warnings: [String], place: ScanGeometry?
  ) throws(PipelineError) -> Case {
    let geometry: PreparedGeometry
    do throws(PreprocessingError) {
      geometry = try result.get().geometry(of: channels)
    } catch { throw PipelineError(.preprocessing(error)) }
    return Case(
      warnings: warnings, geometry: geometry, place: place,
      framing: InputFraming(policy, imageShape: geometry.shape, model: model), channels: channels)
  }

  /// Preprocesses a case, freeing its channels on the way.
  ///
  /// - Parameters:
  ///   - previous: for a cascade's second stage, what the first one made of the scan.
  ///   - held: bytes that others hold meanwhile.
  package func prepare(
    _ scan: consuming Case, previous: Volume? = nil, held: Int = 0
  ) throws(PipelineError) -> PreparedImage {
    let geometry = scan.geometry
    let channels = geometry.originalShape.reduce(geometry.shape[0] * MemoryLayout<Float>.stride, *)
    try memory.check(
      .preprocessing, needed: CaseEstimate.baseByteCount + geometry.peakByteCount + held,
      new: geometry.peakByteCount - channels)
    let preprocessor = try preprocessor()
    do throws(PreprocessingError) {
      return try preprocessor.prepare(
        channels: scan.takeChannels(), geometry: geometry, previous: previous,
        tellsNonzero: tellsNonzero)
    } catch { throw PipelineError(.preprocessing(error)) }
  }

  private func preprocessor() throws(PipelineError) -> Preprocessor {
    do throws(PreprocessingError) { return try result.get() } catch {
      throw PipelineError(.preprocessing(error))
    }
  }
}
