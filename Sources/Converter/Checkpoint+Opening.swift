internal import FileIO
internal import PickleReader
internal import SWTFormat

extension Checkpoint {
  /// Opens what a user may name: a checkpoint file of any dialect, a model folder, a dataset's folder,
  /// or an exported zip.
  static func open(path: String, options: ConversionOptions) throws -> Checkpoint {
    if Folder.exists(path) {
      return try open(try FileTree(folder: path), options: options)
    }
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch { throw ConversionError(error) }
    if FileKind.sniff(file.bytes) == .zip {
      let archive: ZipArchive
      do { archive = try ZipArchive(file.bytes) } catch { throw ConversionError(error, file: path) }
      let isExport = archive.entries.contains { $0.name.hasSuffix("plans.json") }
      if isExport {
        return try open(FileTree(archive: archive, identity: file.identity), options: options)
      }
    }
    var checkpoint = try Checkpoint(
      file.bytes, name: path, identities: [file.identity], options: options)
    if checkpoint.isVersion1, options.plansPath == nil {
      let description: MappedFile
      do { description = try MappedFile(path: "\(path).pkl") } catch {
        throw ConversionError.notNNUNet(
          problem:
            "this is an nnU-Net v1 checkpoint, whose plans are in a .pkl file beside it: \(error)",
          advice: "copy \(path.split(separator: "/").last ?? "it").pkl beside it")
      }
      try checkpoint.readVersion1(description.bytes, options: options)
      checkpoint.identities.append(description.identity)
    }
    return checkpoint
  }

  /// Opens a model folder: its plans.json and dataset.json count, not the checkpoint's copies.
  private static func open(_ tree: FileTree, options: ConversionOptions) throws -> Checkpoint {
    let choice = try ModelFolder(tree, options: options).choose()
    let (bytes, identity) = try tree.content(of: choice.checkpoint)
    var checkpoint = try Checkpoint(
      bytes, name: choice.checkpoint, identities: [identity], options: options)
    if checkpoint.isVersion1 {
      try checkpoint.readVersion1(
        try tree.content(of: "\(choice.checkpoint).pkl").bytes, options: options)
      return checkpoint
    }
    let own = checkpoint
    func json(_ path: String) throws -> JSONValue {
      do {
        return try JSONParser.parse(try tree.content(of: path).bytes, allowingPythonNonFinite: true)
      } catch let error as JSONError {
        throw ConversionError.unreadable(file: path, problem: "\(error)")
      }
    }
    if let plans = choice.plans { checkpoint.plans = try json(plans) }
    if let dataset = choice.dataset { checkpoint.dataset = try json(dataset) }
    // Without a configuration in the checkpoint, plans with just one leave no doubt.
    if checkpoint.configuration == nil, let plans = checkpoint.plans {
      let names = Plans(plans, path: "plans").configurationNames
      checkpoint.configuration = names.count == 1 ? names[0] : nil
    }
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

  private mutating func readVersion1(_ bytes: Bytes, options: ConversionOptions) throws {
    let document: PickleDocument
    do {
      document = try TorchFile.plainPickle(
        bytes, toleratingUnknownObjects: options.toleratesUnknownObjects)
    } catch { throw ConversionError(error, file: ".model.pkl") }
    let description = try Version1.describe(document.root)
    plans = description.plans
    dataset = description.dataset
    configuration = Version1.configuration
    trainerName = description.trainerName
    fold = description.fold
    isWholeNetwork = true
  }
}
