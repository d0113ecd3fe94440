// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat
internal import SWTRuntime

/// How far features lie from those of a classifier's training: the squared Mahalanobis distance to the
/// nearest class, as `spec/swt.md` defines it.
struct ForeignScore: Sendable {
  private let means: [Float]
  private let form: Form

  private enum Form: Sendable {
    case full(precision: [Float])
    case lowRank(scale: [Float], directions: [Float])
  }

  /// `nil` where the model's classifier has none.
  init?(_ model: Model) {
    guard let fitted = model.description.classifier?.outOfDistribution,
      let means = model.values(ofTensor: Classifier.meanName)
    else { return nil }
    self.means = means
    switch fitted.precision {
    case .full:
      guard let precision = model.values(ofTensor: Classifier.precisionName) else { return nil }
      form = .full(precision: precision)
    case .lowRank:
      guard let scale = model.values(ofTensor: Classifier.scaleName),
        let directions = model.values(ofTensor: Classifier.directionsName)
      else { return nil }
      form = .lowRank(scale: scale, directions: directions)
    }
  }

  func square(_ features: [Float]) -> Double {
    let width = features.count
    var smallest = Double.infinity
    for start in stride(from: 0, to: means.count, by: max(width, 1)) {
      let difference = (0..<width).map { Double(features[$0]) - Double(means[start + $0]) }
      smallest = min(smallest, square(difference))
    }
    return smallest
  }

  private func square(_ difference: [Double]) -> Double {
    let width = difference.count
    switch form {
    case .full(let precision):
      return (0..<width).reduce(0) { sum, row in
        sum + difference[row] * Self.dot(precision[(row * width)..<((row + 1) * width)], difference)
      }
    case .lowRank(let scale, let directions):
      let scaled = (0..<width).map { difference[$0] * Double(scale[$0]) }
      let whole = scaled.reduce(0) { $0 + $1 * $1 }
      return stride(from: 0, to: directions.count, by: width).reduce(whole) { rest, start in
        let part = Self.dot(directions[start..<start + width], scaled)
        return rest - part * part
      }
    }
  }

  private static func dot(_ row: ArraySlice<Float>, _ vector: [Double]) -> Double {
    zip(row, vector).reduce(0) { $0 + Double($1.0) * $1.1 }
  }
}
