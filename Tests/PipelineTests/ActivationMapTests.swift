// SPDX-License-Identifier: Apache-2.0
import NPY
import Pipeline
import Preprocessing
import SWTFormat
import SWTRuntime
import TestSupport
import Testing

/// Class activation maps: the head's row times the last stage, whose mean is the logit without its bias.
@Suite struct ActivationMapTests {
  private let model: Model
  private let weight: [Float]

  init() throws {
    model = try Models.example()
    weight = try #require(model.values(ofTensor: Classifier.weightName))
  }

  private func maps(_ policy: InputPolicy, shape: [Int]) throws -> (ActivationMaps, EncoderOutput) {
    let pipeline = EncoderPipeline(
      model: model, policy: policy, outputs: SessionOutputs(pooled: true, logits: true),
      pooling: nil, threads: 2, makesMaps: true)
    let output = try pipeline.run(pipeline.makeCase(of: [Self.volume(shape)]))
    return (try #require(output.maps), output)
  }

  /// At the model's spacing and without zeros, so that nothing is resampled or cut off.
  private static func volume(_ shape: [Int]) throws -> Volume {
    let count = shape.reduce(1, *)
    return try Volume(
      shape: shape, spacing: [2, 2, 2],
      values: (0..<count).map { voxel -> Float in
        let noise = voxel * 7919 % 1000
        let step = voxel / (count / 4) * 500
        return Float(noise + step + 1)
      })
  }

  private func mean(_ values: [Float]) -> Double {
    values.reduce(0) { $0 + Double($1) } / Double(values.count)
  }

  private func part(_ output: EncoderOutput, ofClass row: Int) -> Double {
    var sum = 0.0
    for (index, value) in output.pooled.enumerated() {
      sum += Double(weight[row * 64 + index]) * Double(value)
    }
    return sum
  }

  @Test(arguments: InputPolicy.allCases, [[48, 64, 56], [50, 40, 61]])
  func theMeanIsTheLogitWithoutItsBias(policy: InputPolicy, shape: [Int]) throws {
    let (maps, output) = try maps(policy, shape: shape)
    let bias = try #require(model.values(ofTensor: Classifier.biasName))
    let logits = try #require(output.logits)
    for row in 0..<2 {
      let expected = part(output, ofClass: row)
      let tolerance = 1e-4 * abs(expected)
      #expect(abs(mean(maps.scanMap(ofClass: row)) - expected) <= tolerance)
      #expect(abs(Double(logits[row]) - Double(bias[row]) - expected) <= tolerance)
      // Without padding all of it has a place in the image; a crop's and windows' voxels outside do not count.
      if shape == [48, 64, 56] {
        #expect(abs(mean(maps.values[row]) - expected) <= tolerance)
      }
    }
  }

  /// The same for a head on means and maxima over the scan's nonzero region: an ellipsoid here, in a box of zeros.
  @Test func voxelsOutsideTheRegionDoNotCount() throws {
    let folder = try TemporaryFolder()
    let pooling = ["3:nonzero_mean", "2:nonzero_max", "2:max"]
    let width = 64 + 32 + 32
    let weight = (0..<2 * width).map { Double($0 * 7919 % 1000) / 500 - 1 }
    var archive = NPZArchive()
    archive.add("coef", shape: [2, width], weight)
    archive.add("intercept", shape: [2], [0.5, -0.5])
    archive.add("pooling", texts: pooling)
    try archive.write(to: folder.file("h.npz"), replacing: false, inputs: [])
    let checkpoint = Fixtures.exampleCheckpoint
    for arguments in [
      ["convert", checkpoint, "-o", folder.file("m.swt")],
      [
        "attach", folder.file("m.swt"), "--head", folder.file("h.npz"), "-o",
        folder.file("a.swt"),
      ],
    ] {
      let result = try Command.run("nnconvert", arguments + ["--quiet"])
      #expect(result.status == 0, "\(result.errors)")
    }
    let model = try Model(contentsOf: folder.file("a.swt"))
    let shape = [48, 64, 56]
    var values = try Self.volume(shape).values
    for index in values.indices {
      let place = [index / (64 * 56), index / 56 % 64, index % 56]
      let squares = (0..<3).map { axis in
        let distance = 2 * (Double(place[axis]) + 0.5) / Double(shape[axis]) - 1
        return distance * distance
      }
      if squares.reduce(0, +) > 1 { values[index] = 0 }
    }
    let pipeline = EncoderPipeline(
      model: model, policy: .whole, outputs: SessionOutputs(pooled: true, logits: true),
      pooling: model.description.classifier?.pooling, threads: 2, makesMaps: true)
    let output = try pipeline.run(
      pipeline.makeCase(of: [Volume(shape: shape, spacing: [2, 2, 2], values: values)]))
    let maps = try #require(output.maps)
    let logits = try #require(output.logits)
    for (row, bias) in [0.5, -0.5].enumerated() {
      let expected = Double(logits[row]) - bias
      #expect(abs(mean(maps.values[row]) - expected) <= 1e-3 * max(1, abs(expected)))
    }
    // Features over all voxels are others.
    let all = EncoderPipeline(
      model: model, policy: .whole, outputs: SessionOutputs(), pooling: nil, threads: 2)
    let plain = try all.run(
      all.makeCase(of: [Volume(shape: shape, spacing: [2, 2, 2], values: values)]))
    #expect(Difference(output.pooled.prefix(64), plain.pooled).relative > 1e-2)
  }

  @Test func aMapIsTheHeadsRowTimesTheLastStage() throws {
    let shape = [48, 64, 56]
    let (maps, _) = try maps(.whole, shape: shape)
    let pipeline = EncoderPipeline(
      model: model, policy: .whole, outputs: SessionOutputs(stages: [3], pooled: true),
      pooling: nil, threads: 2)
    _ = try pipeline.run(pipeline.makeCase(of: [Self.volume(shape)]))
    let cells = try #require(
      pipeline.withFeatures(ofStage: 3) { shape, features -> [Double] in
        let count = shape[1] * shape[2] * shape[3]
        var cells = [Double](repeating: 0, count: count)
        for channel in 0..<64 {
          for cell in 0..<count {
            cells[cell] += Double(weight[channel]) * Double(features[channel * count + cell])
          }
        }
        return cells
      })
    let stage = [6, 8, 7]
    // Linear interpolation between the centres of cells of 8 voxels.
    func expected(_ place: [Int]) -> Double {
      var sum = 0.0
      for corner in 0..<8 {
        var (weight, index) = (1.0, 0)
        for axis in 0..<3 {
          let at = max((Double(place[axis]) + 0.5) / 8 - 0.5, 0)
          let upper = corner >> axis & 1
          let share = at - at.rounded(.down)
          weight *= upper == 1 ? share : 1 - share
          index = index * stage[axis] + min(Int(at) + upper, stage[axis] - 1)
        }
        sum += weight * cells[index]
      }
      return sum
    }
    var worst = 0.0
    for step in 0..<2000 {
      let voxel = step * 307 % (48 * 64 * 56)
      let place = [voxel / (64 * 56), voxel / 56 % 64, voxel % 56]
      let difference = abs(Double(maps.values[0][voxel]) - expected(place))
      worst = difference <= worst ? worst : difference
    }
    let largest = cells.map(abs).max() ?? 0
    #expect(worst <= 1e-4 * largest)
  }
}
