internal import FileIO
internal import SWTFormat

/// A model as nnU-Net leaves it: a folder `Trainer__Plans__configuration` with plans.json,
/// dataset.json and folds – on disk, below a dataset's folder, or in an exported zip.
struct ModelFolder {
  /// Which of a model's files was chosen.
  struct Choice {
    let checkpoint: String
    let plans: String?
    let dataset: String?
  }

  private let tree: FileTree
  private let options: ConversionOptions

  init(_ tree: FileTree, options: ConversionOptions) {
    self.tree = tree
    self.options = options
  }

  /// The folders that hold a model, relative to the tree: those of plans.json (version 2) or
  /// plans.pkl (version 1) with folds beside it.
  private var models: [String] {
    var withFolds: Set<String> = []
    for path in tree.paths {
      let parts = path.split(separator: "/", omittingEmptySubsequences: false)
      for (index, part) in parts.enumerated().dropLast() where part.hasPrefix("fold_") {
        withFolds.insert(parts[..<index].map { "\($0)/" }.joined())
      }
    }
    return tree.paths.compactMap { path in
      for name in ["plans.json", "plans.pkl"] where path == name || path.hasSuffix("/\(name)") {
        let folder = String(path.dropLast(name.count))
        if withFolds.contains(folder) { return folder }
      }
      return nil
    }
  }

  /// The last part of `Trainer__Plans__configuration`.
  private static func configuration(of folder: String) -> String {
    var name = folder.split(separator: "/").last ?? ""
    while let range = name.firstRange(of: "__") { name = name[range.upperBound...] }
    return String(name)
  }

  /// Chooses model, fold and checkpoint; what is not clear is asked for by name.
  func choose() throws -> Choice {
    var models = models
    guard !models.isEmpty else {
      throw ConversionError.notNNUNet(
        problem: "there is no nnU-Net model: no plans.json with fold_X folders beside it",
        advice: "name the folder Trainer__Plans__configuration, an export, or a checkpoint")
    }
    if models.count > 1, let wanted = options.configuration {
      models = models.filter { Self.configuration(of: $0) == wanted }
    }
    guard models.count == 1, let model = models.first else {
      let names = (models.isEmpty ? self.models : models).map { Self.configuration(of: $0) }
      throw ConversionError.options(
        problem: "there are several models — give --configuration, one of: "
          + names.map(DisplayText.escaped).joined(separator: ", "))
    }
    let fold = try chooseFold(in: model)
    let files = ["plans.json", "dataset.json"].map {
      tree.paths.contains(model + $0) ? model + $0 : nil
    }
    return Choice(
      checkpoint: try chooseCheckpoint(in: "\(model)fold_\(fold)/"), plans: files[0],
      dataset: files[1])
  }

  private func chooseFold(in model: String) throws -> String {
    let prefix = "\(model)fold_"
    var folds: [String] = []
    for path in tree.paths where path.hasPrefix(prefix) && isCheckpoint(path) {
      let fold = String(path.dropFirst(prefix.count).prefix { $0 != "/" })
      if !folds.contains(fold) { folds.append(fold) }
    }
    if let wanted = options.fold {
      guard folds.contains(wanted) else {
        throw ConversionError.options(
          problem: "there is no fold \(DisplayText.quoted(wanted)) — there are: "
            + folds.map(DisplayText.escaped).joined(separator: ", "))
      }
      return wanted
    }
    guard folds.count == 1, let fold = folds.first else {
      guard !folds.isEmpty else {
        throw ConversionError.notNNUNet(
          problem: "no fold holds a checkpoint", advice: "copy the fold_X folders completely")
      }
      throw ConversionError.options(
        problem: "there are several folds — give --fold, one of: "
          + folds.map(DisplayText.escaped).joined(separator: ", "))
    }
    return fold
  }

  private func isCheckpoint(_ path: String) -> Bool {
    path.hasSuffix(".pth") || path.hasSuffix(".model")
  }

  private func chooseCheckpoint(in fold: String) throws -> String {
    let there = tree.paths.filter { $0.hasPrefix(fold) && isCheckpoint($0) }
      .map { String($0.dropFirst(fold.count)) }
    let names = [
      "checkpoint_\(options.checkpoint).pth", "model_\(options.checkpoint)_checkpoint.model",
      "model_\(options.checkpoint).model",
    ]
    guard let name = names.first(where: { there.contains($0) }) else {
      throw ConversionError.options(
        problem:
          "there is no \(names[0]) in \(DisplayText.escaped(fold)) — give --checkpoint; there are: "
          + there.map(DisplayText.escaped).joined(separator: ", "))
    }
    return fold + name
  }
}
