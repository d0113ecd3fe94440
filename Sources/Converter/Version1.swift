// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import PickleReader
internal import SWTFormat

/// nnU-Net version 1: `.model` with its `.model.pkl`, put into the words of version 2.
///
/// Source: nnunet 1.7.1, `Generic_UNet`, `nnUNetTrainerV2`. A Generic_UNet is a PlainConvUNet under
/// other names, with another decoder: no biases on upsampling and segmentation layers, and each
/// stage's kernel is that of the encoder stage below.
enum Version1 {
  /// What `.model.pkl` says, as plans and dataset.json of version 2.
  struct Description {
    let plans: JSONValue
    let dataset: JSONValue
    let trainerName: String?
    let fold: String?
    /// What was wrong with the fields that could not be read.
    let unreadable: [String: String]
  }

  /// The one configuration in translated plans.
  static let configuration = "version1"

  /// Reads `.model.pkl`.
  static func describe(_ root: PickleValue) throws -> Description {
    guard let arguments = root["init"]?.elements, let plans = root["plans"] else {
      throw ConversionError(
        .notNNUNet(
          problem: "the .model.pkl lacks 'init' or 'plans'",
          advice: "copy it from the model's folder"
        ))
    }
    func text(_ index: Int) -> String? {
      guard index < arguments.count else { return nil }
      return arguments[index].string ?? arguments[index].integer.map(String.init)
    }
    return try describe(
      plans, trainerName: root["name"]?.string, fold: text(1),
      stage: arguments.count > 5 ? arguments[5].integer : nil,
      isLowResolution: text(2)?.contains("3d_lowres") == true)
  }

  /// Reads `plans.pkl` of a model's folder, for a checkpoint without its own `.pkl`.
  ///
  /// - Parameter folder: the model's folder, `…/3d_fullres/TaskXXX_Name/Trainer__Plans`.
  static func describe(plans: PickleValue, folder: String, fold: String?) throws -> Description {
    let name = folder.split(separator: "/").last.map(String.init) ?? ""
    let trainer = name.firstRange(of: "__").map { String(name[..<$0.lowerBound]) }
    return try describe(
      plans, trainerName: trainer, fold: fold, stage: nil,
      isLowResolution: folder.contains("3d_lowres"))
  }

  private static func describe(
    _ value: PickleValue, trainerName: String?, fold: String?, stage named: Int?,
    isLowResolution: Bool
  ) throws -> Description {
    var fields = PlainFields()
    let plans = JSONField(path: "plans", value: try fields.json(value, path: "plans"))
    let stages = try plans["plans_per_stage"]
    let names = stages.value.object?.members.map(\.key) ?? []
    let chosen = named.map(String.init) ?? (isLowResolution || names.count == 1 ? names.first : "1")
    do {
      return Description(
        plans: try translate(
          plans, stage: try stages[chosen ?? "0"],
          isCascade: trainerName?.contains("CascadeFullRes") == true),
        dataset: try dataset(plans), trainerName: trainerName, fold: fold,
        unreadable: fields.unreadable)
    } catch { throw ConversionError.explained(error, by: fields.unreadable) }
  }

  private static func translate(
    _ plans: JSONField, stage: JSONField, isCascade: Bool
  ) throws -> JSONValue {
    let patchSize = try stage["patch_size"].elements(2...3)
    let dimension = patchSize.count
    let pooling = try self.pooling(stage, dimension: dimension)
    let convolutions = try plans.optional("conv_per_stage")?.integer(1...64) ?? 2
    let channels = try plans["num_modalities"].integer(1...256)
    let spacing = try stage["current_spacing"].elements(3...3).suffix(dimension)
    let schemes = try plans["normalization_schemes"]
    let masks = try plans["use_mask_for_norm"]
    let first: JSONValue = .array([JSONValue](repeating: 1, count: dimension))
    let names = [
      "CT": "CTNormalization", "CT2": "CTNormalization", "nonCT": "ZScoreNormalization",
      "noNorm": "NoNormalization",
    ]
    var normalization: [JSONValue] = []
    for channel in 0..<channels {
      let name = try schemes[String(channel)].name()
      // CT2 normalises with the case's own mean within the clipped range: no scheme of version 2.
      normalization.append(.string(name == "CT2" ? name : names[name] ?? name))
    }
    let keywords: JSONValue = [
      "is_seg": false, "order": 3, "order_z": 0, "force_separate_z": .null,
    ]
    let axes: JSONValue = [0, 1, 2]
    let configuration: JSONValue = [
      "patch_size": .array(patchSize.map(\.value)),
      "spacing": .array(spacing.map(\.value)),
      "normalization_schemes": .array(normalization),
      "use_mask_for_norm": .array(try (0..<channels).map { try masks[String($0)].value }),
      "resampling_fn_data": "resample_data_or_seg_to_shape",
      "resampling_fn_data_kwargs": keywords,
      "preprocessor_name": try plans.optional("preprocessor_name")?.value ?? "GenericPreprocessor",
      "previous_stage": isCascade ? "3d_lowres" : .null,
      "UNet_class_name": "PlainConvUNet",
      "UNet_base_num_features": try plans["base_num_features"].value,
      "unet_max_num_features": dimension == 3 ? 320 : 480,
      "n_conv_per_stage_encoder": .array(
        [JSONValue](repeating: .integer(convolutions), count: pooling.count + 1)),
      "n_conv_per_stage_decoder": .array(
        [JSONValue](repeating: .integer(convolutions), count: pooling.count)),
      "pool_op_kernel_sizes": .array([first] + pooling),
      "conv_kernel_sizes": try kernels(stage, dimension: dimension, count: pooling.count + 1),
    ]
    return [
      "plans_name": "nnUNetPlansv2.1",
      "transpose_forward": try plans.optional("transpose_forward")?.value ?? axes,
      "transpose_backward": try plans.optional("transpose_backward")?.value ?? axes,
      "image_reader_writer": "SimpleITKIO",
      "foreground_intensity_properties_per_channel": try intensities(plans),
      "configurations": .object(
        JSONObject([(key: Self.configuration, value: configuration)])),
    ]
  }

  /// Plans of 2019 say only how often each axis is pooled (`nnUNetTrainer.process_plans`).
  private static func pooling(_ stage: JSONField, dimension: Int) throws -> [JSONValue] {
    if let sizes = try stage.optional("pool_op_kernel_sizes") {
      return try sizes.elements(1...15).map(\.value)
    }
    let counts = try stage["num_pool_per_axis"].integers(0...15, count: dimension...dimension)
    let most = counts.max() ?? 0
    return (0..<most).map { stage in
      JSONValue(counts.map { most - $0 <= stage ? 2 : 1 })
    }
  }

  /// Kernels are 1 or 3: version 1 pads no others.
  private static func kernels(
    _ stage: JSONField, dimension: Int, count: Int
  ) throws -> JSONValue {
    guard let sizes = try stage.optional("conv_kernel_sizes") else { return 3 }
    for size in try sizes.elements(count...count) {
      for entry in try size.elements(dimension...dimension)
      where ![1, 3].contains(entry.value.integer) {
        throw entry.problem("is neither 1 nor 3, and nnU-Net v1 pads no other kernels")
      }
    }
    return sizes.value
  }

  /// Version 1 writes `sd`, `mn`, `mx` where version 2 writes `std`, `min`, `max`.
  private static func intensities(_ plans: JSONField) throws -> JSONValue {
    guard
      let channels = try plans["dataset_properties"].optional("intensityproperties")?.value.object
    else { return .null }
    let names = ["sd": "std", "mn": "min", "mx": "max"]
    return .object(
      JSONObject(
        channels.members.map { channel in
          let members = channel.value.object?.members ?? []
          let renamed = members.map { (key: names[$0.key] ?? $0.key, value: $0.value) }
          return (key: channel.key, value: .object(JSONObject(renamed)))
        }))
  }

  private static func dataset(_ plans: JSONField) throws -> JSONValue {
    let classes = try plans["num_classes"].integer(1...4096)
    let labels =
      [(key: "background", value: JSONValue.integer(0))]
      + (1...classes).map { (key: "class \($0)", value: JSONValue.integer($0)) }
    return [
      "channel_names": try plans["modalities"].value,
      "labels": .object(JSONObject(labels)),
      "file_ending": ".nii.gz",
    ]
  }

  // MARK: - Weights

  /// The keys of version 2 for those of version 1; what is not understood stays as it is.
  ///
  /// The deepest stage and all decoder stages are two stacks, of which the second holds the last
  /// convolution.
  static func renamed(_ keys: [String?]) -> [String?] {
    /// A block's number; none has thousands.
    func number(_ part: String) -> Int? { Int(part).flatMap { (0..<4096).contains($0) ? $0 : nil } }
    func parts(_ key: String) -> [String] { key.split(separator: ".").map(String.init) }
    var lengths: [String: Int] = [:]
    for key in keys.compactMap({ $0.map(parts) })
    where key.count > 5 && key[2] == "0" && key[3] == "blocks" {
      let stack = "\(key[0]).\(key[1])"
      lengths[stack] = max(lengths[stack] ?? 0, (number(key[4]) ?? 0) + 1)
    }
    return keys.map { key in
      guard let key else { return nil }
      var part = parts(key)
      guard part.count >= 3 else { return key }
      let owner: String
      switch part[0] {
      case "tu": return "decoder.transpconvs.\(part[1]).\(part[2])"
      case "seg_outputs": return "decoder.seg_layers.\(part[1]).\(part[2])"
      case "conv_blocks_context": owner = "encoder.stages.\(part[1]).0.convs"
      case "conv_blocks_localization": owner = "decoder.stages.\(part[1]).convs"
      default: return key
      }
      var offset = 0
      if part[2] != "blocks", let stack = Int(part[2]) {
        offset = stack == 0 ? 0 : lengths["\(part[0]).\(part[1])"] ?? 0
        part.remove(at: 2)
      }
      guard part.count == 6, part[2] == "blocks", let block = number(part[3]) else {
        return part[0] == "conv_blocks_context" ? "encoder.\(key)" : "decoder.\(key)"
      }
      let module = part[4] == "instnorm" ? "norm" : part[4]
      return "\(owner).\(block + offset).\(module).\(part[5])"
    }
  }
}
