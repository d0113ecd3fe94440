// SPDX-License-Identifier: Apache-2.0
/// Mean and population standard deviation of every feature: scikit-learn's `StandardScaler`.
package struct Standardization: Sendable, Equatable {
  package let mean: [Double]
  /// 1 for a feature that is constant.
  package let scale: [Double]
  /// The features that do not vary, whose scale is 1.
  package let constantFeatures: [Int]

  package init(_ features: Matrix) {
    let count = Double(features.rows)
    var mean = [Double](repeating: 0, count: features.columns)
    for row in 0..<features.rows {
      for (column, value) in features.row(row).enumerated() { mean[column] += value }
    }
    for column in mean.indices { mean[column] /= count }
    var variance = [Double](repeating: 0, count: features.columns)
    for row in 0..<features.rows {
      for (column, value) in features.row(row).enumerated() {
        let difference = value - mean[column]
        variance[column] += difference * difference
      }
    }
    var constant: [Int] = []
    scale = variance.indices.map { column in
      let own = variance[column] / count
      // What rounding alone makes of equal numbers: scikit-learn's `_is_constant_feature`.
      let rounding = count * mean[column] * Double.ulpOfOne
      guard own > count * Double.ulpOfOne * own + rounding * rounding else {
        constant.append(column)
        return 1
      }
      return own.squareRoot()
    }
    self.mean = mean
    constantFeatures = constant
  }

  /// Features less their mean, divided by their scale.
  package func apply(to features: Matrix) -> Matrix {
    var result = features
    for row in 0..<features.rows {
      for column in 0..<features.columns {
        result[row, column] = (features[row, column] - mean[column]) / scale[column]
      }
    }
    return result
  }
}
