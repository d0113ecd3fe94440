// SPDX-License-Identifier: Apache-2.0
/// How nibabel 5 reads a NIfTI header.
///
/// Source: nibabel `nifti1.py` (`_get_checks`, `get_best_affine`), `analyze.py`.
struct NibabelRules {
  let header: NIfTIHeader
  let reorients: Bool

  private typealias Refusal = ScanLayout.Refusal

  func layout() throws(ScanLayout.Refusal) -> ScanLayout {
    guard header.magic != .none, header.version == 2 || [0x31, 0x2B].contains(header.magicBytes[2])
    else { throw Refusal("has no NIfTI magic (ANALYZE 7.5?) — convert it to .nii") }
    var problems: [String] = []
    let sizes = try sizes()
    let stated = spacing(&problems)
    let (slope, intercept) = try scaling()
    let affine = try affine(sizes, stated, &problems)
    let orientation = ScanOrientation(affine: affine.matrix)
    guard !reorients || orientation != nil else {
      throw Refusal(
        "its affine \(affine.fault), so that it cannot be turned — set its header right")
    }
    // Once axes are turned, nibabel takes spacing from the affine.
    let spacing =
      reorients && orientation != .ras ? affine.matrix.lengths.map { Double(Float($0)) } : stated
    if let axis = spacing.firstIndex(where: { !$0.isFinite }) {
      throw Refusal("pixdim[\(axis + 1)] is \(spacing[axis]), no spacing")
    }
    return ScanLayout(
      sizes: sizes, volumeCount: 1, isTwoDimensional: false,
      dataOffset: try dataOffset(&problems), slope: slope, intercept: intercept,
      spacing: spacing, affine: affine, orientation: orientation, problems: problems)
  }

  private func sizes() throws(ScanLayout.Refusal) -> [Int] {
    let dimensions = header.dimensions
    let sizes = Array(dimensions[1...dimensions[0]])
    if let axis = sizes.firstIndex(where: { $0 < 1 }) {
      throw Refusal("dim[\(axis + 1)] is \(sizes[axis]) — the image is empty")
    }
    guard sizes.count == 3 else {
      throw Refusal(
        "has \(sizes.count) axes \(sizes), and NibabelIO, the reader that the model names, takes 3 — "
          + (sizes.count > 3 ? "give every volume as a file of its own" : "add an axis"))
    }
    return sizes
  }

  private func spacing(_ problems: inout [String]) -> [Double] {
    var spacing: [Double] = []
    for axis in 1...3 {
      let value = header.pixdim[axis]
      if value == 0 { problems.append("pixdim[\(axis)] is 0; read as 1 mm") }
      spacing.append(value == 0 ? 1 : abs(value))
    }
    return spacing
  }

  private func scaling() throws(ScanLayout.Refusal) -> (slope: Double, intercept: Double) {
    guard header.slope.isFinite, header.slope != 0 else { return (1, 0) }
    guard header.intercept.isFinite else {
      throw Refusal("scl_inter is \(header.intercept), which nibabel refuses — set it to 0")
    }
    return (header.slope, header.intercept)
  }

  private func dataOffset(_ problems: inout [String]) throws(ScanLayout.Refusal) -> Int {
    let stated = header.voxelOffset
    guard stated.isFinite, abs(stated) <= 1e9 else { throw Refusal("vox_offset is \(stated)") }
    let least = header.version == 2 ? 544 : header.magic == .single ? 352 : 348
    guard stated >= Double(least) else {
      throw Refusal(
        "vox_offset is \(stated), with which nibabel reads nothing or the header itself — "
          + "\(least) is the least")
    }
    if stated != stated.rounded() {
      problems.append("vox_offset is \(stated); voxels are read from byte \(Int(stated))")
    }
    return Int(stated)
  }

  // MARK: - Orientation

  /// The sform before the qform before the header's own.
  private func affine(
    _ sizes: [Int], _ spacing: [Double], _ problems: inout [String]
  ) throws(ScanLayout.Refusal) -> Affine {
    // Codes that are none count as 0.
    func isKnown(_ code: Int) -> Bool { (1...5).contains(code) }
    if isKnown(header.sformCode) {
      let sform = header.sform
      if !sform.isFinite || sform.matrix.normalized.distanceFromOrthonormal > 1e-4 {
        problems.append("its sform \(sform.fault)")
      }
      return sform
    }
    if isKnown(header.qformCode) { return try qform(spacing) }
    // x runs to the left, and the middle of the image is the origin.
    let steps = zip(spacing, [-1.0, 1, 1]).map { $0 * $1 }
    return Affine(
      matrix: .diagonal(steps), offset: zip(steps, sizes).map { -$0 * Double($1 - 1) / 2 })
  }

  private func qform(_ spacing: [Double]) throws(ScanLayout.Refusal) -> Affine {
    let (b, c, d) = (header.quaternion[0], header.quaternion[1], header.quaternion[2])
    let square = 1 - (b * b + c * c + d * d)
    // Three steps of float32 around 0 are half a turn.
    let isHalfTurn = abs(square) < 3 * Double(Float.ulpOfOne)
    guard isHalfTurn || square >= 0 else {
      throw Refusal("its qform is broken: quatern_b, c and d are no part of a rotation")
    }
    let a = isHalfTurn ? 0 : square.squareRoot()
    let scale = 2 / (a * a + b * b + c * c + d * d)
    var scales = spacing
    if header.pixdim[0] == -1 { scales[2] = -scales[2] }
    let rotation = [
      [1 - scale * (c * c + d * d), scale * (b * c - a * d), scale * (b * d + a * c)],
      [scale * (b * c + a * d), 1 - scale * (b * b + d * d), scale * (c * d - a * b)],
      [scale * (b * d - a * c), scale * (c * d + a * b), 1 - scale * (b * b + c * c)],
    ]
    return Affine(
      matrix: Matrix3(rotation.map { row in zip(row, scales).map { $0 * $1 } }),
      offset: header.qoffset)
  }
}
