// SPDX-License-Identifier: Apache-2.0
internal import Report

/// The report of a trained head as a page.
package struct TrainingPage {
  private let training: HeadTraining
  private let provenance: [(name: String, value: String)]
  /// So many wrong cases are listed.
  private static let wrongCaseLimit = 100

  /// - Parameter provenance: what the classifier was made from, a name and a value each.
  package init(_ training: HeadTraining, provenance: [(name: String, value: String)]) {
    self.training = training
    self.provenance = provenance
  }

  package var html: String {
    let classes = training.cohort.classes
    var page = ReportPage(
      title: "Classifier: " + classes.joined(separator: ", "),
      subtitle: "\(training.cohort.cases.count) scans of \(training.cohort.groupNames.count) "
        + "patients or groups, \(training.foldMetrics.count)-fold grouped cross-validation. Every "
        + "figure is out of fold.")
    page.add(figures: figures)
    page.add(notes: training.warnings + training.caveats)
    page.add(heading: "Curves")
    page.add(charts: charts)
    page.add(heading: "Classes")
    page.add(table: classTable)
    page.add(heading: "Folds")
    page.add(table: foldTable)
    addWrongCases(to: &page)
    page.add(heading: "What was done")
    page.add(
      table: MarkupTable(
        columns: [.text(""), .text("")], rows: (provenance + choices).map { [$0.name, $0.value] }))
    return page.html
  }

  private var figures: [ReportPage.Figure] {
    let metrics = training.metrics
    let range = training.areaInterval.range
    return [
      ReportPage.Figure(
        name: training.cohort.classes.count == 2 ? "AUC" : "AUC, one against the rest",
        value: text(metrics.area),
        note: "95 %: \(text(range.lowerBound))–\(text(range.upperBound))"
          + (training.areaInterval.isOfPatients ? ", patients drawn" : ", DeLong")),
      ReportPage.Figure(
        name: "Balanced accuracy", value: text(metrics.balancedAccuracy),
        note: "chance \(text(1 / Double(training.cohort.classes.count)))"),
      ReportPage.Figure(
        name: "Log loss", value: text(metrics.logLoss), note: "0 is perfect"),
      ReportPage.Figure(
        name: "Brier", value: text(metrics.brier), note: "sum over classes, 0 to 2"),
      ReportPage.Figure(
        name: "Calibration error", value: text(metrics.calibrationError),
        note: "before temperature \(text(training.temperature))"),
    ]
  }

  private var charts: [(chart: any Chart, caption: String)] {
    let cohort = training.cohort
    let metrics = training.metrics
    let shown = cohort.classes.count == 2 ? [1] : Array(cohort.classes.indices)
    let roc = CurveChart(
      label: "ROC curves", x: "1 − specificity", y: "sensitivity",
      curves: shown.map { label in
        CurveChart.Curve(
          name: "\(cohort.classes[label].prefix(24)) \(text(metrics.areas[label].value))",
          points: metrics.areas[label].curve.map { ($0.falsePositive, $0.truePositive) })
      })
    let bins = ClassificationMetrics.reliability(training.probabilities, cohort.labels)
    let scores = ScoreChart(
      label: cohort.classes.count == 2
        ? "probability of \(cohort.classes[1].prefix(24))" : "probability of the true class",
      groups: cohort.classes.enumerated().map { label, name in
        (
          String(name.prefix(24)),
          cohort.labels.indices.filter { cohort.labels[$0] == label }.map {
            training.probabilities[$0, cohort.classes.count == 2 ? 1 : label]
          }
        )
      })
    return [
      (roc, "ROC: how many of a class are found, against how many others are taken for it."),
      (
        ReliabilityChart(
          bins: bins.map {
            ReliabilityChart.Bin(
              confidence: $0.confidence, accuracy: $0.accuracy, count: $0.count)
          }),
        "Reliability: on the dashed line probabilities are what they say. Larger points are more cases."
      ),
      (
        ConfusionChart(classes: cohort.classes, counts: metrics.confusion),
        "Confusion: rows are the truth."
      ),
      (scores, "How the scores of each class are spread."),
    ]
  }

  private var classTable: MarkupTable {
    let (cohort, metrics) = (training.cohort, training.metrics)
    return MarkupTable(
      columns: [
        .text("class"), .number("scans"), .number("sensitivity"), .text("95 %"),
        .number("specificity"), .text("95 %"), .number("AUC"),
      ],
      rows: cohort.classes.indices.map { label in
        [
          cohort.classes[label], "\(cohort.casesPerClass[label])",
          text(metrics.sensitivity[label].value), interval(metrics.sensitivity[label]),
          text(metrics.specificity[label].value), interval(metrics.specificity[label]),
          text(metrics.areas[label].value),
        ]
      })
  }

  private var foldTable: MarkupTable {
    MarkupTable(
      columns: [
        .text("fold"), .number("scans"), .number("AUC"), .number("balanced accuracy"),
        .number("log loss"), .text("chosen without it"),
      ],
      rows: training.foldMetrics.enumerated().map { fold, metrics in
        let choice = training.crossValidation.nestedChoices[fold]
        return [
          "\(fold)", "\(metrics.confusion.joined().reduce(0, +))", text(metrics.area),
          text(metrics.balancedAccuracy), text(metrics.logLoss),
          "\(training.candidates[choice.candidate].name), C \(choice.c)",
        ]
      })
  }

  private func addWrongCases(to page: inout ReportPage) {
    let cohort = training.cohort
    let wrong = cohort.labels.indices.filter { index in
      ClassificationMetrics.winner(training.probabilities.row(index)) != cohort.labels[index]
    }
    page.add(heading: "Cases taken for another class: \(wrong.count)")
    if wrong.count > Self.wrongCaseLimit {
      page.add(paragraph: "The first \(Self.wrongCaseLimit) are listed.")
    }
    page.add(
      table: MarkupTable(
        columns: [
          .text("case"), .text("truth"), .text("taken for"), .number("probability"),
          .number("of the truth"), .text("unlike the others"),
        ],
        rows: wrong.prefix(Self.wrongCaseLimit).map { index in
          let winner = ClassificationMetrics.winner(training.probabilities.row(index))
          return [
            cohort.cases[index], cohort.classes[cohort.labels[index]], cohort.classes[winner],
            text(training.probabilities[index, winner]),
            text(training.probabilities[index, cohort.labels[index]]),
            training.distances[index] > training.threshold ? "yes" : "",
          ]
        }))
  }

  private var choices: [(name: String, value: String)] {
    let choice = training.crossValidation.choice
    return [
      ("features", "\(training.candidates[choice.candidate].name), \(training.weight.columns)"),
      (
        "C",
        "\(choice.c)"
          + (training.crossValidation.options.count > 1
            ? ", chosen by cross-validation; the figures choose anew without each fold" : ", given")
      ),
      ("temperature", text(training.temperature)),
      (
        "unlike the others",
        "squared Mahalanobis distance beyond \(text(training.threshold)), which 95 % of cases stay "
          + "below out of fold"
      ),
    ]
  }

  private func interval(_ proportion: Proportion) -> String {
    "\(text(proportion.interval.lowerBound))–\(text(proportion.interval.upperBound))"
  }

  private func text(_ value: Double) -> String { HeadTraining.text(value) }
}
