// SPDX-License-Identifier: Apache-2.0
internal import Preprocessing
internal import SWTFormat
internal import SWTRuntime

/// Puts the class activation maps of windows together on the prepared image's grid.
///
/// A case's pooled features are the mean over its windows, so every window's voxels have that share of
/// theirs in the logits; where windows overlap, shares add up.
struct MapSums {
  private let framing: InputFraming
  /// What the classifier reads, with the first of its columns.
  private let entries: [(pooling: Classifier.Pooling, column: Int)]
  /// `[classes, features]`.
  private let weight: [Float]
  private let features: Int
  private let classes: Int
  private let folds: Int
  /// Of every class, `[z, y, x]` of the image.
  private(set) var values: [[Float]]

  /// `nil` where the model has no classifier.
  init?(_ model: Model, framing: InputFraming) {
    guard let classifier = model.description.classifier,
      let weight = model.values(ofTensor: Classifier.weightName)
    else { return nil }
    let widths = model.description.architecture.featuresPerStage
    var column = 0
    entries = classifier.pooling(stageCount: widths.count).map { pooling in
      defer { column += widths[pooling.stage] }
      return (pooling, column)
    }
    self.framing = framing
    self.weight = weight
    folds = model.foldCount
    features = classifier.inputFeatures
    classes = classifier.classNames.count
    values = [[Float]](
      repeating: [Float](repeating: 0, count: framing.imageShape.dropFirst().reduce(1, *)),
      count: classes)
  }

  /// The stages that have to be computed.
  static func stages(of model: Model) -> Set<Int> {
    let stageCount = model.description.architecture.stages.count
    return Set(model.description.classifier?.pooling(stageCount: stageCount).map(\.stage) ?? [])
  }

  /// Bytes that maps of an image take, beside one on the scan's grid.
  static func byteCount(_ model: Model, _ geometry: PreparedGeometry) -> Int {
    let classes = model.description.classifier?.classNames.count ?? 0
    let image = geometry.shape.dropFirst().reduce(1, *)
    let cropped = geometry.cropBox.reduce(1) { $0 * $1.count }
    let scan = geometry.originalShape.reduce(1, *)
    return (classes * image + cropped + scan) * MemoryLayout<Float>.stride
  }

  /// Every class's logit without its bias, for the features that the classifier reads.
  func parts(ofPooled pooled: [Float]) -> [Double] {
    (0..<classes).map { row in
      let weights = weight[row * features..<(row + 1) * features]
      return zip(weights, pooled).reduce(0.0) { sum, pair in
        sum + Double(pair.0) * Double(pair.1)
      }
    }
  }

  /// Adds the map of a window that a fold of `session` has just run on.
  ///
  /// - Parameter region: the part of the window that features may be pooled of.
  mutating func add(window index: Int, of session: Session, region: PoolingRegion?) {
    for stage in Set(entries.map { $0.pooling.stage }).sorted() {
      let group = entries.filter { $0.pooling.stage == stage }
      session.withFeatures(ofStage: stage) { shape, features in
        let channels = shape[0]
        let inside = region?.contains(
          ofStage: stage, count: shape.dropFirst().reduce(1, *))
        let sizes = shape.count == 3 ? [1] + shape.dropFirst() : Array(shape.dropFirst())
        for row in 0..<classes {
          var map = [Float](repeating: 0, count: sizes.reduce(1, *))
          for entry in group {
            let start = row * self.features + entry.column
            Self.add(
              features, weights: weight[start..<start + channels],
              entry.pooling.statistic, inside: inside, to: &map)
          }
          place(map, sizes: sizes, window: index, row: row)
        }
      }
    }
  }

  /// Adds what a stage's voxels bring, times their number.
  ///
  /// - Parameter inside: the voxels that count for statistics of the nonzero region.
  private static func add(
    _ features: UnsafeBufferPointer<Float>, weights: ArraySlice<Float>,
    _ statistic: Classifier.Pooling.Statistic, inside: [Bool]?, to map: inout [Float]
  ) {
    let count = map.count
    let counted = statistic.isOfNonzero ? inside : nil
    let voxels = map.indices.filter { counted?[$0] ?? true }
    for (channel, weight) in weights.enumerated() {
      let values = UnsafeBufferPointer(rebasing: features[channel * count..<(channel + 1) * count])
      switch statistic {
      case .mean, .nonzeroMean:
        let share = weight * Float(count) / Float(voxels.count)
        for voxel in voxels { map[voxel] += share * values[voxel] }
      case .max, .nonzeroMax:
        // All of it comes from the first voxel that has the maximum.
        guard let voxel = voxels.max(by: { values[$0] < values[$1] }) else { continue }
        map[voxel] += weight * values[voxel] * Float(count)
      }
    }
  }

  /// Adds a window's map of one class where the window lies in the image.
  private mutating func place(_ map: [Float], sizes: [Int], window index: Int, row: Int) {
    let window = framing.windowSizes
    let origin = framing.origin(of: index)
    let extent = Array(framing.imageShape.dropFirst())
    let inside = (0..<3).map { axis in
      max(0, -origin[axis])..<max(0, -origin[axis], min(window[axis], extent[axis] - origin[axis]))
    }
    // Means over a window count as much as it has voxels, those over windows and folds as there are.
    let runCount = framing.windowCount * folds
    let scale =
      Double(extent.reduce(1, *))
      / (Double(window.reduce(1, *)) * Double(runCount))
    let interpolation = MapInterpolation(
      axes: zip(sizes, window).map { LogitsResampling.Axis(linearlyFrom: $0, to: $1) },
      inputShape: sizes)
    values[row].withUnsafeMutableBufferPointer { values in
      for z in inside[0] {
        for y in inside[1] {
          interpolation.add(
            map, z: z, y: y, columns: inside[2], scale: scale, to: values,
            at: ((origin[0] + z) * extent[1] + origin[1] + y) * extent[2] + origin[2]
              + inside[2].lowerBound)
        }
      }
    }
  }
}
