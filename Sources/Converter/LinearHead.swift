// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import NPY
internal import PickleReader
internal import SWTFormat

/// A linear classifier on pooled features, read from a file of any common form.
///
/// The recipe is AdaptiveAvgPool(1) → Flatten → Linear, saved as the Linear, the Sequential, or the
/// whole classifier with its encoder; or fitted by scikit-learn and saved with `numpy.savez`.
struct LinearHead {
  /// `[classes, features]`, row-major.
  let weight: [Float]
  let bias: [Float]?
  let classes: Int
  let features: Int
  /// What `nntrain` says of a head besides.
  let fitted: Fitted
  /// The fine-tuned encoder that came in the same file.
  let encoder: StateDict?
  /// What the file tells of the features that the head was trained on.
  let origin: HeadOrigin
  let sha256: String
  let identity: MappedFile.Identity

  /// What a head alone has no room for.
  struct Fitted {
    var classNames: [String]?
    var temperature: Double?
    /// What its columns are; `nil` for the last stage's means.
    var pooling: [Classifier.Pooling]?
  }

  /// Reads a head for an encoder whose stages have `featuresPerStage` channels.
  init(
    path: String, prefix: String?, featuresPerStage: [Int], toleratingUnknownObjects: Bool
  ) throws {
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch { throw ConversionError(error) }
    identity = file.identity
    sha256 = SHA256.hex(SHA256.digest(of: file.bytes))
    let tensors: Tensors
    do {
      (tensors, origin, fitted) = try Self.tensors(
        in: file.bytes, toleratingUnknownObjects: toleratingUnknownObjects)
    } catch PickleError.unsupportedKind(let kind) where kind != .zip {
      throw ConversionError(
        .head(
          problem: "\(DisplayText.quoted(path)) is \(kind.name)", advice: Self.forms))
    } catch let error as PickleError {
      throw ConversionError(error, file: path)
    }
    let found = try Self.find(
      tensors, prefix: prefix, featuresPerStage: featuresPerStage, pooling: fitted.pooling)
    do {
      weight = try found.weight.values()
      bias = try found.bias?.values()
    } catch { throw ConversionError(error, file: path) }
    classes = found.weight.shape[0]
    features = found.weight.shape[1]
    encoder = found.weights.hasEncoder ? found.weights : nil
  }

  /// Refuses an encoder of the head's own where the model holds several folds: it is one of them.
  func requireOneFold(of count: Int) throws {
    guard count > 1, encoder != nil else { return }
    throw ConversionError(
      .head(
        problem: "its file brings an encoder, which is one fold's, but the model holds \(count)",
        advice: "convert one fold"))
  }

  // MARK: - Files

  /// What a head may be saved as.
  private static let forms: Advice =
    "save the Linear's state_dict() with torch.save, or scikit-learn's with "
    + "numpy.savez(path, coef=model.coef_, intercept=model.intercept_, classes=model.classes_)"

  private typealias Tensors = [(key: String, tensor: TensorView)]

  private static func tensors(
    in bytes: Bytes, toleratingUnknownObjects: Bool
  ) throws -> (Tensors, HeadOrigin, Fitted) {
    if FileKind.sniff(bytes) == .safetensors {
      let file = try SafetensorsFile(bytes)
      let origin = HeadOrigin(
        modelID: file.metadata["model_id"], inputPolicy: file.metadata["input_policy"])
      return (file.tensors, origin, Fitted())
    }
    if FileKind.sniff(bytes) == .zip {
      let archive = try ZipArchive(bytes)
      if archive.entry(named: "coef.npy") != nil {
        let origin = HeadOrigin(
          modelID: try text("model_id.npy", in: archive),
          inputPolicy: try text("input_policy.npy", in: archive))
        return (try scikitTensors(archive), origin, try fitted(archive))
      }
      if archive.entries.allSatisfy({ $0.name.hasSuffix(".npy") }) {
        throw ConversionError(
          .head(
            problem: "the .npz has no 'coef', only "
              + DisplayText.list(archive.entries.map { String($0.name.dropLast(".npy".count)) }),
            advice: forms))
      }
    }
    let root = try TorchFile(bytes, toleratingUnknownObjects: toleratingUnknownObjects).root
    guard let dict = try WeightsFinder(root).choose(key: nil, warn: { _ in })?.value else {
      throw ConversionError(
        .head(
          problem: "the file holds no state dict", advice: "save classifier.state_dict()"))
    }
    let tensors = dict.entries.compactMap { entry -> (key: String, tensor: TensorView)? in
      guard let key = entry.key.string, let tensor = entry.value.tensor else { return nil }
      return (key, tensor)
    }
    let origin = HeadOrigin(
      modelID: root["model_id"]?.string, inputPolicy: root["input_policy"]?.string)
    return (tensors, origin, Fitted())
  }

  private static func fitted(_ archive: ZipArchive) throws -> Fitted {
    var result = Fitted(classNames: try classNames(archive), pooling: try pooling(archive))
    do {
      if let entry = archive.entry(named: "temperature.npy") {
        let array = try NPYArray(bytes: try archive.content(of: entry, limit: 1 << 16))
        result.temperature = array.values.first.map { Double($0) }
      }
    } catch let error as NPYError {
      throw ConversionError(.head(problem: "temperature: \(error)", advice: "write the head again"))
    }
    return result
  }

  /// `pooling`: what columns are, such as `3:mean` for the means of stage 3's channels, in order.
  private static func pooling(_ archive: ZipArchive) throws -> [Classifier.Pooling]? {
    guard let entry = archive.entry(named: "pooling.npy") else { return nil }
    let texts = try? NPYText.readList(try archive.content(of: entry, limit: 1 << 20))
    let entries = texts?.compactMap(Classifier.Pooling.init(text:))
    guard let entries, !entries.isEmpty, entries.count == texts?.count,
      Set(entries).count == entries.count
    else {
      throw ConversionError(
        .head(
          problem: "its pooling names no stages", advice: "write entries such as 3:mean and 3:max"))
    }
    return entries
  }

  /// `classes`, or `classes_`, of scikit-learn's classifiers: texts or numbers.
  private static func classNames(_ archive: ZipArchive) throws -> [String]? {
    for name in ["classes.npy", "classes_.npy"] {
      guard let entry = archive.entry(named: name) else { continue }
      let content = try archive.content(of: entry, limit: 16 << 20)
      if let texts = try? NPYText.readList(content) { return texts }
      guard let numbers = try? NPYArray(bytes: content), numbers.shape.count == 1 else {
        throw ConversionError(
          .head(
            problem: "\(name) holds neither texts nor numbers",
            advice: "save it with numpy.array(model.classes_, dtype=str)"))
      }
      return numbers.values.map { Int(exactly: $0).map(String.init) ?? "\($0)" }
    }
    return nil
  }

  /// A text that `numpy.savez` stored.
  private static func text(_ name: String, in archive: ZipArchive) throws -> String? {
    guard let entry = archive.entry(named: name) else { return nil }
    do { return try NPYText.read(try archive.content(of: entry, limit: 1 << 20)) } catch let
      error as NPYError
    {
      throw ConversionError(.head(problem: "\(name): \(error)", advice: "save it as a string"))
    }
  }

  /// `coef` `[classes, features]` and `intercept` of scikit-learn's linear models.
  private static func scikitTensors(_ archive: ZipArchive) throws -> Tensors {
    var result: Tensors = []
    for (entryName, key) in [("coef.npy", "weight"), ("intercept.npy", "bias")] {
      guard let entry = archive.entry(named: entryName) else { continue }
      let array: NPYArray
      do { array = try NPYArray(bytes: try archive.content(of: entry, limit: 1 << 30)) } catch let
        error as NPYError
      {
        throw ConversionError(.head(problem: "\(entryName): \(error)", advice: "save it again"))
      }
      let shape = key == "weight" && array.shape.count == 1 ? [1] + array.shape : array.shape
      let bytes = array.values.withUnsafeBytes { Bytes(Array($0)) }
      let tensor = try TensorView(
        shape: shape.isEmpty ? [1] : shape, elementType: .float32, key: entryName, bytes: bytes)
      result.append((key, tensor))
    }
    return result
  }

  // MARK: - Finding the Linear

  private static func find(
    _ tensors: Tensors, prefix: String?, featuresPerStage: [Int],
    pooling: [Classifier.Pooling]?
  ) throws -> (weights: StateDict, weight: TensorView, bias: TensorView?) {
    let width = try width(of: pooling, featuresPerStage: featuresPerStage)
    let dict = try StateDict(tensors)
    let heads = Set(dict.otherNames)
    let own = tensors.map { (key: EncoderLocation.unwrapped($0.key), tensor: $0.tensor) }.filter {
      key, _ in
      heads.contains(key) && (prefix.map { key == "\($0).weight" || key == "\($0).bias" } ?? true)
    }
    let weights = own.filter { key, tensor in
      (key == "weight" || key.hasSuffix(".weight")) && isMatrix(tensor.shape)
    }
    guard let (key, weight) = weights.first else {
      let advice: Advice? = prefix.map {
        "no '\($0).weight' is there; leave \(.headPrefix) out or correct it"
      }
      throw ConversionError(
        .head(
          problem: "no linear layer's weight [classes, \(width)] was found",
          advice: advice ?? "save the Linear's or the classifier's state_dict()"))
    }
    guard weights.count == 1 else {
      let names = weights.map { DisplayText.escaped($0.0) }.joined(separator: ", ")
      throw ConversionError(
        .head(
          problem: "there are several linear layers (\(names))",
          advice:
            "only AdaptiveAvgPool → Flatten → Linear is supported; name one with \(.headPrefix)"
        ))
    }
    guard weight.shape[1] == width else {
      throw ConversionError(
        .head(
          problem:
            "'\(DisplayText.escaped(key))' takes \(weight.shape[1]) features but "
            + (pooling == nil ? "the last stage has " : "its pooling gives ")
            + "\(width) (features_per_stage \(featuresPerStage))",
          advice: "train the head on encoder(x)[-1]"))
    }
    guard (1...65_536).contains(weight.shape[0]) else {
      throw ConversionError(
        .head(
          problem: "it has \(weight.shape[0]) outputs", advice: "expected 1…65536"))
    }
    let biasKey = String(key.dropLast("weight".count)) + "bias"
    let bias = own.first { $0.0 == biasKey }?.1
    if let bias, bias.elementCount != weight.shape[0] || bias.shape.count != 1 {
      throw ConversionError(.shape(key: biasKey, found: bias.shape, expected: [weight.shape[0]]))
    }
    for (key, tensor) in [(key, weight), (biasKey, bias ?? weight)]
    where !tensor.elementType.isFloatingPoint {
      throw ConversionError(.tensor(key: key, problem: "is no floating-point tensor"))
    }
    return (dict, weight, bias)
  }

  /// How many features a head takes.
  private static func width(
    of pooling: [Classifier.Pooling]?, featuresPerStage: [Int]
  ) throws -> Int {
    guard let pooling else { return featuresPerStage.last ?? 0 }
    if let entry = pooling.first(where: { !featuresPerStage.indices.contains($0.stage) }) {
      throw ConversionError(
        .head(
          problem:
            "its pooling names stage \(entry.stage), but there are \(featuresPerStage.count)",
          advice: "train the head on this model's features"))
    }
    return pooling.reduce(0) { $0 + featuresPerStage[$1.stage] }
  }

  /// A Linear's weight, or that of a 1×1 convolution, which is the same.
  private static func isMatrix(_ shape: [Int]) -> Bool {
    shape.count >= 2 && shape.dropFirst(2).allSatisfy { $0 == 1 }
  }
}
