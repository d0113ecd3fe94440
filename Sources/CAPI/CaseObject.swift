// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import Pipeline
internal import Preprocessing
internal import SWTFormat

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// What a `swt_case` is: first a scan, then perhaps what preprocessing makes of it, in the end results.
final class CaseObject: ExclusiveObject {
  let model: ModelObject
  let policy: InputPolicy
  let reader: CaseReader
  /// `[z, y, x]` of the scan's grid.
  let shape: [Int]
  /// `[C, z, y, x]` of what the network is shown.
  let preparedShape: [Int]
  /// Zero-ended JSON that lives as long as the case.
  let description: UnsafeMutablePointer<CChar>?
  private(set) var output: EncoderOutput?
  private var scan: Case?
  private var image: PreparedImage?

  init(_ model: ModelObject, reader: CaseReader, _ scan: consuming Case) {
    self.model = model
    self.reader = reader
    policy = reader.policy
    shape = scan.place?.shape ?? []
    preparedShape = scan.geometry.shape
    description = strdup(JSONValue.object(scan.json).prettyText)
    self.scan = consume scan
  }

  deinit { free(description) }

  /// The scan, which is the caller's then.
  func takeScan() throws -> Case {
    guard let scan = scan.take() else {
      throw CallFailure.usage("the case's voxels are gone: read it again")
    }
    return scan
  }

  /// What the network is shown.
  func prepared() throws -> PreparedImage {
    if let image { return image }
    let made = try reader.prepare(takeScan())
    image = made
    return made
  }

  /// Runs the case with its pipeline.
  func run(
    _ pipeline: EncoderPipeline, progress: (Int, Int) throws(PipelineError) -> Void
  ) throws {
    if let image {
      self.image = nil
      output = try pipeline.run(image, progress: progress)
    } else {
      output = try pipeline.run(takeScan(), progress: progress)
    }
  }

  /// The results.
  func finished() throws -> EncoderOutput {
    guard let output else { throw CallFailure.usage("the case has not run yet") }
    return output
  }
}

extension Case {
  /// What C is told of a case.
  fileprivate var json: JSONObject {
    let affine = place?.arrayAffine
    return JSONObject([
      ("warnings", JSONValue(warnings)), ("scan_shape", JSONValue(place?.shape ?? [])),
      (
        "affine",
        affine.map { affine in
          .array(zip(affine.matrix.rows, affine.offset).map { JSONValue($0 + [$1]) })
        } ?? .null
      ),
      ("original_shape", JSONValue(geometry.originalShape)),
      ("original_spacing", JSONValue(geometry.originalSpacing)),
      (
        "crop_box",
        .array(geometry.cropBox.map { JSONValue([$0.lowerBound, $0.upperBound]) })
      ),
      ("shape", JSONValue(geometry.shape)), ("spacing", JSONValue(geometry.spacing)),
      ("windows", .integer(framing.windowCount)),
    ])
  }
}
