// SPDX-License-Identifier: Apache-2.0
/// The rotation of a file that is written, to the last bit as nnU-Net's writers compute it.
struct RotationFrame {
  /// `srow` without what is added.
  let rows: [[Float]]
  let isLeftHanded: Bool
  /// `b`, `c`, `d` of a unit quaternion with `a ≥ 0`.
  let quaternion: [Double]

  /// ITK's `SetNIfTIOrientationFromImageIO` with niftilib's float32 matrices.
  init?(itk geometry: ScanGeometry) {
    let direction = geometry.affine.matrix.map { Double(Float($0)) }
    guard let matrix = FloatRotation.orthogonal(direction.transposed)?.transposed,
      let proper = FloatRotation.orthogonal(
        matrix.normalized.map { Double(Float($0)) }, isUnit: true)
    else { return nil }
    let scales = geometry.spacing.map { Float($0) }
    rows = (0..<3).map { row in
      (0..<3).map { column in
        // A plane's third axis has no spacing.
        let isScaled = !geometry.isTwoDimensional || (row < 2 && column < 2)
        return isScaled ? scales[column] * Float(matrix[row, column]) : Float(matrix[row, column])
      }
    }
    (isLeftHanded, quaternion) = Self.quaternion(of: proper)
  }

  /// nibabel's `set_sform` and `set_qform`.
  init?(nibabel geometry: ScanGeometry) {
    let matrix = geometry.affine.matrix
    guard matrix.isFinite, let rotation = matrix.normalized.nearestOrthogonal else { return nil }
    rows = matrix.rows.map { $0.map { Float($0) } }
    (isLeftHanded, quaternion) = Self.quaternion(of: rotation)
  }

  /// niftilib's `nifti_mat44_to_quatern`: the third axis of what is left-handed is flipped.
  private static func quaternion(of matrix: Matrix3) -> (isLeftHanded: Bool, quaternion: [Double]) {
    var m = matrix
    let isLeftHanded = m.determinant <= 0
    if isLeftHanded { for row in 0..<3 { m[row, 2] = -m[row, 2] } }
    let trace = m[0, 0] + m[1, 1] + m[2, 2] + 1
    if trace > 0.5 {
      let a = 0.5 * trace.squareRoot()
      return (
        isLeftHanded,
        [
          0.25 * (m[2, 1] - m[1, 2]) / a, 0.25 * (m[0, 2] - m[2, 0]) / a,
          0.25 * (m[1, 0] - m[0, 1]) / a,
        ]
      )
    }
    let squares = [
      1 + m[0, 0] - (m[1, 1] + m[2, 2]), 1 + m[1, 1] - (m[0, 0] + m[2, 2]),
      1 + m[2, 2] - (m[0, 0] + m[1, 1]),
    ]
    // The axis that the rotation is clearest about.
    let i = squares[0] > 1 ? 0 : squares[1] > 1 ? 1 : 2
    let (j, k) = ((i + 1) % 3, (i + 2) % 3)
    var result = [0.0, 0, 0]
    result[i] = 0.5 * squares[i].squareRoot()
    result[j] = 0.25 * (m[i, j] + m[j, i]) / result[i]
    result[k] = 0.25 * (m[i, k] + m[k, i]) / result[i]
    let a = 0.25 * (m[k, j] - m[j, k]) / result[i]
    return (isLeftHanded, a < 0 ? result.map { -$0 } : result)
  }
}

/// niftilib's arithmetic in float32; numbers are held as doubles and rounded where niftilib rounds.
private enum FloatRotation {
  private static func float(_ value: Double) -> Double { Double(Float(value)) }

  /// `nifti_make_orthog_mat44`: rows are made unit vectors, then the nearest orthogonal matrix is taken.
  static func orthogonal(_ matrix: Matrix3, isUnit: Bool = false) -> Matrix3? {
    var matrix = matrix
    if !isUnit {
      for row in 0..<3 {
        let squares = (0..<3).map { float(matrix[row, $0] * matrix[row, $0]) }
        let length = float(float(squares[0] + squares[1]) + squares[2])
        guard length > 0 else { return nil }
        let scale = float(1 / length.squareRoot())
        for column in 0..<3 { matrix[row, column] = float(matrix[row, column] * scale) }
      }
    }
    guard matrix.isFinite, matrix.determinant != 0 else { return nil }
    return polar(matrix)
  }

  /// `nifti_mat33_polar`: Newton's iteration, scaled as long as it is far from its end.
  private static func polar(_ matrix: Matrix3) -> Matrix3 {
    var current = matrix
    var change = 1.0
    for _ in 0...100 {
      let inverse = current.inverse.map(float)
      var (own, others) = (1.0, 1.0)
      if change > 0.3 {
        let alpha = float(float(rowNorm(current) * rowNorm(current.transposed)).squareRoot())
        let beta = float(float(rowNorm(inverse) * rowNorm(inverse.transposed)).squareRoot())
        own = float(float(beta / alpha).squareRoot())
        others = float(1 / own)
      }
      var next = current
      var sum = 0.0
      for row in 0..<3 {
        for column in 0..<3 {
          next[row, column] = float(
            0.5 * float(float(own * current[row, column]) + float(others * inverse[column, row])))
          sum += abs(float(next[row, column] - current[row, column]))
        }
      }
      change = float(sum)
      current = next
      if change < 3e-6 { break }
    }
    return current
  }

  private static func rowNorm(_ matrix: Matrix3) -> Double {
    matrix.rows.map { float(abs($0[0]) + abs($0[1]) + abs($0[2])) }.max() ?? 0
  }
}
