// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Report

/// Three directions, one of each pair, in every order: the 48 ways in which an array can lie.
private let orientations: [[Character]] = {
  let pairs: [[Character]] = [["R", "L"], ["A", "P"], ["S", "I"]]
  let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
  return orders.flatMap { order in
    (0..<8).map { signs in order.map { pairs[$0][signs >> $0 & 1] } }
  }
}()

@Suite struct SliceDrawingTests {
  @Test(
    "right is left, anterior and superior are on top, however the array lies",
    arguments: orientations)
  func radiologicalOrientation(directions: [Character]) {
    let shape = [4, 5, 6]
    // One bright voxel in the corner that is most right, anterior and superior.
    let corner = (0..<3).map { "RAS".contains(directions[$0]) ? shape[$0] - 1 : 0 }
    var values = [Float](repeating: 0, count: 120)
    values[(corner[0] * 5 + corner[1]) * 6 + corner[2]] = 1
    let volume = OrientedVolume(
      shape: shape, spacing: [1, 1, 1], directions: directions, isOriented: false,
      values: values[...])
    let drawing = SliceDrawing(volume, window: 0...1, scale: 3)
    for plane in AnatomicalPlane.allCases {
      let picture = drawing.picture(plane, through: corner)
      let isSagittal = plane == .sagittal
      #expect(picture[0, 0] == Picture.Color(gray: 255), "\(plane.name)")
      #expect(picture[picture.width - 1, picture.height - 1] == Picture.Color(gray: 0))
      let size = drawing.size(plane)
      let axes = isSagittal ? ["A", "S"] : plane == .axial ? ["R", "A"] : ["R", "S"]
      let expected = axes.map { letter in
        let pair: [Character] = [Character(letter), AnatomicalPlane.opposite(Character(letter))]
        return 3 * shape[directions.firstIndex(where: pair.contains) ?? 0]
      }
      #expect([size.width, size.height] == expected)
    }
  }

  @Test("anisotropic voxels are drawn in millimetres")
  func millimetres() {
    let volume = OrientedVolume(
      shape: [2, 10, 20], spacing: [5, 1, 0.5], isOriented: false,
      values: [Float](repeating: 0, count: 400)[...])
    let size = SliceDrawing(volume, window: 0...1, scale: 2).size(.coronal)
    #expect(size.width == 20 && size.height == 20)
  }

  @Test("labels are outlined at their boundary, and only there")
  func labelOutlines() {
    let volume = OrientedVolume(
      shape: [1, 9, 9], spacing: [1, 1, 1], isOriented: false,
      values: [Float](repeating: 0, count: 81)[...])
    var drawing = SliceDrawing(volume, window: 0...1, scale: 1)
    drawing.label = { (2...6).contains($0[1]) && (2...6).contains($0[2]) ? 3 : 0 }
    let picture = drawing.picture(.axial, through: [0, 0, 0])
    #expect(picture[2, 2] == SliceDrawing.color(ofLabel: 3))
    #expect(picture[4, 4] == Picture.Color(gray: 0))
    #expect(picture[1, 4] == Picture.Color(gray: 0))
  }

  @Test("voxels that are no numbers are black, and do not spoil the window")
  func notANumber() {
    var values: [Float] = (0..<1_000).map(Float.init)
    values[0] = .nan
    values[1] = .infinity
    let volume = OrientedVolume(
      shape: [10, 10, 10], spacing: [1, 1, 1], isOriented: false, values: values[...])
    let window = volume.percentileWindow()
    #expect(window.lowerBound < 20 && window.upperBound > 980 && window.upperBound < 1_000)
    let drawing = SliceDrawing(volume, window: window, scale: 1)
    #expect(drawing.picture(.axial, through: [0, 0, 0])[0, 0] == Picture.Color(gray: 0))
  }
}

/// What a page holds of pictures.
@Suite struct DataAddressTests {
  @Test func aPictureIsItsBytesInBase64() throws {
    var picture = Picture(width: 2, height: 1)
    picture[1, 0] = Picture.Color(gray: 255)
    let address = picture.dataAddress()
    let text = try #require(address.split(separator: ",").last)
    #expect(address.hasPrefix("data:image/png;base64,"))
    #expect(try Array(#require(Data(base64Encoded: String(text)))) == picture.png())
  }
}
