// SPDX-License-Identifier: Apache-2.0
package import SWTFormat

extension HeadTraining {
  /// The report as JSON; numbers that are none are `null`.
  package var json: JSONValue {
    var cv = judgement.json
    cv["options"] = .array(crossValidation.options.map { json(of: $0) })
    cv["nested_choices"] = .array(crossValidation.nestedChoices.map { json(of: $0) })
    cv["choice"] = json(of: crossValidation.choice)
    return [
      "classes": JSONValue(cohort.classes), "cases": JSONValue(cohort.cases),
      "folds": JSONValue(crossValidation.folds), "cv": .object(cv),
      "temperature": .number(temperature),
      "weight": JSONValue(rows: weight), "bias": JSONValue(bias),
      "out_of_distribution": [
        "threshold": JSONValue(finite: judgement.foreignness?.threshold ?? .nan),
        "shrinkage": JSONValue(finite: distance.shrinkage),
        "distances": .array(
          (judgement.foreignness?.distances ?? []).map { JSONValue(finite: $0) }),
      ],
      "warnings": JSONValue(warnings),
    ]
  }

  private func json(of option: CrossValidation.Option) -> JSONValue {
    let candidate = candidates[option.candidate]
    var object = JSONObject([
      ("pooling", .string(candidate.name)), ("c", .number(option.c)),
      ("log_loss", JSONValue(finite: option.logLoss)),
    ])
    if let policy = candidate.policy { object["input_policy"] = .string(policy.rawValue) }
    return .object(object)
  }
}
