// SPDX-License-Identifier: Apache-2.0
internal import FileIO

extension NetworkArchitecture {
  /// The bounds that keep every product of sizes far from overflow.
  package enum Bounds {
    package static let stages = 1...16
    package static let features = 1...4096
    package static let inputChannels = 1...256
    package static let kernelSize = 1...31
    package static let stride = 1...8
    /// Of all stages together, per axis: no more than the largest patch.
    package static let totalStride = 1...65_536
    package static let blocks = 1...64
    package static let segmentationHeads = 1...4096
  }

  package var json: JSONValue {
    if let transformer { return transformer.json(of: self) }
    var result: JSONValue = [
      networkClass.isFamily ? "family" : "network_class": .string(networkClass.rawValue),
      "dimension": .integer(dimension),
      "input_channels": .integer(inputChannels),
      "block": .string(block.rawValue),
      "conv_bias": .bool(convolutionBias),
      "norm": [
        "kind": .string(normalization.kind.rawValue), "eps": .number(normalization.eps),
        "affine": .bool(normalization.affine),
      ],
      "nonlin": nonlinearity.json,
      "stages": .array(stages.map(\.json)),
    ]
    var object = result.object ?? JSONObject()
    if let stemChannels { object["stem_channels"] = .integer(stemChannels) }
    if let decoder { object["decoder"] = decoder.json }
    result = .object(object)
    return result
  }

  package init(_ field: JSONField) throws(SWTError) {
    // A family's other members may have other rules: it is looked at first.
    let networkClass = try Self.networkClass(field)
    guard networkClass != .primus else {
      self = try Transformer.architecture(field)
      return
    }
    let dimension = try field["dimension"].integer(networkClass == .stuNet ? 3...3 : 2...3)
    let block: BlockKind = try field["block"].choice()
    guard networkClass.blocks.contains(block) else {
      throw try field["block"].problem("does not belong to \(networkClass.rawValue)")
    }
    var stages: [Stage] = []
    for stage in try field["stages"].elements(Bounds.stages) {
      stages.append(try Stage(stage, dimension: dimension, block: block))
    }
    let stem = try field.optional("stem_channels")
    guard (stem != nil) == networkClass.isResidual else {
      throw SWTError(
        .field(
          path: "\(field.path).stem_channels",
          problem: stem == nil ? "is missing" : "does not belong to \(networkClass.rawValue)"))
    }
    let norm = try field["norm"]
    let eps = try norm["eps"].number()
    guard eps >= 0, eps < 1 else { throw try norm["eps"].problem("is \(eps), outside 0..<1") }
    self.init(
      networkClass: networkClass, dimension: dimension,
      inputChannels: try field["input_channels"].integer(Bounds.inputChannels),
      stemChannels: try stem?.integer(Bounds.features), stages: stages, block: block,
      convolutionBias: try field["conv_bias"].bool(),
      normalization: Normalization(
        kind: try norm["kind"].choice(), eps: eps, affine: try norm["affine"].bool()),
      nonlinearity: try Nonlinearity(field["nonlin"]))
    guard totalStride.allSatisfy(Bounds.totalStride.contains) else {
      throw try field["stages"].problem("have strides of \(totalStride) together, above 65536")
    }
    if let decoderField = try field.optional("decoder") {
      decoder = try Decoder(decoderField, dimension: dimension)
      guard decoder?.stages.count == stages.count - 1 else {
        throw try decoderField["stages"].problem("has not one entry less than the encoder")
      }
      guard decodesToInput else {
        throw decoderField.problem(
          "makes logits smaller than the input: the first stage has a stride")
      }
      guard decoder?.mirrors(stages) == true else {
        throw try decoderField["stages"].problem(
          "has other features or upsampling than the encoder's stages")
      }
    }
  }
}

extension NetworkArchitecture {
  private static func networkClass(_ field: JSONField) throws(SWTError) -> NetworkClass {
    guard let family = try field.optional("family") else {
      let named = try field["network_class"]
      let networkClass: NetworkClass = try named.choice()
      guard !networkClass.isFamily else {
        throw named.problem("is \(networkClass.rawValue), which stands under 'family'")
      }
      return networkClass
    }
    let name = try family.name()
    guard let networkClass = NetworkClass(rawValue: name), networkClass.isFamily else {
      throw family.problem(
        "is \(DisplayText.quoted(name)), a family of networks that this program does not know — use "
          + "a newer version")
    }
    return networkClass
  }
}

extension NetworkArchitecture.Nonlinearity {
  var json: JSONValue {
    ["kind": .string(kind.rawValue), "negative_slope": .number(negativeSlope)]
  }

  init(_ field: JSONField) throws(SWTError) {
    let slope = try field["negative_slope"].number()
    let kind: Kind = try field["kind"].choice()
    guard kind == .leakyReLU ? abs(slope) <= 1 : slope == 0 else {
      throw try field["negative_slope"].problem("is \(slope)")
    }
    self.init(kind: kind, negativeSlope: slope)
  }
}

extension NetworkArchitecture.Stage {
  var json: JSONValue {
    var object = JSONObject()
    object["features"] = .integer(features)
    object["kernel_size"] = JSONValue(kernelSize)
    object["stride"] = JSONValue(stride)
    object["blocks"] = .integer(blocks)
    if let bottleneckChannels { object["bottleneck_channels"] = .integer(bottleneckChannels) }
    return .object(object)
  }

  init(
    _ field: JSONField, dimension: Int, block: NetworkArchitecture.BlockKind
  ) throws(SWTError) {
    typealias Bounds = NetworkArchitecture.Bounds
    let bottleneck = try field.optional("bottleneck_channels")
    guard (bottleneck != nil) == (block == .bottleneck) else {
      throw SWTError(
        .field(
          path: "\(field.path).bottleneck_channels",
          problem: bottleneck == nil ? "is missing" : "does not belong to \(block.rawValue)"))
    }
    self.init(
      features: try field["features"].integer(Bounds.features),
      kernelSize: try field["kernel_size"].oddSizes(count: dimension),
      stride: try field["stride"].integers(Bounds.stride, count: dimension...dimension),
      blocks: try field["blocks"].integer(Bounds.blocks),
      bottleneckChannels: try bottleneck?.integer(Bounds.features))
  }
}

extension NetworkArchitecture.Decoder {
  /// Whether every stage undoes the stride of an encoder's stage, and has the features of the one before.
  fileprivate func mirrors(_ encoder: [NetworkArchitecture.Stage]) -> Bool {
    zip(stages, zip(encoder.dropLast().reversed(), encoder.reversed())).allSatisfy { stage, pair in
      stage.features == pair.0.features && stage.upsampling == pair.1.stride
    }
  }

  var json: JSONValue {
    [
      "num_segmentation_heads": .integer(segmentationHeads),
      "upsampling_bias": .bool(upsamplingBias),
      "segmentation_bias": .bool(segmentationBias),
      "stages": .array(
        stages.map { stage in
          [
            "features": .integer(stage.features), "kernel_size": JSONValue(stage.kernelSize),
            "upsampling": JSONValue(stage.upsampling), "convs": .integer(stage.convolutions),
          ]
        }),
    ]
  }

  init(_ field: JSONField, dimension: Int) throws(SWTError) {
    typealias Bounds = NetworkArchitecture.Bounds
    var stages: [Stage] = []
    for stage in try field["stages"].elements(0...Bounds.stages.upperBound) {
      stages.append(
        Stage(
          features: try stage["features"].integer(Bounds.features),
          kernelSize: try stage["kernel_size"].oddSizes(count: dimension),
          upsampling: try stage["upsampling"].integers(Bounds.stride, count: dimension...dimension),
          convolutions: try stage["convs"].integer(Bounds.blocks)))
    }
    self.init(
      stages: stages,
      segmentationHeads: try field["num_segmentation_heads"].integer(Bounds.segmentationHeads),
      upsamplingBias: try field["upsampling_bias"].bool(),
      segmentationBias: try field["segmentation_bias"].bool())
  }
}

extension JSONField {
  fileprivate func oddSizes(count: Int) throws(SWTError) -> [Int] {
    let sizes = try integers(NetworkArchitecture.Bounds.kernelSize, count: count...count)
    guard sizes.allSatisfy({ $0 % 2 == 1 }) else { throw problem("has an even entry: \(sizes)") }
    return sizes
  }
}
