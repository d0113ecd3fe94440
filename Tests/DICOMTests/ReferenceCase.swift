// SPDX-License-Identifier: Apache-2.0
import Foundation
import NPY
import TestSupport

/// One of the folders of `Fixtures/dicom`: a series, and what SimpleITK and dcm2niix made of it.
struct ReferenceCase: Decodable {
  struct SimpleITKImage: Decodable {
    let array: String?
    let spacing: [Double]?
    let origin: [Double]?
    let direction: [Double]?
  }

  struct NIfTI: Decodable {
    let array: String?
    let affine: [[Double]]
  }

  struct DCM2NIIX: Decodable {
    let volumes: [NIfTI]
  }

  /// An array `[z, y, x]` with the first three rows of its affine in RAS.
  struct Image {
    let array: NPYArray
    let affine: [[Double]]
  }

  /// `read`, `read:<what it takes>`, `choose:<count>` or `refuse:<kind>`.
  let rule: String
  let sitk: [SimpleITKImage]?
  let dcm2niix: DCM2NIIX?
  /// Where the rule differs from a tool on purpose.
  let deviates: [String: String]?

  static let folder = Fixtures.folder + "/dicom"

  static let names: [String] = (try? Fixtures.names(in: folder)) ?? []

  init(_ name: String) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: "\(Self.folder)/\(name)/case.json"))
    self = try JSONDecoder().decode(ReferenceCase.self, from: data)
  }

  /// What a reader is to do: JPEG-LS and JPEG 2000 are refused by name.
  var outcome: String {
    switch rule {
    case "read:jpeg-ls", "read:jpeg2000": "refuse:syntax"
    case _ where rule.hasPrefix("read"): "read"
    default: rule
    }
  }

  /// SimpleITK's images, multi-frame files of one volume as three axes.
  func simpleITKImages(in name: String) throws -> [Image] {
    guard deviates?["sitk"] == nil else { return [] }
    return try (sitk ?? []).compactMap { image in
      guard let file = image.array, let spacing = image.spacing, let origin = image.origin,
        let direction = image.direction
      else { return nil }
      let array = try NPYArray(contentsOf: "\(Self.folder)/\(name)/\(file)")
      let width = direction.count == 16 ? 4 : 3
      let affine = (0..<3).map { row in
        ((0..<3).map { direction[row * width + $0] * spacing[$0] } + [origin[row]])
          .map { row < 2 ? -$0 : $0 }
      }
      return Image(
        array: NPYArray(shape: Array(array.shape.suffix(3)), values: array.values), affine: affine)
    }
  }

  /// dcm2niix's images; of four-dimensional ones every volume.
  func dcm2niixImages(in name: String) throws -> [Image] {
    guard deviates?["dcm2niix"] == nil else { return [] }
    return try (dcm2niix?.volumes ?? []).flatMap { volume -> [Image] in
      guard let file = volume.array else { return [] }
      let array = try NPYArray(contentsOf: "\(Self.folder)/\(name)/\(file)")
      let count = array.shape.suffix(3).reduce(1, *)
      return stride(from: 0, to: array.values.count, by: count).map { start in
        Image(
          array: NPYArray(
            shape: Array(array.shape.suffix(3)),
            values: Array(array.values[start..<start + count])),
          affine: Array(volume.affine.prefix(3)))
      }
    }
  }
}
