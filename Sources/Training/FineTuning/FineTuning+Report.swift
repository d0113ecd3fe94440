// SPDX-License-Identifier: Apache-2.0
internal import Report
package import SWTFormat

extension FineTuning {
  /// How good what is written is.
  package var written: Judgement { trained == nil ? frozen.judgement : judgement }
  private var writtenTemperature: Double { trained == nil ? frozen.temperature : temperature }

  /// What a user should know of what is written, once each.
  package var warnings: [String] { frozen.warnings(of: written, temperature: writtenTemperature) }

  /// The report as JSON: that of `head`, of what is written, and what fine-tuning came to.
  package var json: JSONValue {
    var object = frozen.json.object ?? JSONObject()
    if let trained {
      object["cv"] = .object(judgement.json)
      object["temperature"] = .number(temperature)
      object["weight"] = JSONValue(rows: trained.weight)
      object["bias"] = JSONValue(trained.bias)
      object["warnings"] = JSONValue(warnings)
      object["out_of_distribution"] = [
        "threshold": JSONValue(finite: threshold),
        "distances": .array(
          (judgement.foreignness?.distances ?? []).map { JSONValue(finite: $0) }),
      ]
    }
    object["kept"] = trained == nil ? "frozen" : "fine-tuned"
    object["fine_tuning"] = [
      "settings": .object(settings.json), "epochs_per_fold": JSONValue(parts.map(\.epochs)),
      "epochs": JSONValue(trained?.epochs),
      "epochs_of_folds": .bool(trained?.isOfFolds == true),
      "frozen": .object(frozen.judgement.figures), "fine_tuned": .object(judgement.figures),
    ]
    return .object(object)
  }

  /// What is compared: names, and the figures of the frozen head and of fine-tuning.
  private var comparison: [(name: String, frozen: Double, fineTuned: Double)] {
    let (before, after) = (frozen.judgement.metrics, judgement.metrics)
    return [
      ("AUC", before.area, after.area),
      ("balanced accuracy", before.balancedAccuracy, after.balancedAccuracy),
      ("log loss", before.logLoss, after.logLoss),
    ]
  }

  private var heading: String {
    let stages = settings.unfrozenStages
    return "the last \(stages == 1 ? "stage" : "\(stages) stages") fine-tuned, out of fold"
  }

  private var verdict: String {
    trained != nil
      ? "fine-tuning is kept: its log loss out of fold is the smaller one"
      : "fine-tuning is not kept: its log loss out of fold is not smaller than the frozen head's, "
        + "which is written"
  }

  private var bestEpochs: String { parts.map { "\($0.epochs)" }.joined(separator: ", ") }

  /// How long what is written was trained.
  private var writtenEpochs: String {
    guard let trained else { return "none" }
    return "\(trained.epochs)" + (trained.isOfFolds ? ", as in the folds: here none was best" : "")
  }

  /// The report for a terminal.
  package var lines: [String] {
    let rows = comparison.map { name, before, after in
      "  \(name)" + String(repeating: " ", count: max(1, 36 - name.count))
        + "\(Figure.text(before))  \(Figure.text(after))"
    }
    return ["about the \(trained == nil ? "frozen head" : "fine-tuned network"), which is written:"]
      + frozen.lines(of: written, temperature: writtenTemperature)
      + ["", heading, "                                      frozen  fine-tuned"] + rows
      + [
        "  best epochs per fold: " + bestEpochs, "  epochs on all cases: " + writtenEpochs, verdict,
      ]
  }

  /// The report about what is written as a page.
  ///
  /// - Parameter provenance: what it was made from: names and values.
  package func page(provenance: [(name: String, value: String)]) -> JudgementPage {
    let section = JudgementPage.Section(
      heading: "T" + heading.dropFirst(), paragraph: "F" + verdict.dropFirst() + ".",
      table: MarkupTable(
        columns: [.text(""), .number("frozen"), .number("fine-tuned")],
        rows: comparison.map { [$0.name, Figure.text($0.frozen), Figure.text($0.fineTuned)] }))
    let tuned: [(name: String, value: String)] =
      settings.json.members.map { key, value in
        (key.split(separator: "_").joined(separator: " "), value.string ?? value.canonicalText)
      }
      + [
        ("best epochs per fold", bestEpochs),
        ("epochs on all cases", writtenEpochs),
        ("written", trained == nil ? "the frozen head" : "fine-tuned"),
      ]
    return JudgementPage(
      written, subtitle: frozen.pageSubtitle, notes: warnings + frozen.caveats,
      foldRemarks: frozen.foldRemarks, sections: [section],
      provenance: provenance
        + frozen.choices(of: written, temperature: writtenTemperature) + tuned)
  }

  /// The squared distance beyond which a scan is foreign.
  private var threshold: Double { judgement.foreignness?.threshold ?? .nan }

  /// What is written: the trained network, or the frozen head.
  package var head: TrainedHead {
    guard let trained else { return TrainedHead(frozen) }
    let standardization = Standardization(trained.features)
    let cohort = frozen.cohort
    return TrainedHead(
      classes: cohort.classes, weight: trained.weight, bias: trained.bias,
      pooling: frozen.chosenCandidate.pooling, temperature: temperature,
      threshold: threshold,
      distance: ForeignDistance(
        features: standardization.apply(to: trained.features), labels: cohort.labels,
        classCount: cohort.classes.count),
      standardization: standardization, encoder: trained.values)
  }

  /// What the file says of how it was made.
  package func provenance(
    crossValidation: CrossValidation.Settings, parentModelID: String, stageCount: Int
  ) -> TrainingProvenance {
    var result = TrainingProvenance(
      frozen, settings: crossValidation, seed: settings.seed, parentModelID: parentModelID)
    let tried = settings.json
    guard let trained else {
      result.hyperparameters["fine_tuning_not_kept"] = .object(tried)
      return result
    }
    result.method = "finetune"
    result.trainedStages = Array(stageCount - settings.unfrozenStages..<stageCount)
    for (key, value) in tried.members { result.hyperparameters[key] = value }
    result.hyperparameters["trained_epochs"] = .integer(trained.epochs)
    if trained.isOfFolds { result.hyperparameters["trained_epochs_of_folds"] = .bool(true) }
    result.hyperparameters["frozen_log_loss"] = .number(frozen.judgement.metrics.logLoss)
    result.metrics = judgement.figures
    return result
  }
}
