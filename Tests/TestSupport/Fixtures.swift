// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// Where the committed test data lies.
package enum Fixtures {
  /// The folder `Tests/Fixtures`.
  package static let folder: String = {
    var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    parts.removeLast(2)
    return parts.joined(separator: "/") + "/Fixtures"
  }()

  /// The top of the checkout.
  package static let repository: String = {
    var parts = folder.split(separator: "/", omittingEmptySubsequences: false)
    parts.removeLast(2)
    return parts.joined(separator: "/")
  }()

  /// The folders of `checkpoints` with an nnU-Net v2 checkpoint.
  package static let checkpointNames = [
    "bottleneck__v2.8__float32", "plain2d__v2.8__float32", "plain3d__ddp-compiled-prefix__float32",
    "plain3d__legacy-format__float32", "plain3d__v2.0-oldplans__float32",
    "plain3d__v2.8__bfloat16", "plain3d__v2.8__float32", "plain3d__v2.8__float32__bn",
    "plain3d__v2.8__float32__nobias__relu__drop", "plain3d__v2.8__float32__sp9,13,11",
    "resenc3d__v2.8__float32",
  ]

  /// The names in a folder, sorted.
  package static func names(in folder: String) throws -> [String] {
    guard let stream = opendir(folder) else { throw MissingFixture(path: folder) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  /// The nnU-Net v2 checkpoint in one of the folders of `checkpoints`.
  package static func checkpoint(in name: String) throws -> String {
    var path = "\(folder)/checkpoints/\(name)/nnUNet_results"
    for _ in 0..<3 {
      guard let next = try names(in: path).first else { throw MissingFixture(path: path) }
      path += "/\(next)"
      if let fold = try? names(in: path).first(where: { $0.hasPrefix("fold_") }) {
        return "\(path)/\(fold)/checkpoint_final.pth"
      }
    }
    throw MissingFixture(path: path)
  }

  /// The folder of the example model.
  package static var exampleModelFolder: String {
    "\(repository)/Examples/brain-mri/nnUNet_results/Dataset501_BrainTissue/"
      + "nnUNetTrainerQuick__nnUNetSmallPlans__3d_fullres"
  }

  /// The checkpoint of the example model.
  package static var exampleCheckpoint: String {
    "\(exampleModelFolder)/fold_0/checkpoint_final.pth"
  }
}

/// A test needs a file that is not there.
package struct MissingFixture: Error {
  package let path: String
}
