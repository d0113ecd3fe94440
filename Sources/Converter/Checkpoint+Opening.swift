// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import PickleReader
internal import SWTFormat

extension Checkpoint {
  /// Opens what a user may name: a checkpoint file of any dialect, a model folder, a dataset's folder,
  /// a MONAI bundle, or an exported zip.
  static func open(path: String, options: ConversionOptions) throws -> Checkpoint {
    var checkpoint = try opened(path: path, options: options)
    try checkpoint.takeGivenAdaptationPlan(options: options)
    return checkpoint
  }

  private static func opened(path: String, options: ConversionOptions) throws -> Checkpoint {
    if Folder.exists(path) {
      return try open(try FileTree(folder: path), options: options)
    }
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch { throw ConversionError(error) }
    if FileKind.sniff(file.bytes) == .zip {
      let archive: ZipArchive
      do { archive = try ZipArchive(file.bytes) } catch { throw ConversionError(error, file: path) }
      let isExport = archive.entries.contains {
        $0.name.hasSuffix("plans.json") || $0.name.hasSuffix("plans.pkl")
      }
      if isExport {
        return try open(FileTree(archive: archive, identity: file.identity), options: options)
      }
    }
    var checkpoint = try Checkpoint(
      file.bytes, name: path, identities: [file.identity], options: options)
    if checkpoint.plans == nil, options.plansPath == nil {
      try checkpoint.readNeighbours(of: path, options: options)
    }
    return checkpoint
  }

  /// Reads what lies beside a checkpoint that says nothing itself: version 1's `.pkl`, or the plans of
  /// the model's folder.
  private mutating func readNeighbours(of path: String, options: ConversionOptions) throws {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let folder = parts.dropLast().map { "\($0)/" }.joined()
    if weights.naming == .dynUNet { try readConfig(besides: folder) }
    // The checkpoint lies in a fold, or beside the plans.
    let places = ["\(folder)../", folder]
    if isVersion1 || weights.naming == .stuNet {
      if let own = try? MappedFile(path: "\(path).pkl") {
        identities.append(own.identity)
        return try readVersion1(own.bytes, name: "\(path).pkl", options: options)
      }
      for place in places {
        guard let plans = try? MappedFile(path: "\(place)plans.pkl") else { continue }
        identities.append(plans.identity)
        let model = place == folder ? parts.dropLast() : parts.dropLast(2)
        return try readVersion1Plans(
          plans.bytes, folder: model.joined(separator: "/"), fold: nil, options: options)
      }
      guard !isVersion1 else {
        throw ConversionError(
          .notNNUNet(
            problem:
              "this is an nnU-Net v1 checkpoint, whose plans are in a .pkl file beside it, which "
              + "is not there",
            advice: "copy \(DisplayText.escaped(String(parts.last ?? ""))).pkl beside it"))
      }
    }
    for place in places where plans == nil {
      guard let plans = try? MappedFile(path: "\(place)plans.json") else { continue }
      self.plans = try Self.json(plans.bytes, name: "\(place)plans.json")
      if dataset == nil, let file = try? MappedFile(path: "\(place)dataset.json") {
        dataset = try Self.json(file.bytes, name: "\(place)dataset.json")
      }
      configuration = configuration ?? Self.configuration(in: self.plans, folder: folder)
      warnings.append(
        "the file names no plans itself: those of \(DisplayText.quoted("\(place)plans.json")) are used"
      )
      return
    }
  }

  /// Reads the config of a MONAI bundle, whose weights lie in its folder `models`.
  private mutating func readConfig(besides folder: String) throws {
    for name in MONAIBundle.configs {
      guard let file = try? MappedFile(path: "\(folder)../\(name)") else { continue }
      identities.append(file.identity)
      let metadata = try? MappedFile(path: "\(folder)../\(MONAIBundle.metadata)")
      if let metadata { identities.append(metadata.identity) }
      plans = MONAIBundle.config(
        try Self.json(file.bytes, name: name),
        metadata: try metadata.map { try Self.json($0.bytes, name: MONAIBundle.metadata) })
      return
    }
  }

  /// Opens a model folder: its plans.json and dataset.json count, not the checkpoint's copies.
  private static func open(_ tree: FileTree, options: ConversionOptions) throws -> Checkpoint {
    let choice = try ModelFolder(tree, options: options).choose()
    let (bytes, identity) = try tree.content(of: choice.checkpoint)
    var checkpoint = try Checkpoint(
      bytes, name: choice.checkpoint, identities: [identity], options: options)
    if checkpoint.isVersion1 || checkpoint.weights.naming == .stuNet, choice.plans == nil,
      checkpoint.plans == nil
    {
      let own = "\(choice.checkpoint).pkl"
      if tree.paths.contains(own) {
        try checkpoint.readVersion1(try tree.content(of: own).bytes, name: own, options: options)
        return checkpoint
      } else if let plans = choice.plansVersion1 {
        try checkpoint.readVersion1Plans(
          try tree.content(of: plans).bytes, folder: "\(tree.name)/\(choice.folder)",
          fold: choice.fold, options: options)
        return checkpoint
      } else if checkpoint.isVersion1 {
        throw ConversionError(
          .notNNUNet(
            problem: "there is neither \(DisplayText.quoted(own)) nor plans.pkl",
            advice: "copy one of them from where the model was trained"))
      }
    }
    if checkpoint.plans == nil, let metadata = choice.metadata {
      try checkpoint.readMetadata(
        try tree.content(of: metadata).bytes, name: metadata, options: options)
    }
    let own = checkpoint
    if checkpoint.plans == nil, checkpoint.weights.naming == .dynUNet,
      let config = MONAIBundle.configs.first(where: tree.paths.contains)
    {
      let metadata = tree.paths.first { $0 == MONAIBundle.metadata }
      checkpoint.plans = MONAIBundle.config(
        try json(try tree.content(of: config).bytes, name: config),
        metadata: try metadata.map { try json(try tree.content(of: $0).bytes, name: $0) })
    }
    if let plans = choice.plans {
      checkpoint.plans = try json(try tree.content(of: plans).bytes, name: plans)
    }
    if let dataset = choice.dataset {
      checkpoint.dataset = try json(try tree.content(of: dataset).bytes, name: dataset)
    }
    checkpoint.configuration =
      checkpoint.configuration
      ?? configuration(in: checkpoint.plans, folder: "\(tree.name)/\(choice.folder)")
    checkpoint.fold = checkpoint.fold ?? choice.fold
    if own.plans != nil, own.dataset != nil,
      let inside = try? PlannedNetwork(own, options: options, warn: { _ in }),
      let beside = try? PlannedNetwork(checkpoint, options: options, warn: { _ in }),
      inside.architecture != beside.architecture || inside.preprocessing != beside.preprocessing
        || inside.labels != beside.labels
    {
      checkpoint.warnings.append(
        "plans.json or dataset.json of the folder differ from the copies inside the checkpoint; the "
          + "folder's are used, as nnU-Net does")
    }
    return checkpoint
  }

  /// Of several configurations the one that the folder's name ends in.
  private static func configuration(in plans: JSONValue?, folder: String) -> String? {
    let names = plans.map { Plans($0, path: "plans").configurationNames } ?? []
    if names.count == 1 { return names[0] }
    return names.first { name in
      folder.split(separator: "/").contains { $0.hasSuffix("__\(name)") }
    }
  }

  private static func json(_ bytes: Bytes, name: String) throws -> JSONValue {
    do { return try JSONParser.parse(bytes, allowingPythonNonFinite: true) } catch {
      throw ConversionError(.unreadable(file: name, problem: "\(error)"))
    }
  }

  /// A MONAI bundle's checkpoint without weights.
  private mutating func readMetadata(
    _ bytes: Bytes, name: String, options: ConversionOptions
  ) throws {
    do {
      let torch = try TorchFile(bytes, toleratingUnknownObjects: options.toleratesUnknownObjects)
      try readNNUNetV2(torch.root)
      kind = "nnU-Net weights in a MONAI bundle (\(torch.layout.rawValue))"
    } catch let error as PickleError { throw ConversionError(error, file: name) }
  }

  private mutating func readVersion1(
    _ bytes: Bytes, name: String, options: ConversionOptions
  ) throws {
    apply(try Version1.describe(try Self.plainPickle(bytes, name: name, options: options)))
  }

  private mutating func readVersion1Plans(
    _ bytes: Bytes, folder: String, fold: String?, options: ConversionOptions
  ) throws {
    let plans = try Self.plainPickle(bytes, name: "plans.pkl", options: options)
    apply(try Version1.describe(plans: plans, folder: folder, fold: fold))
    warnings.append(
      "the checkpoint's own .pkl is missing: plans are from plans.pkl, the trainer from the folder's "
        + "name")
  }

  private static func plainPickle(
    _ bytes: Bytes, name: String, options: ConversionOptions
  ) throws -> PickleValue {
    do {
      return try TorchFile.plainPickle(
        bytes, toleratingUnknownObjects: options.toleratesUnknownObjects
      ).root
    } catch { throw ConversionError(error, file: name) }
  }

  private mutating func apply(_ description: Version1.Description) {
    plans = description.plans
    dataset = description.dataset
    configuration = Version1.configuration
    trainerName = description.trainerName
    fold = description.fold
    unreadableFields = description.unreadable
  }
}
