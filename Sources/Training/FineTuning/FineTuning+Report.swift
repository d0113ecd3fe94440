// SPDX-License-Identifier: Apache-2.0
internal import FileIO
package import SWTFormat

extension FineTuning {
  /// The metrics of what is written.
  private var written: (ClassificationMetrics, Matrix) {
    isKept ? (metrics, probabilities) : (frozen.metrics, frozen.probabilities)
  }

  /// The report as JSON: that of `head`, of what is written, and what fine-tuning came to.
  package var json: JSONValue {
    var object = frozen.json.object ?? JSONObject()
    if isKept {
      let cv: JSONValue = [
        "probabilities": JSONValue(rows: probabilities),
        "metrics": .object(metrics.json(interval: areaInterval.range)),
        "interval_of": areaInterval.isOfPatients ? "bootstrap over groups" : "DeLong",
      ]
      object["cv"] = cv
      object["temperature"] = .number(temperature)
      if let trained {
        object["weight"] = JSONValue(rows: trained.weight)
        object["bias"] = JSONValue(trained.bias)
      }
      object["out_of_distribution"] = [
        "threshold": JSONValue(finite: threshold),
        "distances": .array(distances.map { JSONValue(finite: $0) }),
      ]
    }
    object["kept"] = isKept ? "fine-tuned" : "frozen"
    object["fine_tuning"] = [
      "settings": .object(settings.json), "epochs_per_fold": JSONValue(parts.map(\.epochs)),
      "epochs": JSONValue(trained?.epochs),
      "frozen": .object(frozen.metrics.json(interval: frozen.areaInterval.range)),
      "fine_tuned": .object(metrics.json(interval: areaInterval.range)),
    ]
    return .object(object)
  }

  /// The report for a terminal.
  package var lines: [String] {
    func row(_ label: String, _ before: Double, _ after: Double) -> String {
      "  \(label)" + String(repeating: " ", count: max(1, 36 - label.count))
        + "\(HeadTraining.text(before))  \(HeadTraining.text(after))"
    }
    let stages = settings.unfrozenStages
    let verdict =
      isKept
      ? "fine-tuning is kept: its log loss out of fold is the smaller one"
      : "fine-tuning is not kept: its log loss out of fold is not smaller than the frozen head's, "
        + "which is written"
    let comparison = [
      "", "the last \(stages == 1 ? "stage" : "\(stages) stages") fine-tuned, out of fold",
      "                                      frozen  fine-tuned",
      row("AUC", frozen.metrics.area, metrics.area),
      row("balanced accuracy", frozen.metrics.balancedAccuracy, metrics.balancedAccuracy),
      row("log loss", frozen.metrics.logLoss, metrics.logLoss),
      "  best epochs per fold: " + parts.map { "\($0.epochs)" }.joined(separator: ", "), verdict,
    ]
    return frozen.lines + comparison
  }

  /// The squared distance beyond which a scan is foreign.
  package var threshold: Double {
    Percentile.of(sorted: distances.sorted(), HeadTraining.thresholdPercent)
  }

  /// What is written: the trained network, or the frozen head.
  ///
  /// - Parameter pooling: what the frozen head reads; `nil` for the last stage's mean.
  package func head(frozenPooling: [Classifier.Pooling]?) -> TrainedHead {
    guard isKept, let trained else { return TrainedHead(frozen, pooling: frozenPooling) }
    let standardization = Standardization(trained.features)
    let cohort = frozen.cohort
    return TrainedHead(
      classes: cohort.classes, weight: trained.weight, bias: trained.bias,
      pooling: frozenPooling == nil ? nil : trained.pooling, temperature: temperature,
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
    guard isKept else {
      result.hyperparameters["fine_tuning_not_kept"] = .object(tried)
      return result
    }
    result.method = "finetune"
    result.trainedStages = Array(stageCount - settings.unfrozenStages..<stageCount)
    for (key, value) in tried.members { result.hyperparameters[key] = value }
    result.hyperparameters["trained_epochs"] = JSONValue(trained?.epochs)
    result.hyperparameters["frozen_log_loss"] = .number(frozen.metrics.logLoss)
    result.metrics = metrics.json(interval: areaInterval.range)
    return result
  }
}
