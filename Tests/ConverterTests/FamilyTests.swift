// SPDX-License-Identifier: Apache-2.0
import FileIO
import PickleReader
import SWTFormat
import TestSupport
import Testing

@testable import Converter

/// What the shapes of tensors and the words of plans tell of networks of other families
/// (`Tests/Fixtures/families`), and what of them contradicts itself.
@Suite struct FamilyTests {
  /// A checkpoint without numbers.
  struct Source: Sendable {
    var tensors: [String: [Int]]
    var configuration: JSONValue
    var trainer: String?
    var isPretrained: Bool

    init(_ name: String) throws {
      let file = try MappedFile(path: "\(Fixtures.folder)/families/\(name).json")
      let json = try JSONParser.parse(file.bytes)
      tensors = [:]
      for member in json["tensors"]?.object?.members ?? [] {
        tensors[member.key] = member.value.array?.compactMap(\.integer)
      }
      configuration = json["configuration"] ?? .null
      trainer = json["trainer"]?.string
      isPretrained = json["isPretrained"]?.bool ?? false
    }

    /// Sets a member of the configuration's `arch_kwargs`.
    mutating func set(_ key: String, _ value: JSONValue) {
      var configuration = self.configuration.object ?? JSONObject()
      var architecture = configuration["architecture"]?.object ?? JSONObject()
      var keywords = architecture["arch_kwargs"]?.object ?? JSONObject()
      keywords[key] = value
      architecture["arch_kwargs"] = .object(keywords)
      configuration["architecture"] = .object(architecture)
      self.configuration = .object(configuration)
    }

    mutating func set(patchSize: [Int]) {
      var object = configuration.object ?? JSONObject()
      object["patch_size"] = JSONValue(patchSize)
      configuration = .object(object)
    }

    /// The architecture, held against the tensors' shapes.
    func architecture(
      _ options: ConversionOptions = ConversionOptions(), isWhole: Bool = false,
      warn: @escaping (String) -> Void = { _ in }
    ) throws -> NetworkArchitecture {
      let weights = try StateDict(
        tensors.sorted { $0.key < $1.key }.map { key, shape in
          let storage = TensorStorage(
            key: "0", elementType: .float32, byteCount: 4,
            provider: StoredBytes(Bytes([0, 0, 0, 0])))
          return (
            key,
            try TensorView(
              shape: shape, strides: shape.map { _ in 0 }, storageOffset: 0, storage: storage)
          )
        })
      let field = JSONField(path: "configuration", value: configuration)
      let channels =
        tensors["conv_blocks_context.0.0.conv1.weight"]?[1]
        ?? tensors["input_block.conv1.conv.weight"]?[1]
        ?? tensors["down_projection.proj.weight"]?[1]
        ?? tensors["down_projection.stem.blocks.0.conv1.conv.weight"]?[1] ?? 1
      let plans = ArchitectureParser(
        configuration: field, inputChannels: channels, segmentationHeads: 3)
      let architecture: NetworkArchitecture
      switch weights.naming {
      case .stuNet: architecture = try STUNetParser(plans, weights).parse()
      case .dynUNet: architecture = try DynUNetParser(plans, weights).parse()
      default:
        architecture = try PrimusParser(
          configuration: field, weights: try PrimusWeights(weights),
          identity: PrimusIdentity(
            architecture: try field.optional("architecture"), trainerName: trainer,
            isPretrained: isPretrained), options: options, inputChannels: channels,
          segmentationHeads: 3, warn: warn
        ).parse()
      }
      let check = NetworkCheck(architecture: architecture, weights: weights)
      try isWhole ? check.requireNetwork() : check.requireEncoder()
      return architecture
    }
  }

  private static let names = [
    "v1_registers_noscale", "v2", "v3_noskips_relu", "trainer_v1_s", "nnssl_primusx", "dynunet",
    "stunet",
  ]

  /// The header's words say it all: the architecture comes back from them.
  @Test(arguments: names)
  func anArchitectureComesBackFromItsHeader(name: String) throws {
    let architecture = try Source(name).architecture()
    let field = JSONField(path: "architecture", value: architecture.json)
    #expect(try NetworkArchitecture(field) == architecture)
  }

  @Test(arguments: [
    ("v1_registers_noscale", 2), ("v2", 4), ("v3_noskips_relu", 3), ("trainer_v1_s", 6),
    ("nnssl_primusx", 2),
  ])
  func headsComeFromPlansTrainersAndSizes(name: String, heads: Int) throws {
    #expect(try Source(name).architecture().transformer?.heads == heads)
  }

  @Test(arguments: [
    ("v2", "STUNetTrainer_base", "Primus: the trainer STUNetTrainer_base builds STU-Net"),
    (
      "stunet", "nnUNet_Primus_M_Trainer",
      "STU-Net: the trainer nnUNet_Primus_M_Trainer builds the Primus"
    ),
  ])
  func aTrainerOfAnotherFamilyIsRefused(name: String, trainer: String, message: String) throws {
    let keys = try Source(name).tensors.keys.sorted()
    let error = #expect(throws: ConversionError.self) {
      try OtherNetwork.refuse(keys: keys, trainer: trainer)
    }
    #expect(error.map { "\($0)".hasPrefix(message) } == true, "\(String(describing: error))")
    #expect(throws: Never.self) { try OtherNetwork.refuse(keys: keys, trainer: "MyTrainer") }
  }

  /// Every tensor of an encoder is needed: without it, its name is in the message.
  @Test(arguments: names)
  func aMissingTensorIsNamed(name: String) throws {
    let source = try Source(name)
    let keys = source.tensors.keys.filter { key in
      !["decoder.", "skip_layers.", "upsample", "seg_outputs", "conv_blocks_localization"].contains
      {
        key.hasPrefix($0)
      } && !key.contains("all_modules") && !key.hasPrefix("mask_token")
        && !key.hasPrefix("output_block")
    }
    // Some more than the first, middle and last would take minutes.
    for key in keys.sorted().enumerated().filter({ $0.offset % 23 == 0 }).map(\.element) {
      var edited = source
      edited.tensors = source.tensors.filter { $0.key != key }
      // Aliases stand for what is missing.
      if name == "dynunet" || key.hasPrefix("down_projection.st") { continue }
      #expect(throws: (any Error).self, "\(key)") { try edited.architecture() }
    }
  }

  /// What is edited, and words of the refusal.
  static let edits: [(String, @Sendable (inout Source) -> Void, String)] = [
    ("nnssl_primusx", { $0.set("encoder_eva_numheads", 5) }, "heads"),
    ("nnssl_primusx", { $0.set("encoder_eva_numheads", 0) }, "encoder_eva_numheads"),
    (
      "nnssl_primusx", { $0.set("encoder_eva_numheads", .integer(1 << 40)) }, "encoder_eva_numheads"
    ),
    ("nnssl_primusx", { $0.set("encoder_eva_depth", 4) }, "encoder_eva_depth"),
    ("nnssl_primusx", { $0.set("embed_dim", 96) }, "embed_dim"),
    ("nnssl_primusx", { $0.set("patch_embed_size", [8, 8, 4]) }, "patch_embed_size"),
    ("nnssl_primusx", { $0.set("rope_kwargs", ["temperature": 100]) }, "rope_kwargs"),
    ("nnssl_primusx", { $0.set("qk_norm", true) }, "qk_norm"),
    ("nnssl_primusx", { $0.set("mlp_ratio", 4.0) }, "mlp_ratio"),
    ("nnssl_primusx", { $0.set(patchSize: [32, 32, 64]) }, "positions for 64"),
    ("nnssl_primusx", { $0.set(patchSize: [33, 32, 32]) }, "patches"),
    ("nnssl_primusx", { $0.set(patchSize: [4096, 4096, 4096]) }, "tokens"),
    ("nnssl_primusx", { $0.set(patchSize: [0, 0, 0]) }, "patch_size"),
    ("nnssl_primusx", { $0.tensors["eva.pos_embed"] = [1, 65, 48] }, "64"),
    ("nnssl_primusx", { $0.tensors["eva.pos_embed"] = [64, 48] }, "eva.pos_embed"),
    ("nnssl_primusx", { $0.tensors["eva.pos_embed"] = nil }, "no eva.pos_embed"),
    ("nnssl_primusx", { $0.set("use_abs_pos_embed", false) }, "an eva.pos_embed"),
    (
      "nnssl_primusx", { $0.tensors["down_projection.proj.weight"] = [48, 1, 8, 8] }, "proj.weight"
    ),
    (
      "nnssl_primusx", { $0.tensors["down_projection.proj.weight"] = [48, 1, 8, 8, 1 << 30] },
      "proj.weight"
    ),
    ("nnssl_primusx", { $0.tensors["eva.blocks.1.norm1.weight"] = [47] }, "norm1.weight"),
    ("nnssl_primusx", { $0.tensors["eva.blocks.0.mlp.fc1_g.weight"] = [1 << 19, 48] }, "width"),
    ("nnssl_primusx", { $0.tensors["eva.extra.weight"] = [3] }, "eva.extra.weight"),
    ("trainer_v1_s", { $0.trainer = "nnUNet_Primus_M_Trainer" }, "PrimusM"),
    ("trainer_v1_s", { $0.trainer = "nnUNet_PrimusV2S_Trainer" }, "tokenizer of V1"),
    ("trainer_v1_s", { $0.set(patchSize: [96, 96, 96]) }, "positions for 24"),
    ("trainer_v1_s", { $0.trainer = "nnUNet_Primus_S_96_BS1" }, "[96, 96, 96]"),
    ("v1_registers_noscale", { $0.set("eva_numheads", .null) }, "heads"),
    ("v1_registers_noscale", { $0.set("input_shape", [24, 16, 24]) }, "input_shape"),
    ("v1_registers_noscale", { $0.set("num_register_tokens", 0) }, "num_register_tokens"),
    ("v1_registers_noscale", { $0.tensors["register_tokens"] = [1, 1 << 18, 36] }, "width"),
    (
      "v1_registers_noscale", { $0.tensors["eva.pos_embed"] = [1, 1, 36] },
      "18 tokens beside 3 registers, but the weights have positions for 1"
    ),
    ("v2", { $0.set("nonlin", "torch.nn.GELU") }, "GELU"),
    ("v3_noskips_relu", { $0.set("add_skips", true) }, "tokenizer of V2"),
    ("v3_noskips_relu", { $0.set("add_skips", .null) }, "tokenizer of V2"),
    ("v2", { $0.tensors["down_projection.final_proj.weight"] = [48, 64, 1, 1, 1] }, "final_proj"),
    ("dynunet", { $0.set("n_stages", 4) }, "strides"),
    ("dynunet", { $0.set("strides", [[1, 1, 1], [2, 2, 2], [1, 2, 2]]) }, "undoes"),
    ("dynunet", { $0.tensors["bottleneck.conv1.conv.weight"] = [24, 16, 2, 2, 2] }, "odd"),
    (
      "stunet",
      { $0.set("strides", [[1, 1, 1], [2, 2, 2], [4, 4, 4], [4, 4, 4], [4, 4, 4]]) }, "leave"
    ),
    ("stunet", { $0.set("strides", "all") }, "strides"),
    (
      "stunet", { $0.tensors["conv_blocks_context.2.0.conv1.weight"] = [8, 8, 5, 5, 5] },
      "[outputs, inputs, 3, 3, 3]"
    ),
    ("stunet", { $0.tensors["conv_blocks_context.0.0.conv3.weight"] = nil }, "conv3.weight"),
  ]

  @Test(arguments: edits.indices)
  func whatContradictsItselfIsRefused(index: Int) throws {
    let (name, edit, word) = Self.edits[index]
    var source = try Source(name)
    edit(&source)
    let error = #expect(throws: (any Error).self, "\(word)") { try source.architecture() }
    #expect(error.map { "\($0)".contains(word) } == true, "\(String(describing: error))")
  }

  /// A V2's decoder from 48 features and patches of 8 to 3 heads.
  private static let upProjection: [String: [Int]] = [
    "0.0.weight": [48, 16, 2, 2, 2], "0.0.bias": [16], "0.1.weight": [16], "0.1.bias": [16],
    "1.0.weight": [16, 8, 2, 2, 2], "1.0.bias": [8], "1.1.weight": [8], "1.1.bias": [8],
    "2.weight": [8, 3, 2, 2, 2], "2.bias": [3],
  ]

  private func whole(_ name: String) throws -> Source {
    var source = try Source(name)
    guard name == "v2" else { return source }
    for (key, shape) in Self.upProjection {
      source.tensors["up_projection.decode.\(key)"] = shape
    }
    return source
  }

  @Test(arguments: ["stunet", "v2", "dynunet"])
  func aDecoderIsReadOffItsWeights(name: String) throws {
    let architecture = try whole(name).architecture(isWhole: true)
    #expect(architecture.decoder?.segmentationHeads == 3)
    let field = JSONField(path: "architecture", value: architecture.json)
    #expect(try NetworkArchitecture(field) == architecture)
  }

  /// The tensor that is changed or taken away is in the message.
  @Test(
    arguments: [
      ("stunet", "upsample_layers.2.conv.weight", nil),
      ("stunet", "upsample_layers.2.conv.weight", [8, 13, 1, 1, 1]),
      ("stunet", "upsample_layers.2.conv.weight", [8, 12, 2, 2, 2]),
      ("stunet", "upsample_layers.0.conv.bias", nil),
      ("stunet", "seg_outputs.4.weight", [5, 4, 1, 1, 1]),
      ("stunet", "seg_outputs.4.bias", nil),
      ("stunet", "conv_blocks_localization.1.0.conv3.weight", nil),
      ("stunet", "conv_blocks_localization.9.0.conv1.weight", [4, 4, 3, 3, 3]),
      ("dynunet", "upsamples.1.conv_block.conv1.conv.weight", [8, 8, 3, 3, 3]),
      ("dynunet", "upsamples.0.conv_block.norm2.bias", [3]),
      ("dynunet", "upsamples.5.conv_block.norm2.bias", [3]),
      ("dynunet", "output_block.conv.conv.weight", [7, 8, 1, 1, 1]),
      ("dynunet", "output_block.conv.conv.bias", nil),
      ("v2", "up_projection.decode.0.1.weight", nil),
      ("v2", "up_projection.decode.1.1.bias", [9]),
      ("v2", "up_projection.decode.2.weight", [8, 7, 2, 2, 2]),
      // No decoder of patches of 8, so that nothing of it is planned.
      ("v2", "up_projection.decode.1.0.weight", [16, 8, 3, 3, 3]),
      ("v2", "up_projection.decode.1.0.weight", [16, 8, 1, 1, 1]),
      ("v2", "up_projection.decode.0.0.weight", [48, 0, 2, 2, 2]),
      ("v2", "up_projection.decode.0.0.weight", [48, 16, 2, 2]),
      ("v2", "up_projection.decode.0.0.weight", nil),
      ("v2", "up_projection.decode.1.0.weight", nil),
      ("v2", "up_projection.decode.2.weight", nil),
      ("v2", "up_projection.decode.3.weight", [3, 3, 2, 2, 2]),
    ] as [(String, String, [Int]?)])
  func aDecoderThatDoesNotFitIsNamed(name: String, key: String, shape: [Int]?) throws {
    var source = try whole(name)
    source.tensors[key] = shape
    #expect(throws: Never.self) { try source.architecture() }
    let error = #expect(throws: (any Error).self) { try source.architecture(isWhole: true) }
    #expect(error.map { "\($0)".contains(key) } == true, "\(String(describing: error))")
  }

  /// Files that keep one name of each tensor have some of DynUNet's under the names of nested levels.
  @Test func nestedLevelsAreDynUNetsStages() throws {
    var source = try Source("dynunet")
    let expected = try source.architecture(isWhole: true)
    let names = source.tensors.keys
    source.tensors = source.tensors.filter { key, _ in
      !["downsamples.", "upsamples.", "bottleneck."].contains { key.hasPrefix($0) }
    }
    #expect(names.count > source.tensors.count)
    #expect(try source.architecture(isWhole: true) == expected)
    source.tensors["skip_layers.next_layer.super_head.conv.conv.weight"] = [3, 16, 1, 1, 1]
    #expect(throws: Never.self) { try source.architecture(isWhole: true) }
    source.tensors["skip_layers.next_layer.upsample.transp_conv.conv.weight"] = [24, 16, 1, 2, 2]
    let error = #expect(throws: (any Error).self) { try source.architecture(isWhole: true) }
    #expect(error.map { "\($0)".contains("transp_conv") } == true, "\(String(describing: error))")
  }

  /// A first stage with a stride segments at a lower resolution than the scan's: nothing adds up such windows.
  @Test(arguments: ["dynunet", "stunet"])
  func aDecoderOfLowerResolutionIsLeftOut(name: String) throws {
    var source = try Source(name)
    var architecture = try source.architecture()
    #expect(architecture.decoder != nil)
    architecture.stages[0].stride = [1, 2, 2]
    let field = JSONField(path: "architecture", value: architecture.json)
    let error = #expect(throws: SWTError.self) { try NetworkArchitecture(field) }
    #expect(error.map { "\($0)".contains("smaller than the input") } == true)
    guard name == "dynunet" else { return }
    source.set("strides", [[1, 2, 2], [2, 2, 2], [2, 2, 2]])
    #expect(try source.architecture().decoder == nil)
  }

  @Test func moreEntriesThanNetworksHaveAreRefused() throws {
    var source = try Source("stunet")
    for index in 0..<StateDict.entryLimit {
      source.tensors["conv_blocks_context.\(index).0.conv1.bias"] = [4]
    }
    let error = #expect(throws: ConversionError.self) { try source.architecture() }
    #expect(error.map { "\($0)".contains("entries, more than networks have") } == true)
  }

  /// Nothing says how many heads it has: neither a trainer, nor plans, nor a published size.
  @Test func headsAreAskedFor() throws {
    var source = try Source("nnssl_primusx")
    source.configuration = ["patch_size": [32, 32, 32]]
    source.isPretrained = false
    let error = #expect(throws: ConversionError.self) { try source.architecture() }
    #expect(error.map { "\($0)".contains("how many heads") } == true)
    var options = ConversionOptions()
    options.heads = 2
    #expect(try source.architecture(options).transformer?.heads == 2)
  }

  /// nnssl's SimMIM has the order of today's nnU-Net.
  @Test(arguments: [("SimCLREvaTrainer", true), ("SimMIMEvaTrainer", false)])
  func theOrderOfTokensIsWarnedOf(trainer: String, warns: Bool) throws {
    var source = try Source("nnssl_primusx")
    source.trainer = trainer
    var warnings: [String] = []
    func note(_ warning: String) { warnings.append(warning) }
    try withoutActuallyEscaping(note) { warn in _ = try source.architecture(warn: warn) }
    #expect(warnings.contains { $0.contains("--token-order") } == warns)
  }

  @Test(arguments: [
    ("nnUNet_Primus_M_Trainer", "PrimusM", 12, 1),
    ("nnUNet_Primus_M_Trainer_BS8_2e4", "PrimusM", 12, 1),
    ("nnUNet_PrimusV2B_Trainer", "PrimusV2B", 12, 2),
    ("nnUNet_PrimusV3L_Trainer", "PrimusV3L", 16, 3),
    ("nnUNet_Primus_L_48_BS1", "PrimusL", 16, 1), ("nnUNet_Primus_S_96_BS1", "PrimusS", 6, 1),
  ])
  func aTrainersNameSaysTheSize(name: String, className: String, heads: Int, version: Int) {
    let identity = PrimusIdentity(architecture: nil, trainerName: name, isPretrained: false)
    #expect(identity.className == className)
    #expect(identity.size?.heads == heads)
    #expect(identity.version == version)
  }
}
