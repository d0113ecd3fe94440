// SPDX-License-Identifier: Apache-2.0
import DICOM
import Foundation
import NPY
import TestSupport
import Testing

/// Every series gives the array, spacing and affine of the convention asked for, or is refused as said.
struct ReferenceCaseTests {
  @Test func allCasesAreThere() { #expect(ReferenceCase.names.count == 89) }

  @Test(arguments: ReferenceCase.names)
  func outcomeIsAsStated(_ name: String) throws {
    #expect(outcome(of: name) == (try ReferenceCase(name).outcome))
  }

  @Test(arguments: ReferenceCase.names)
  func agreesWithTheConverters(_ name: String) throws {
    let reference = try ReferenceCase(name)
    guard !reference.outcome.hasPrefix("refuse") else { return }
    let study = try DICOMStudy(StudyFolder("\(ReferenceCase.folder)/\(name)/study"), threads: 2)
    // dcm2niix works its affines out in float32.
    for (images, convention, tolerance) in [
      (try reference.simpleITKImages(in: name), DICOMConvention.asScanned, 1e-6),
      (try reference.dcm2niixImages(in: name), .dcm2niix, 5e-5),
    ] where !images.isEmpty {
      for candidate in study.candidates {
        let volume = try candidate.series.get().read(convention, threads: 2)
        #expect(
          images.contains { volume.agrees(with: $0, affineTolerance: tolerance) },
          "\(candidate.name), \(convention): \(volume.shape) \(volume.affine)")
      }
    }
  }

  @Test(
    "Turned to the nearest axes as nibabel turns them",
    arguments: [
      "ax_ct", "ax_negative_normal", "feet_first", "cor_mr", "sag_mr_3d", "oblique_mr",
      "oblique_sag_3d",
    ], ["LAS", "RAS"])
  func nearest(_ name: String, _ code: String) throws {
    let folder = "\(ReferenceCase.folder)/\(name)"
    let affines = try JSONDecoder().decode(
      [String: [[Double]]].self,
      from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/nearest.json")))
    let volume = try DICOMStudy(StudyFolder("\(folder)/study"), threads: 1).series()
      .read(.nearest(#require(AxisCode(code))), threads: 1)
    let image = ReferenceCase.Image(
      array: try NPYArray(contentsOf: "\(folder)/nearest_\(code).npy"),
      affine: Array(try #require(affines[code]).prefix(3)))
    #expect(volume.agrees(with: image), "\(volume.shape) \(volume.affine)")
    if code == "LAS" {
      let same = try DICOMStudy(StudyFolder("\(folder)/study"), threads: 1).series()
        .read(#require(DICOMConvention(name: "dicom2nifti")), threads: 1)
      #expect(same.values == volume.values)
    }
  }

  @Test func threadsChangeNothing() throws {
    let series = try DICOMStudy(
      StudyFolder("\(ReferenceCase.folder)/jpeg_lossless/study"), threads: 4
    )
    .series()
    let volumes = try [1, 3, 64].map { try series.read(.dcm2niix, threads: $0) }
    #expect(volumes.allSatisfy { $0.values == volumes[0].values })
  }

  /// As `rule` spells it.
  private func outcome(of name: String) -> String {
    do throws(DICOMError) {
      let study = try DICOMStudy(
        StudyFolder("\(ReferenceCase.folder)/\(name)/study"), threads: 2)
      guard study.candidates.count == 1 else { return "choose:\(study.candidates.count)" }
      _ = try study.series().read(.asScanned, threads: 2)
      return "read"
    } catch { return "refuse:\(error.reason.rawValue)" }
  }
}

extension DICOMVolume {
  /// Whether voxels and affine are those of an image, relative to the largest of each; NaN never is.
  func agrees(with image: ReferenceCase.Image, affineTolerance: Double = 1e-6) -> Bool {
    guard shape == image.array.shape, values.count == image.array.values.count else { return false }
    let largest = max(1, image.array.values.map(abs).max() ?? 1)
    let extent = max(1, image.affine.joined().map(abs).max() ?? 1)
    let lengths = (0..<3).map { column in
      image.affine.reduce(0) { $0 + $1[column] * $1[column] }.squareRoot()
    }
    return zip(values, image.array.values).allSatisfy { abs($0 - $1) <= 1e-6 * largest }
      && zip(affine.joined(), image.affine.joined()).allSatisfy {
        abs($0 - $1) <= affineTolerance * extent
      }
      && zip(spacing.reversed(), lengths).allSatisfy { abs($0 - $1) <= affineTolerance * $1 }
  }
}
