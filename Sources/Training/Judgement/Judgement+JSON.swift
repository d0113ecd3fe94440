// SPDX-License-Identifier: Apache-2.0
package import SWTFormat

extension Judgement {
  /// The figures as members of an object, in scikit-learn's words.
  package var figures: JSONObject {
    var object = metrics.json(interval: areaInterval.range)
    if let operatingPoint { object["operating_point"] = operatingPoint.json }
    return object
  }

  /// Probabilities and figures.
  package var json: JSONObject {
    var object = JSONObject([
      ("probabilities", JSONValue(rows: probabilities)), ("metrics", .object(figures)),
      ("interval_of", .string(areaInterval.isOfGroups ? "bootstrap over groups" : "DeLong")),
    ])
    if folds != nil { object["fold_metrics"] = .array(foldMetrics.map { .object($0.json()) }) }
    return object
  }
}

extension ClassificationMetrics {
  /// As members of an object, in scikit-learn's words.
  package func json(interval: ClosedRange<Double>? = nil) -> JSONObject {
    var object = JSONObject()
    object[areas.count == 2 ? "auc" : "auc_macro_ovr"] = JSONValue(finite: area)
    if let interval { object["auc_ci95"] = JSONValue([interval.lowerBound, interval.upperBound]) }
    object["balanced_accuracy"] = JSONValue(finite: balancedAccuracy)
    object["accuracy"] = JSONValue(finite: accuracy)
    object["log_loss"] = JSONValue(finite: logLoss)
    object["brier"] = JSONValue(finite: brier)
    object["ece15"] = JSONValue(finite: calibrationError)
    object["confusion"] = .array(confusion.map { JSONValue($0) })
    if areas.count > 2 {
      object["auc_per_class"] = .array(areas.map { JSONValue(finite: $0.value) })
    }
    object["auc_delong"] = .array(
      (areas.count == 2 ? [1] : Array(areas.indices)).map { label in
        [
          "class": .integer(label), "auc": JSONValue(finite: areas[label].value),
          "se": JSONValue(finite: areas[label].standardError),
          "ci95": JSONValue([areas[label].interval.lowerBound, areas[label].interval.upperBound]),
        ]
      })
    object["sensitivity"] = .array(sensitivity.map(\.json))
    object["specificity"] = .array(specificity.map(\.json))
    return object
  }
}

extension Proportion {
  var json: JSONValue {
    [
      "value": JSONValue(finite: value),
      "wilson95": JSONValue([interval.lowerBound, interval.upperBound]),
    ]
  }
}

extension JSONValue {
  /// A number, or `null` where it is none: a fold without a class has no area under a curve.
  package init(finite value: Double) { self = value.isFinite ? .number(value) : .null }

  /// The rows of a matrix.
  package init(rows matrix: Matrix) {
    self = .array(
      (0..<matrix.rows).map { row in .array(matrix.row(row).map { JSONValue(finite: $0) }) })
  }
}
