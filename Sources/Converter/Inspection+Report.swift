// SPDX-License-Identifier: Apache-2.0
package import FileIO
package import SWTFormat

extension Inspection {
  /// Everything as JSON.
  package func json(
    includingTensors: Bool, naming name: (Setting) -> String = { $0.rawValue }
  ) -> JSONValue {
    var object = JSONObject()
    object["nnconvert_version"] = .string(NNConvertVersion.current)
    object["kind"] = .string(kind)
    object["model_id"] = JSONValue(modelID)
    object["bytes"] = .integer(byteCount)
    object["parameters"] = .integer(parameterCount)
    object["encoder_parameters"] = .integer(encoderParameterCount)
    object["optimizer_bytes"] = .integer(optimizerByteCount)
    object["model"] = description?.json ?? .null
    if modelID == nil {
      object["convertible"] = .bool(obstacle == nil)
      object["obstacle"] = JSONValue(obstacle.map { $0.message(naming: name) })
    }
    object["pickle_globals"] = JSONValue(pickleGlobals)
    object["warnings"] = JSONValue(warnings)
    if includingTensors {
      object["tensors"] = .array(
        tensors.map {
          [
            "name": .string($0.name), "shape": JSONValue($0.shape),
            "dtype": .string($0.elementType),
          ]
        })
    }
    return .object(object)
  }

  /// What a person wants to know: a label and a text per line.
  package func lines(
    naming name: (Setting) -> String = { $0.rawValue }
  ) -> [(label: String, text: String)] {
    var lines: [(label: String, text: String)] = [
      ("kind", kind), ("size", Self.megabytes(byteCount)),
    ]
    if modelID == nil {
      lines.append(
        ("can be converted", obstacle.map { "no: \($0.message(naming: name))" } ?? "yes"))
    }
    func add(_ label: String, _ text: String?) {
      if let text, !text.isEmpty { lines.append((label, text)) }
    }
    add("model id", modelID)
    if let description {
      let provenance = description.provenance
      add("trainer", provenance.trainerName)
      add("dataset", provenance.datasetName)
      add("plans", provenance.plansName)
      add("configuration", provenance.configuration)
      add(description.folds.isEmpty ? "fold" : "folds", provenance.fold)
      add("epoch", provenance.epoch.map(String.init))
      add("licence", provenance.licence)
      add("please cite", provenance.citations.joined(separator: "; "))
      lines += Self.lines(of: description.architecture)
      lines += Self.lines(of: description)
      if let training = provenance.training { lines += Self.lines(of: training) }
    }
    add("parameters", "\(parameterCount), \(encoderParameterCount) of them in the encoder")
    if modelID == nil, encoderParameterCount > 0 {
      add(
        "encoder alone",
        "\(Self.megabytes(4 * encoderParameterCount)) in f32"
          + Self.dropped([
            ("decoder", 4 * (parameterCount - encoderParameterCount)),
            ("optimizer state", optimizerByteCount),
          ]))
    }
    add("pickle names", pickleGlobals.isEmpty ? nil : "\(pickleGlobals.count), all harmless")
    return lines
  }

  /// What a conversion of the encoder alone leaves out.
  private static func dropped(_ parts: [(name: String, byteCount: Int)]) -> String {
    let texts = parts.filter { $0.byteCount > 0 }.map { "\($0.name) (\(megabytes($0.byteCount)))" }
    return texts.isEmpty ? "" : ": drops \(texts.joined(separator: " and "))"
  }

  private static func lines(
    of architecture: NetworkArchitecture
  ) -> [(label: String, text: String)] {
    if let transformer = architecture.transformer {
      return Self.lines(of: transformer, architecture)
    }
    var lines = [
      (
        label: "network", text: "\(architecture.networkClass.rawValue), \(architecture.dimension)-D"
      ),
      (
        label: "layers",
        text: "\(architecture.block.rawValue), \(architecture.normalization.kind.rawValue), "
          + "\(architecture.nonlinearity.kind.rawValue) \(architecture.nonlinearity.negativeSlope)"
      ),
    ]
    if let stem = architecture.stemChannels {
      lines.append((label: "stem", text: "\(stem) features"))
    }
    for (index, stage) in architecture.stages.enumerated() {
      let what = architecture.block == .convolution ? "convolutions" : "blocks"
      lines.append(
        (
          label: "stage \(index)",
          text: "\(padded(stage.features, 4)) features, \(stage.blocks) \(what), "
            + "kernel \(product(stage.kernelSize)), stride \(product(stage.stride))"
        ))
    }
    return lines
  }

  /// How `nntrain` made the classifier.
  private static func lines(
    of training: TrainingProvenance
  ) -> [(label: String, text: String)] {
    let stages = training.trainedStages.map(String.init).joined(separator: ", ")
    let cases = training.casesPerClass
    let what =
      training.trainedStages.isEmpty
      ? DisplayText.escaped(training.method)
      : "\(DisplayText.escaped(training.method)), stages \(stages)"
    var lines = [
      (
        label: "trained",
        text: "\(what): \(cases.reduce(0, +)) cases "
          + "(\(cases.map(String.init).joined(separator: " + "))) of \(training.groups) groups, "
          + "\(training.folds) folds, seed \(training.seed)"
      )
    ]
    let figures = ["auc", "auc_macro_ovr", "balanced_accuracy", "log_loss"].compactMap { name in
      training.metrics[name]?.double.map { "\(name) \(rounded($0))" }
    }
    if !figures.isEmpty {
      lines.append((label: "out of fold", text: figures.joined(separator: ", ")))
    }
    return lines
  }

  /// Three decimals.
  private static func rounded(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
    return "\((value * 1000).rounded() / 1000)"
  }

  private static func lines(
    of transformer: Transformer, _ architecture: NetworkArchitecture
  ) -> [(label: String, text: String)] {
    let stage = architecture.stages[0]
    let tokenizer =
      transformer.levels.isEmpty
      ? ""
      : ", tokenizer of \(transformer.levels.map { "\($0.features)" }.joined(separator: " ")) features"
    let parts: [(String, Bool)] = [
      ("rotary", transformer.hasRotary), ("learned positions", transformer.hasPositionEmbedding),
      ("layer scale", transformer.hasLayerScale), ("inner norm", transformer.hasInnerNorm),
      ("\(transformer.registers) registers", transformer.registers > 0),
    ]
    return [
      ("network", "\(architecture.networkClass.rawValue), 3-D"),
      ("input size", product(transformer.inputSize)),
      (
        "tokens",
        "\(product(architecture.grid)) of patches \(product(stage.stride)), order "
          + "\(transformer.tokenOrder.rawValue)\(tokenizer)"
      ),
      (
        "blocks",
        "\(stage.blocks), \(stage.features) features, \(transformer.heads) heads, MLP of "
          + "\(transformer.hiddenFeatures)"
      ),
      ("with", parts.filter(\.1).map(\.0).joined(separator: ", ")),
    ]
  }

  private static func lines(of description: ModelDescription) -> [(label: String, text: String)] {
    let preprocessing = description.preprocessing
    var lines: [(label: String, text: String)] = []
    for (index, channel) in preprocessing.channels.enumerated() {
      let mask = channel.useMaskForNorm ? ", within the mask" : ""
      lines.append(
        ("channel \(index)", "\(channel.name): \(channel.normalizationScheme)\(mask)"))
    }
    if !preprocessing.cascadeLabels.isEmpty {
      lines.append(("cascade", "one-hot labels \(preprocessing.cascadeLabels)"))
    }
    lines.append(
      (
        "spacing",
        preprocessing.spacing.map { "\($0.map { "\($0)" }.joined(separator: " × ")) mm" }
          ?? "unknown: training kept each scan's own"
      ))
    lines.append(("patch size", product(preprocessing.patchSize)))
    if description.part == .encoder || description.classifier != nil {
      lines.append(("input policy", description.inputPolicy.rawValue))
    }
    lines.append(
      (
        "labels",
        description.labels.labels.map {
          "\($0.name) \($0.values.map(String.init).joined(separator: "+"))"
        }
        .joined(separator: ", ")
      ))
    if let classifier = description.classifier {
      lines.append(
        (
          "classifier",
          "\(classifier.classNames.joined(separator: ", ")) (\(classifier.activation.rawValue))"
        ))
    }
    return lines
  }

  private static func product(_ sizes: [Int]) -> String {
    sizes.map(String.init).joined(separator: "×")
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: " ", count: max(0, width - digits.count)) + digits
  }

  /// A size in MB with one decimal.
  package static func megabytes(_ byteCount: Int) -> String {
    let tenths = (byteCount + 50_000) / 100_000
    return "\(tenths / 10).\(tenths % 10) MB"
  }
}
