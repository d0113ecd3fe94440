// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// How a stack of slices lies in the patient: i runs along rows, j along columns, k from slice to slice.
struct StackGeometry: Sendable {
  /// Unit vectors of i, j and k: left, posterior, superior.
  let directions: [[Double]]
  /// Of i, j and k, in mm.
  let spacing: [Double]
  /// The middle of the first voxel.
  let origin: [Double]

  /// Puts slices in order and checks that they make a straight, even and complete stack.
  ///
  /// - Throws: `DICOMError`, of the kinds geometry, size, orientation, position, spacing and tilt.
  static func ordering(
    _ slices: [Slice]
  ) throws(DICOMError) -> (slices: [Slice], geometry: StackGeometry) {
    let first = slices[0]
    guard let orientation = first.orientation, let pixelSpacing = first.pixelSpacing,
      slices.allSatisfy({ $0.position != nil && $0.orientation != nil && $0.pixelSpacing != nil })
    else {
      throw DICOMError(.geometry, "has images without position, orientation or pixel spacing")
    }
    guard
      slices.allSatisfy({
        $0.format.rows == first.format.rows && $0.format.columns == first.format.columns
      })
    else { throw DICOMError(.size, "has slices of different rows or columns") }
    guard slices.allSatisfy({ $0.frameOfReference == first.frameOfReference }) else {
      throw DICOMError(.geometry, "has slices of different frames of reference")
    }
    guard slices.allSatisfy({ differ($0.orientation, orientation, by: 1e-3) == false }) else {
      throw DICOMError(.orientation, "has slices of different orientations")
    }
    let largest = max(pixelSpacing[0], pixelSpacing[1])
    guard slices.allSatisfy({ differ($0.pixelSpacing, pixelSpacing, by: 1e-4 * largest) == false })
    else { throw DICOMError(.geometry, "has slices of different pixel spacings") }
    let directions = try axes(rows: Array(orientation[..<3]), columns: Array(orientation[3...]))
    let normal = directions[2]
    let ordered = slices.map { ($0, place: dot(normal, $0.position ?? [])) }
      .sorted { $0.place < $1.place }
    let way = difference(ordered[ordered.count - 1].0.position ?? [], ordered[0].0.position ?? [])
    let step =
      ordered.count == 1
      ? first.thickness ?? 1
      : try step(
        places: ordered.map(\.place), way: way, normal: normal,
        pixel: min(pixelSpacing[0], pixelSpacing[1]))
    let spacing = [pixelSpacing[1], pixelSpacing[0], step]
    guard spacing.allSatisfy(DICOMLimits.spacing.contains) else {
      throw DICOMError(
        .geometry,
        "has a spacing of \(spacing.map { Millimetres.text($0) }.joined(separator: " × ")) mm")
    }
    return (
      ordered.map(\.0),
      StackGeometry(
        directions: directions, spacing: spacing, origin: ordered[0].0.position ?? [])
    )
  }

  /// The directions made orthogonal as ITK does it: the columns keep their plane, not the rows.
  private static func axes(rows: [Double], columns: [Double]) throws(DICOMError) -> [[Double]] {
    guard abs(dot(rows, rows) - 1) <= 1e-2, abs(dot(columns, columns) - 1) <= 1e-2,
      abs(dot(rows, columns)) <= 1e-2
    else {
      throw DICOMError(.orientation, "has rows and columns that are not at right angles")
    }
    let normal = normalised(cross(rows, columns))
    let straightRows = normalised(cross(columns, normal))
    return [straightRows, cross(normal, straightRows), normal]
  }

  /// The distance between slices, which has to be the same all the way along the normal.
  private static func step(
    places: [Double], way: [Double], normal: [Double], pixel: Double
  ) throws(DICOMError) -> Double {
    let steps = zip(places.dropFirst(), places).map { $0 - $1 }
    let mean = (places[places.count - 1] - places[0]) / Double(steps.count)
    let (least, most) = (steps.min() ?? 0, steps.max() ?? 0)
    guard mean > 0, least >= 1e-3 * mean else {
      throw DICOMError(.position, "has two images at one place")
    }
    guard max(mean - least, most - mean) <= max(0.01 * mean, 0.02) else {
      throw DICOMError(
        .spacing,
        "has slices from \(Millimetres.text(least)) to \(Millimetres.text(most)) mm apart: is one missing?"
      )
    }
    let along = dot(way, normal)
    let sideways = difference(way, normal.map { $0 * along })
    let drift = dot(sideways, sideways).squareRoot()
    guard drift <= max(0.5 * pixel, 0.1) else {
      throw DICOMError(
        .tilt,
        "has slices that shift sideways by \(Millimetres.text(drift)) mm in all: a tilted gantry?")
    }
    return dot(way, way).squareRoot() / Double(steps.count)
  }

  private static func differ(_ first: [Double]?, _ second: [Double], by tolerance: Double) -> Bool?
  {
    first.map { zip($0, second).contains { !(abs($0 - $1) <= tolerance) } }
  }

  private static func dot(_ first: [Double], _ second: [Double]) -> Double {
    zip(first, second).reduce(0) { $0 + $1.0 * $1.1 }
  }

  private static func difference(_ first: [Double], _ second: [Double]) -> [Double] {
    zip(first, second).map { $0 - $1 }
  }

  private static func cross(_ a: [Double], _ b: [Double]) -> [Double] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
  }

  private static func normalised(_ vector: [Double]) -> [Double] {
    let length = dot(vector, vector).squareRoot()
    return vector.map { $0 / length }
  }
}

/// Lengths in messages.
enum Millimetres {
  /// Rounded to a thousandth.
  static func text(_ length: Double) -> String {
    guard abs(length) < 1e9 else { return "\(length)" }
    let thousandths = Int((abs(length) * 1_000).rounded())
    let digits = "\(thousandths % 1_000)"
    let fraction = String(repeating: "0", count: 3 - digits.count) + digits
    return (length < 0 && thousandths > 0 ? "-" : "") + "\(thousandths / 1_000).\(fraction)"
  }
}
