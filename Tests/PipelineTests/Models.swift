// SPDX-License-Identifier: Apache-2.0
import SWTRuntime
import TestSupport

/// Models converted by `nnconvert`; the files are gone when this returns, their mappings stay.
enum Models {
  /// The example with its head.
  static func example() throws -> Model {
    try converted(
      Fixtures.exampleCheckpoint, head: "\(Fixtures.repository)/Examples/brain-mri/head.pth")
  }

  /// A 2-D network with its head.
  static func flat() throws -> Model {
    let name = "plain2d__v2.8__float32"
    return try converted(
      Fixtures.checkpoint(in: name), head: "\(Fixtures.folder)/checkpoints/\(name)/head.pth")
  }

  /// The folds of a model folder with their decoders.
  static func network(_ modelFolder: String, folds: [String]) throws -> Model {
    let folder = try TemporaryFolder()
    let path = folder.file("m.swt")
    _ = try Command.run(
      "nnconvert",
      [
        "convert", modelFolder, "--part", "network", "--fold", folds.joined(separator: ","), "-o",
        path,
      ])
    return try Model(contentsOf: path)
  }

  private static func converted(_ checkpoint: String, head: String) throws -> Model {
    let folder = try TemporaryFolder()
    let path = folder.file("m.swt")
    _ = try Command.run("nnconvert", ["convert", checkpoint, "--head", head, "-o", path])
    return try Model(contentsOf: path)
  }
}
