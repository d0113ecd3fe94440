// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import PickleReader

extension Checkpoint {
  /// Every fold that has a checkpoint, but for the one trained on all cases.
  static let allTrainedFolds = "all-trained"

  /// Opens what a user may name; several checkpoints where several folds are asked for, as `0,1,2` or
  /// `all-trained`.
  static func openFolds(path: String, options: ConversionOptions) throws -> [Checkpoint] {
    guard let wanted = options.fold, wanted == allTrainedFolds || wanted.contains(",") else {
      return [try openResampled(path: path, options: options)]
    }
    var names = wanted.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    if wanted == allTrainedFolds { names = try crossValidationFolds(path: path, options: options) }
    guard Set(names).count == names.count, names.count <= 64 else {
      throw ConversionError(
        .options(
          problem: "a fold is named twice, or there are more than 64",
          advice: "\(.fold) takes numbers and all, separated by commas"))
    }
    return try names.map { name in
      var single = options
      single.fold = name
      var checkpoint = try openResampled(path: path, options: single)
      checkpoint.fold = name
      return checkpoint
    }
  }

  /// Opens a checkpoint for the size of input that is asked for.
  private static func openResampled(
    path: String, options: ConversionOptions
  ) throws -> Checkpoint {
    var checkpoint = try open(path: path, options: options)
    try PositionEmbedding.resample(&checkpoint, options: options)
    return checkpoint
  }

  private static func crossValidationFolds(
    path: String, options: ConversionOptions
  ) throws -> [String] {
    if Folder.exists(path) {
      return try ModelFolder(try FileTree(folder: path), options: options).crossValidationFolds()
    }
    do {
      let file = try MappedFile(path: path)
      let tree = FileTree(archive: try ZipArchive(file.bytes), identity: file.identity)
      return try ModelFolder(tree, options: options).crossValidationFolds()
    } catch { throw ConversionError(error, file: path) }
  }
}

/// The weights of a checkpoint, or of several folds under the names that a model file has for them.
struct FoldedWeights {
  private let folds: [(prefix: String, weights: StateDict)]

  init(_ checkpoints: [Checkpoint]) {
    folds = checkpoints.map { checkpoint in
      (checkpoints.count > 1 ? "fold_\(checkpoint.fold ?? "")/" : "", checkpoint.weights)
    }
  }

  var names: [String] { folds.flatMap { fold in fold.weights.names.map { fold.prefix + $0 } } }

  subscript(name: String) -> TensorView? {
    for fold in folds where name.hasPrefix(fold.prefix) {
      if let tensor = fold.weights[String(name.dropFirst(fold.prefix.count))] { return tensor }
    }
    return nil
  }
}
