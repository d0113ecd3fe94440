// SPDX-License-Identifier: Apache-2.0
/// How SimpleITK 2.5 (ITK 5.4 with niftilib) reads a NIfTI header.
///
/// Source: ITK `itkNiftiImageIO.cxx`, niftilib `nifti_convert_nhdr2nim`.
struct SimpleITKRules {
  let header: NIfTIHeader
  let reorients: Bool

  private typealias Refusal = ScanLayout.Refusal

  func layout() throws(ScanLayout.Refusal) -> ScanLayout {
    var problems: [String] = []
    let sizes = try sizes(&problems)
    let spacings = spacings(&problems)
    // Of ANALYZE headers, ITK takes no more than sizes and spacing.
    let isNIfTI = header.magic != .none
    let unit: Double =
      switch header.xyztUnits & 7 {
      case 1 where isNIfTI: 1000
      case 3 where isNIfTI: 0.001
      default: 1
      }
    let form: Affine? = isNIfTI ? try form(spacings, &problems) : nil
    let rank = sizes.count
    guard rank == 3 || rank == 2 || rank == 4 else {
      throw Refusal("has \(rank) axes — images with 2 to 4 are read")
    }
    if reorients, rank != 3 {
      throw Refusal("has \(rank) axes — SimpleITKIOWithReorient turns images with 3")
    }
    let (slope, intercept) = scaling(isNIfTI: isNIfTI, &problems)
    let affine = direction(of: form, rank: rank, unit: unit, flipping: spacings.map { $0 < 0 })
    guard rank != 2 || affine.matrix.determinant != 0 else {
      throw Refusal("is one plane that lies edge-on in its affine — SimpleITK refuses it")
    }
    return ScanLayout(
      sizes: Array((sizes + [1]).prefix(3)), volumeCount: rank == 4 ? sizes[3] : 1,
      isTwoDimensional: rank == 2, dataOffset: try dataOffset(isNIfTI: isNIfTI, &problems),
      slope: slope, intercept: intercept,
      spacing: (0..<3).map { $0 < rank ? abs(spacings[$0]) * unit : 1 }, affine: affine,
      orientation: ScanOrientation(directionCosines: affine.matrix), problems: problems)
  }

  /// Axes from the fourth on are left out as long as the last one has one entry.
  private func sizes(_ problems: inout [String]) throws(ScanLayout.Refusal) -> [Int] {
    let dimensions = header.dimensions
    var sizes = Array(dimensions[1...dimensions[0]])
    guard sizes[0] > 0 else { throw Refusal("dim[1] is \(sizes[0]) — the image is empty") }
    for axis in sizes.indices where sizes[axis] < 1 {
      problems.append("dim[\(axis + 1)] is \(sizes[axis]); read as 1")
      sizes[axis] = 1
    }
    // Displacements and vectors are of fewer axes, as their components lie on the fifth.
    let isVector = [1006, 1007].contains(header.intentCode)
    if [1004, 1005].contains(header.intentCode) || isVector && sizes.count > 4 && sizes[4] > 1 {
      throw Refusal("has intent \(header.intentCode) (vectors or matrices) — scans are scalar")
    }
    while sizes.count > (isVector ? 1 : 3), sizes.last == 1 { sizes.removeLast() }
    if sizes.count > 4 {
      throw Refusal("has \(sizes.count) axes \(sizes) — images with 2 to 4 are read")
    }
    return sizes
  }

  /// `pixdim` of x, y, z as niftilib repairs it.
  private func spacings(_ problems: inout [String]) -> [Double] {
    (1...3).map { axis in
      let value = header.pixdim[axis]
      guard axis <= header.dimensions[0], value == 0 || !value.isFinite else { return value }
      problems.append("pixdim[\(axis)] is \(value); read as 1 mm")
      return 1
    }
  }

  private func scaling(
    isNIfTI: Bool, _ problems: inout [String]
  ) -> (slope: Double, intercept: Double) {
    guard isNIfTI else { return (1, 0) }
    func good(_ value: Double, _ name: String) -> Double {
      guard !value.isFinite else { return value }
      // Writers mark "not scaled" this way.
      if name != "scl_slope" || !value.isNaN { problems.append("\(name) is \(value); read as 0") }
      return 0
    }
    let slope = good(header.slope, "scl_slope")
    let intercept = good(header.intercept, "scl_inter")
    guard abs(slope) < Double.ulpOfOne else { return (slope, intercept) }
    if intercept != 0 {
      problems.append(
        "scl_slope is \(header.slope) with scl_inter \(intercept); SimpleITK adds scl_inter all the same"
      )
    }
    return (1, intercept)
  }

  private func dataOffset(
    isNIfTI: Bool, _ problems: inout [String]
  ) throws(ScanLayout.Refusal) -> Int {
    let stated = header.voxelOffset
    guard stated.isFinite, abs(stated) <= 1e9 else { throw Refusal("vox_offset is \(stated)") }
    let least = header.version == 2 ? 544 : header.magic == .single ? 348 : 0
    let offset = max(Int(stated), least)
    guard offset >= header.byteCount else {
      throw Refusal("vox_offset is \(stated) — the header itself would be read as voxels")
    }
    if stated != Double(offset) || offset < (header.version == 2 ? 544 : 352) {
      problems.append(
        "vox_offset is \(stated); voxels are read from byte \(offset), as SimpleITK does")
    }
    return offset
  }

  // MARK: - Orientation

  /// The form that counts, columns with spacing; `nil` where there is none.
  private func form(
    _ spacings: [Double], _ problems: inout [String]
  ) throws(ScanLayout.Refusal) -> Affine? {
    let (hasQform, hasSform) = (header.qformCode > 0, header.sformCode > 0)
    guard hasQform || hasSform else { return nil }
    let qform =
      hasQform ? qform(spacings) : Affine(matrix: .diagonal(spacings), offset: [0, 0, 0])
    let sform =
      hasSform ? header.sform : Affine(matrix: .diagonal([0, 0, 0]), offset: [0, 0, 0])
    let isSound = sform.isFinite && sform.matrix.normalized.distanceFromOrthonormal <= 1e-4
    if hasSform, !isSound {
      problems.append("its sform \(sform.fault)\(hasQform ? "; SimpleITK takes the qform" : "")")
    }
    // A NaN counts as near, as in ITK's comparisons.
    func isNear(_ first: [Double], _ second: [Double], _ bound: Double) -> Bool {
      zip(first, second).allSatisfy { !(abs($0 - $1) > bound) }
    }
    var prefersSform =
      zip(sform.matrix.rows, qform.matrix.rows).allSatisfy { isNear($0, $1, 1e-5) }
      && !(zip(sform.offset, qform.offset).reduce(0) { $0 + abs($1.0 - $1.1) } > 1e-7)
    if isSound {
      prefersSform =
        !hasQform || header.sformCode == 1
        || isNear(sform.offset, qform.offset, 1e-4) && haveSameAxes(sform.matrix, qform.matrix)
    }
    if prefersSform { return sform }
    guard hasQform else {
      throw Refusal(
        "its sform \(sform.fault) and there is no qform; SimpleITK, the reader that the model names, "
          + "refuses it — resample the scan to perpendicular axes or set its header right")
    }
    if hasSform, isSound,
      ScanOrientation(directionCosines: sform.matrix.normalized)
        != ScanOrientation(directionCosines: qform.matrix.normalized)
    {
      problems.append("its sform and qform name different orientations; SimpleITK takes the qform")
    }
    return qform
  }

  /// ITK compares the left singular vectors, which do not tell whether an axis runs backwards and which
  /// mean little where spacings are equal.
  private func haveSameAxes(_ sform: Matrix3, _ qform: Matrix3) -> Bool {
    let (lengths, others) = (sform.lengths, qform.lengths)
    guard zip(lengths, others).allSatisfy({ abs($0 - $1) <= 1e-4 }) else { return false }
    let sorted = lengths.sorted()
    let areDistinct = (0..<2).allSatisfy { sorted[$0 + 1] - sorted[$0] > 1e-3 * sorted[2] }
    let (first, second) = (sform.normalized, qform.normalized)
    return (0..<3).allSatisfy { column in
      let (a, b) = (first.column(column), second.column(column))
      let isBackwards = zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } < 0
      return zip(a, b).allSatisfy {
        abs($0 - (isBackwards ? -$1 : $1)) <= (areDistinct ? 1e-4 : 3e-7)
      }
    }
  }

  /// niftilib's `nifti_quatern_to_mat44`: in double, rounded to float32.
  private func qform(_ spacings: [Double]) -> Affine {
    func good(_ values: [Double]) -> [Double] { values.map { $0.isFinite ? $0 : 0 } }
    var (b, c, d) = (
      good(header.quaternion)[0], good(header.quaternion)[1], good(header.quaternion)[2]
    )
    var a = 1 - (b * b + c * c + d * d)
    if a < 1e-7 {
      // Half a turn: the axis is made a unit vector.
      a = 1 / (b * b + c * c + d * d).squareRoot()
      (b, c, d) = (b * a, c * a, d * a)
      a = 0
    } else {
      a = a.squareRoot()
    }
    var scales = spacings.map { $0 > 0 ? $0 : 1 }
    if header.pixdim[0] < 0 { scales[2] = -scales[2] }
    let rotation = [
      [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
      [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
      [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b],
    ]
    return Affine(
      matrix: Matrix3(rotation.map { row in zip(row, scales).map { Double(Float($0 * $1)) } }),
      offset: good(header.qoffset))
  }

  /// ITK's direction cosines and origin, turned from LPS to RAS.
  ///
  /// - Parameter flipping: axes whose `pixdim` is negative.
  private func direction(
    of form: Affine?, rank: Int, unit: Double, flipping: [Bool]
  ) -> Affine {
    // Without a form, ITK's identity points to left, posterior and superior.
    var matrix = form?.matrix ?? Matrix3([[-1, -0.0, -0.0], [-0.0, -1, -0.0], [0, 0, 1]])
    if rank == 2 {
      for index in 0..<3 {
        (matrix[2, index], matrix[index, 2]) = (0, 0)
      }
    }
    matrix = matrix.normalized
    if rank == 2 { matrix[2, 2] = 1 }
    // In LPS, SimpleITK has no negative zeros off the diagonal.
    for row in 0..<3 {
      for column in 0..<3 where row != column && matrix[row, column] == 0 {
        matrix[row, column] = row < 2 ? -0.0 : 0
      }
    }
    for column in 0..<min(rank, 3) where flipping[column] {
      for row in 0..<3 { matrix[row, column] = -matrix[row, column] }
    }
    var offset = (form?.offset ?? [-0.0, -0.0, 0]).map { $0 * unit }
    if rank == 2 { offset[2] = 0 }
    return Affine(matrix: matrix, offset: offset)
  }
}
