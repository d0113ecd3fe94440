// SPDX-License-Identifier: Apache-2.0
import FileIO
import Foundation
import NPY
import SWTFormat
import TestSupport
import Testing

/// A DynUNet by the config of its MONAI bundle, without plans.
@Suite struct MONAIBundleTests {
  private static let source = "\(Fixtures.folder)/cases/checkpoints/monai_dynunet"

  /// A bundle's folder with the weights, and a config of these members of `network_def`.
  private func bundle(
    _ members: String, target: String = "DynUNet", config: String = "inference.json"
  ) throws
    -> TemporaryFolder
  {
    let folder = try TemporaryFolder()
    let files = FileManager.default
    for name in ["models", "configs"] {
      try files.createDirectory(
        atPath: folder.file(name), withIntermediateDirectories: false)
    }
    try files.copyItem(
      atPath: "\(Self.source)/checkpoint.pth", toPath: folder.file("models/model.pt"))
    let text = """
      {"imports": ["$import glob"], "labels": 3, "strides": [1, 2, [2, 2, 2]],
       "network_def": {"_target_": "\(target)", "spatial_dims": 3, \(members)},
       "network": "$@network_def.to(@device)",
       "inferer": {"_target_": "SlidingWindowInferer", "roi_size": [16, 16, 16]}}
      """
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file("configs/\(config)")))
    return folder
  }

  private static let usual =
    #""in_channels": 1, "out_channels": "$@labels", "kernel_size": [3, 3, 3], "strides": "@strides", "#
    + #""upsample_kernel_size": "$@strides[1:]", "norm_name": ["INSTANCE", {"affine": true}]"#

  /// The bundle's folder, its weights, or any file with them.
  @Test(arguments: ["", "/models/model.pt", "--plans"])
  func stagesAreThoseOfPyTorch(input: String) throws {
    let folder = try bundle(Self.usual, config: input == "" ? "train.json" : "inference.json")
    let arguments =
      input == "--plans"
      ? ["\(Self.source)/checkpoint.pth", "--plans", folder.file("configs/inference.json")]
      : [folder.path + input]
    let swt = folder.file("m.swt")
    let conversion = try Command.run("nnconvert", ["convert"] + arguments + ["-o", swt])
    try #require(conversion.status == 0, "\(conversion.errors)")
    #expect(conversion.errors.contains("transforms of a MONAI bundle are not reproduced"))
    #expect(!conversion.errors.contains("spacing"), "\(conversion.errors)")
    let inspection = try Command.run("nnconvert", ["inspect"] + arguments)
    #expect(inspection.output.contains("can be converted"), "\(inspection.output)")
    let verification = try Command.run(
      "nnconvert", ["verify", swt, "--against"] + arguments)
    #expect(verification.status == 0, "\(verification.output)\(verification.errors)")
    for stage in 0..<3 {
      let output = folder.file("o.npy")
      let result = try Command.run(
        "nnrun", ["features", swt, "\(Self.source)/input.npy", "--stage", "\(stage)", "-o", output])
      try #require(result.status == 0, "\(result.errors)")
      #expect(!result.errors.contains("warning"), "\(result.errors)")
      let expected = try NPYArray(contentsOf: "\(Self.source)/skip_\(stage).npy").values
      let difference = Difference(try NPYArray(contentsOf: output).values, expected)
      #expect(difference.relative <= 1e-4, "stage \(stage): \(difference)")
    }
  }

  /// Names that the bundle's metadata have, where they fit the network: input, and classes behind the background.
  @Test(arguments: [
    (
      #"{"0": "T1"}"#, #"{"0": "Background", "1": "spleen", "2": "liver"}"#, "T1",
      ["spleen", "liver"]
    ),
    (
      #"{"0": "T1", "1": "T2"}"#, #"{"0": "background", "1": "spleen"}"#, "T1",
      ["label 1", "label 2"]
    ),
    (
      #"{"1": "T1"}"#, #"{"0": "tumor", "1": "core", "2": "edema"}"#, "channel 0",
      ["label 1", "label 2"]
    ),
    (#"7"#, #"{"0": "background", "1": "a", "2": "a"}"#, "channel 0", ["label 1", "label 2"]),
  ])
  func channelsAndClassesAreNamedByTheMetadata(
    channels: String, classes: String, channel: String, labels: [String]
  ) throws {
    let folder = try bundle(Self.usual)
    let text = """
      {"version": "0.1", "network_data_format": {"inputs": {"image": {"channel_def": \(channels)}},
       "outputs": {"pred": {"channel_def": \(classes)}}}}
      """
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file("configs/metadata.json")))
    for input in ["", "/models/model.pt"] {
      let swt = folder.file("m.swt")
      let conversion = try Command.run(
        "nnconvert", ["convert", folder.path + input, "--part", "network", "--force", "-o", swt])
      try #require(conversion.status == 0, "\(conversion.errors)")
      let description = try SWTFile(contentsOf: swt).description
      #expect(description.preprocessing.channels.map(\.name) == [channel])
      #expect(description.labels.labels.map(\.name) == ["background"] + labels)
    }
  }

  /// Members of `network_def`, and words of the refusal.
  @Test(arguments: [
    (#""strides": [1, 2]"#, "stages"), (#""strides": [1, 2, 1]"#, "undoes"),
    (#""strides": "$[1] + [2] * 2""#, "not evaluated"),
    (#""strides": "@network""#, "not evaluated"),
    (#""strides": [1, 2, 0]"#, "strides"), (#""strides": "@strides", "in_channels": 2"#, "shape"),
    (#""strides": "@strides", "norm_name": "group""#, "group"),
    (#""strides": "@strides", "act_name": "prelu""#, "prelu"),
    (#""in_channels": 1"#, "strides"),
  ])
  func whatDoesNotFitIsRefusedByName(members: String, words: String) throws {
    let folder = try bundle(members)
    let result = try Command.run(
      "nnconvert", ["convert", folder.path, "-o", folder.file("m.swt")])
    #expect([64, 65].contains(result.status), "\(result.errors)")
    #expect(result.errors.contains(words), "\(result.errors)")
  }

  @Test func anotherNetworkIsRefusedByName() throws {
    let folder = try bundle(Self.usual, target: "monai.networks.nets.UNet")
    let result = try Command.run(
      "nnconvert", ["convert", folder.path, "-o", folder.file("m.swt")])
    #expect(result.status == 65)
    #expect(result.errors.contains("_target_ = monai.networks.nets.UNet"), "\(result.errors)")
  }
}
