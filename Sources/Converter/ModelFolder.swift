// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import SWTFormat

/// A model as nnU-Net leaves it: plans.json and dataset.json (version 1: plans.pkl), and checkpoints in
/// folds or beside them – on disk, below a dataset's folder, in an exported zip or a MONAI bundle.
struct ModelFolder {
  /// Which of a model's files was chosen.
  struct Choice {
    let checkpoint: String
    let fold: String?
    let plans: String?
    let dataset: String?
    /// `plans.pkl` of version 1.
    let plansVersion1: String?
    /// A checkpoint without weights that names configuration and trainer, of MONAI bundles.
    let metadata: String?
    /// The model's folder.
    let folder: String
  }

  /// A folder with plans or folds.
  private struct Model {
    let folder: String
    /// Checkpoints by fold; those beside the plans under the empty name.
    var checkpoints: [String: [String]] = [:]

    var name: String { folder.split(separator: "/").last.map(String.init) ?? "" }

    /// The last part of `Trainer__Plans__configuration`; of version 1 the folder two levels up
    /// (`configuration/TaskXXX_Name/Trainer__Plans`).
    var configuration: String {
      var parts: [Substring] = [name[...]]
      while let last = parts.last, let range = last.firstRange(of: "__") {
        parts[parts.count - 1] = last[..<range.lowerBound]
        parts.append(last[range.upperBound...])
      }
      let folders = folder.split(separator: "/")
      return String(
        parts.count < 3 && folders.count > 2 ? folders[folders.count - 3] : parts[parts.count - 1])
    }
  }

  private static let plansNames = ["plans.json", "plans.pkl"]
  private static let endings = [".pth", ".model", ".pt", ".ckpt"]
  /// A bundle's checkpoint without weights.
  private static let metadataName = "nnunet_checkpoint.pth"

  private let files: Set<String>
  private let options: ConversionOptions
  private let models: [Model]

  init(_ tree: FileTree, options: ConversionOptions) {
    self.options = options
    files = Set(tree.paths)
    var models: [String: Model] = [:]
    for path in tree.paths {
      let parts = path.split(separator: "/", omittingEmptySubsequences: false)
      guard let name = parts.last, !name.hasPrefix("._") else { continue }
      var folder = parts.dropLast()
      var fold = ""
      if let last = folder.last, last.hasPrefix("fold_") || last == "all" {
        fold = last == "all" ? "all" : String(last.dropFirst("fold_".count))
        folder = folder.dropLast()
      }
      let isCheckpoint = Self.endings.contains { name.hasSuffix($0) } && name != Self.metadataName
      guard isCheckpoint || (fold.isEmpty && Self.plansNames.contains(String(name))) else {
        continue
      }
      let key = folder.map { "\($0)/" }.joined()
      if isCheckpoint {
        models[key, default: Model(folder: key)].checkpoints[fold, default: []].append(path)
      }
      if !isCheckpoint, models[key] == nil { models[key] = Model(folder: key) }
    }
    let all = models.values.sorted { $0.folder < $1.folder }.filter { !$0.checkpoints.isEmpty }
    let files = files
    let withPlans = all.filter { model in
      Self.plansNames.contains { files.contains(model.folder + $0) }
    }
    self.models = withPlans.isEmpty ? all : withPlans
  }

  /// Chooses model, fold and checkpoint; what is not clear is asked for by name.
  func choose() throws -> Choice {
    let model = try chooseModel()
    let fold = try chooseFold(of: model)
    func file(_ name: String) -> String? {
      files.contains(model.folder + name) ? model.folder + name : nil
    }
    return Choice(
      checkpoint: try chooseCheckpoint(model.checkpoints[fold] ?? []),
      fold: fold.isEmpty ? nil : fold, plans: file("plans.json"), dataset: file("dataset.json"),
      plansVersion1: file("plans.pkl"), metadata: file(Self.metadataName), folder: model.folder)
  }

  /// The folds that were trained in a cross-validation: numbers, without `all`.
  func crossValidationFolds() throws -> [String] {
    let folds = try chooseModel().checkpoints.keys.filter { Int($0) != nil }
    guard !folds.isEmpty else {
      throw ConversionError(
        .options(
          problem: "there is no fold of a cross-validation", advice: "leave out \(.fold)"))
    }
    return folds.sorted { (Int($0) ?? 0) < (Int($1) ?? 0) }
  }

  private func chooseModel() throws -> Model {
    guard !models.isEmpty else {
      throw ConversionError(
        .notNNUNet(
          problem: "there is no nnU-Net model: no plans.json with checkpoints or fold_X folders",
          advice: "name the folder Trainer__Plans__configuration, an export, or a checkpoint"))
    }
    var candidates = models
    if let wanted = options.modelFolder {
      candidates = models.filter { $0.name == wanted || $0.folder == "\(wanted)/" }
      guard !candidates.isEmpty else {
        throw ConversionError(
          .options(
            problem: "there is no model folder \(DisplayText.quoted(wanted))",
            advice: "\(.modelFolder) is one of: \(DisplayText.list(models.map(\.name)))"))
      }
    }
    if candidates.count > 1, let wanted = options.configuration {
      let fitting = candidates.filter {
        $0.folder.split(separator: "/").contains { part in
          part == wanted || part.hasSuffix("__\(wanted)")
        }
      }
      guard !fitting.isEmpty else {
        throw ConversionError(
          .options(
            problem: "there is no model of configuration \(DisplayText.quoted(wanted))",
            advice: "\(.configuration) is one of: "
              + "\(DisplayText.list(candidates.map(\.configuration)))"))
      }
      candidates = fitting
    }
    guard candidates.count == 1 else {
      let configurations = candidates.map(\.configuration)
      guard Set(configurations).count < candidates.count else {
        throw ConversionError(
          .options(
            problem: "there are several models",
            advice: "give \(.configuration), one of: \(DisplayText.list(configurations))"))
      }
      let names = candidates.map(\.name)
      let isUnique = Set(names).count == names.count
      let folders = isUnique ? names : candidates.map { String($0.folder.dropLast()) }
      throw ConversionError(
        .options(
          problem: "there are several models",
          advice: "give \(.modelFolder), one of: \(DisplayText.list(folders))"))
    }
    return candidates[0]
  }

  private func chooseFold(of model: Model) throws -> String {
    let folds = model.checkpoints.keys.filter { !$0.isEmpty }.sorted()
    if let wanted = options.fold {
      guard folds.contains(wanted) else {
        throw ConversionError(
          .options(
            problem: "there is no fold \(DisplayText.quoted(wanted))",
            advice: "there are: \(folds.isEmpty ? "none" : DisplayText.list(folds))"))
      }
      return wanted
    }
    guard folds.count <= 1 else {
      throw ConversionError(
        .options(
          problem: "there are several folds",
          advice: "give \(.fold), one of: \(DisplayText.list(folds))"))
    }
    return folds.first ?? ""
  }

  /// The names under which nnU-Net, its version 1 and MONAI keep a checkpoint.
  private static func names(of checkpoint: String) -> [String] {
    [
      "checkpoint_\(checkpoint).pth", "model_\(checkpoint)_checkpoint.model",
      "model_\(checkpoint).model", checkpoint == "final" ? "model.pt" : "\(checkpoint)_model.pt",
    ]
  }

  private func chooseCheckpoint(_ paths: [String]) throws -> String {
    func name(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }
    func path(_ wanted: String) -> String? { paths.first { name($0) == wanted } }
    // `checkpoint_best.pth`, as nnU-Net's own -chk has it, is a name already.
    if let match = path(options.checkpoint) { return match }
    for wanted in Self.names(of: options.checkpoint) {
      if let match = path(wanted) { return match }
    }
    let usual = ["final", "best", "latest"].flatMap(Self.names)
    if options.checkpoint == "final", paths.count == 1, !usual.contains(name(paths[0])) {
      return paths[0]
    }
    throw ConversionError(
      .options(
        problem: "there is no \(DisplayText.escaped(Self.names(of: options.checkpoint)[0]))",
        advice: "give \(.checkpoint); there are: \(DisplayText.list(paths.map(name)))"))
  }
}
