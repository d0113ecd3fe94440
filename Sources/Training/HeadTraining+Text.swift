// SPDX-License-Identifier: Apache-2.0
internal import FileIO

extension HeadTraining {
  /// The report for a terminal.
  package var lines: [String] { lines(of: judgement, temperature: temperature) }

  /// The same about what became of the head.
  func lines(of judgement: Judgement, temperature: Double) -> [String] {
    let isChosen = crossValidation.options.count > 1
    let kinds = zip(cohort.classes, cohort.casesPerClass).map {
      "\(DisplayText.escaped($0)) \($1)"
    }
    return [
      "\(cohort.cases.count) cases of \(cohort.groupNames.count) groups: "
        + kinds.joined(separator: ", "),
      "features: \(chosenCandidate.name), \(weight.columns) of them; C \(crossValidation.choice.c)"
        + (isChosen ? ", chosen by cross-validation" : ""),
      "",
      "out of fold, \(judgement.foldMetrics.count) folds"
        + (isChosen ? ", everything chosen without the fold's cases:" : ":"),
    ] + judgement.lines + [
      "",
      "temperature \(Figure.text(temperature)); foreign beyond distance² "
        + Figure.text(judgement.foreignness?.threshold ?? .nan),
      "",
    ] + caveats
  }

  /// What the figures mean, and what they do not.
  var caveats: [String] {
    var result = judgement.caveats
    result.append(
      "Temperature and thresholds were fitted to the same out-of-fold values that are judged here.")
    if judgement.operatingPoint != nil {
      result.append(
        "Probabilities are judged without temperature; the threshold p is for those with it, as nnrun classify tells them."
      )
    }
    if isBalanced {
      result.append(
        "Class weights are balanced: probabilities are as if all classes were equally common, too high for rare ones."
      )
    }
    return result
  }

  /// What the head reads.
  package var chosenCandidate: CrossValidation.Candidate {
    candidates[crossValidation.choice.candidate]
  }
}
