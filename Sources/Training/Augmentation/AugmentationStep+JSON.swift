// SPDX-License-Identifier: Apache-2.0
package import SWTFormat

extension AugmentationStep {
  /// Reads a step: `{"name": …, "params": …}`, for noise with the path of its unit noise.
  ///
  /// - Parameter unitNoise: reads the numbers at a path.
  /// - Throws: `TrainingError.augmentation` where a step is not one of nnU-Net's, or what `unitNoise`
  ///   throws.
  package init(json: JSONValue, unitNoise: (String) throws -> [Float]) throws {
    let reader = Reader(json: json)
    switch json["name"]?.string ?? "" {
    case "spatial":
      self = .spatial(
        patch: try reader.integers("patch"),
        affine: reader.isNull("affine") ? nil : try reader.matrix("affine"))
    case "noise":
      guard let path = json["unit_noise"]?.string else {
        throw TrainingError.augmentation(problem: "noise lacks unit_noise, the path of a .npy")
      }
      self = .noise(sigma: try reader.number("sigma"), unit: .given(try unitNoise(path)))
    case "blur":
      self = .blur(
        channels: try reader.integers("channels"), sigmas: try reader.matrix("sigmas"))
    case "brightness":
      self = .brightness(
        channels: try reader.integers("channels"), multipliers: try reader.numbers("multipliers"))
    case "contrast":
      self = .contrast(
        channels: try reader.integers("channels"), multipliers: try reader.numbers("multipliers"))
    case "low_resolution":
      self = .lowResolution(
        channels: try reader.integers("channels"), scales: try reader.matrix("scales"))
    case "gamma":
      self = .gamma(
        channels: try reader.integers("channels"),
        exponents: reader.isNull("gamma") ? [] : try reader.numbers("gamma"),
        isInverted: json["params"]?["invert"]?.bool == true)
    case "mirror": self = .mirror(axes: try reader.integers("axes"))
    case "to_2d": self = .to2D
    case "to_3d": self = .to3D
    case let name:
      throw TrainingError.augmentation(problem: "'\(name.prefix(64))' is no step of nnU-Net's")
    }
  }

  /// The parameters of a step.
  private struct Reader {
    let json: JSONValue

    func isNull(_ key: String) -> Bool { json["params"]?[key].map { $0 == .null } != false }

    private func problem(_ key: String) -> TrainingError {
      .augmentation(
        problem: "\(json["name"]?.string?.prefix(64) ?? "a step") lacks \(key), or it is no "
          + "list of numbers")
    }

    func number(_ key: String) throws(TrainingError) -> Double {
      guard let number = json["params"]?[key]?.double, number.isFinite else { throw problem(key) }
      return number
    }

    func numbers(_ key: String) throws(TrainingError) -> [Double] {
      guard let array = json["params"]?[key]?.array else { throw problem(key) }
      return try numbers(array, key)
    }

    private func numbers(_ array: [JSONValue], _ key: String) throws(TrainingError) -> [Double] {
      let numbers = array.compactMap(\.double).filter(\.isFinite)
      guard numbers.count == array.count else { throw problem(key) }
      return numbers
    }

    func integers(_ key: String) throws(TrainingError) -> [Int] {
      guard let array = json["params"]?[key]?.array, array.count <= 65_536 else {
        throw problem(key)
      }
      let integers = array.compactMap(\.integer)
      guard integers.count == array.count else { throw problem(key) }
      return integers
    }

    func matrix(_ key: String) throws(TrainingError) -> [[Double]] {
      guard let rows = json["params"]?[key]?.array else { throw problem(key) }
      return try rows.map { row throws(TrainingError) in
        guard let array = row.array else { throw problem(key) }
        return try numbers(array, key)
      }
    }
  }
}
