// SPDX-License-Identifier: Apache-2.0
extension HeadTraining {
  /// The report as a page.
  ///
  /// - Parameter provenance: what the classifier was made from: names and values.
  package func page(provenance: [(name: String, value: String)]) -> JudgementPage {
    JudgementPage(
      judgement, subtitle: pageSubtitle, notes: warnings + caveats, foldRemarks: foldRemarks,
      provenance: provenance + choices(of: judgement, temperature: temperature))
  }

  var pageSubtitle: String {
    "\(cohort.cases.count) scans of \(cohort.groupNames.count) patients or groups, "
      + "\(judgement.foldMetrics.count)-fold grouped cross-validation. Every figure is out of fold."
  }

  var foldRemarks: JudgementPage.FoldRemarks {
    JudgementPage.FoldRemarks(
      title: "chosen without it",
      texts: crossValidation.nestedChoices.map { "\(candidates[$0.candidate].name), C \($0.c)" })
  }

  /// What was chosen, and how; what was fitted to values out of fold is that of `judgement`.
  func choices(
    of judgement: Judgement, temperature: Double
  ) -> [(name: String, value: String)] {
    let choice = crossValidation.choice
    return [
      ("features", "\(chosenCandidate.name), \(weight.columns)"),
      (
        "C",
        "\(choice.c)"
          + (crossValidation.options.count > 1
            ? ", chosen by cross-validation; the figures choose anew without each fold" : ", given")
      ),
      ("temperature", Figure.text(temperature)),
      (
        "unlike the others",
        "squared Mahalanobis distance beyond "
          + "\(Figure.text(judgement.foreignness?.threshold ?? .nan)), which "
          + "\(Int(Judgement.thresholdPercent)) % of cases stay below out of fold"
      ),
    ]
  }
}
