// SPDX-License-Identifier: Apache-2.0
package import FileIO
package import Report

/// The report about a classifier as a page, the same whether it was fitted, fine-tuned or only tried.
package struct JudgementPage {
  /// What is told of each fold besides its figures.
  package struct FoldRemarks: Sendable {
    package let title: String
    package let texts: [String]
  }

  /// Tables of its own that a report has.
  package struct Section: Sendable {
    package let heading: String
    package let paragraph: String?
    package let table: MarkupTable
  }

  private let judgement: Judgement
  private let subtitle: String
  private let notes: [String]
  private let foldRemarks: FoldRemarks?
  private let sections: [Section]
  /// What was done: names and values.
  private let provenance: [(name: String, value: String)]
  /// Pictures of cases, by their position.
  package var thumbnails: [Int: Picture] = [:]

  /// So many wrong cases are listed.
  private static let wrongCaseLimit = 100

  package init(
    _ judgement: Judgement, subtitle: String, notes: [String], foldRemarks: FoldRemarks? = nil,
    sections: [Section] = [], provenance: [(name: String, value: String)]
  ) {
    self.judgement = judgement
    self.subtitle = subtitle
    self.notes = notes
    self.foldRemarks = foldRemarks
    self.sections = sections
    self.provenance = provenance
  }

  /// The cases that are listed, which may bring a picture.
  package var listedCases: [Int] { Array(judgement.wrong.prefix(Self.wrongCaseLimit)) }

  /// Writes the page, replacing what is there.
  package func write(to path: String, inputs: [MappedFile.Identity]) throws(FileError) {
    var file = try AtomicFile(path: path, replacing: true, inputs: inputs)
    try file.write(Array(html.utf8))
    try file.commit()
  }

  package var html: String {
    var page = ReportPage(
      title: "Classifier: " + judgement.cases.classes.joined(separator: ", "), subtitle: subtitle)
    page.add(figures: figures)
    page.add(notes: notes)
    page.add(heading: "Curves")
    page.add(charts: charts)
    page.add(heading: "Classes")
    page.add(table: classTable)
    if !judgement.foldMetrics.isEmpty {
      page.add(heading: "Folds")
      page.add(table: foldTable)
    }
    for section in sections {
      page.add(heading: section.heading)
      if let paragraph = section.paragraph { page.add(paragraph: paragraph) }
      page.add(table: section.table)
    }
    addWrongCases(to: &page)
    page.add(heading: "What was done")
    page.add(
      table: MarkupTable(
        columns: [.text(""), .wide("")], rows: provenance.map { [$0.name, $0.value] }))
    return page.html
  }

  private var figures: [ReportPage.Figure] {
    let (metrics, interval) = (judgement.metrics, judgement.areaInterval)
    let classCount = judgement.cases.classes.count
    var figures = [
      ReportPage.Figure(
        name: classCount == 2 ? "AUC" : "AUC, one against the rest",
        value: text(metrics.area),
        note: "95 %: \(text(interval.range)), \(interval.method)"),
      ReportPage.Figure(
        name: "Balanced accuracy", value: text(metrics.balancedAccuracy),
        note: "chance \(text(1 / Double(classCount)))"),
      ReportPage.Figure(name: "Log loss", value: text(metrics.logLoss), note: "0 is perfect"),
      ReportPage.Figure(
        name: "Brier", value: text(metrics.brier), note: "sum over classes, 0 to 2"),
      ReportPage.Figure(
        name: "Calibration error", value: text(metrics.calibrationError), note: "15 bins"),
    ]
    if judgement.foreignness != nil {
      figures.append(
        ReportPage.Figure(
          name: "Unlike the others",
          value: "\(judgement.cases.labels.indices.count(where: judgement.isForeign))",
          note: "of \(judgement.cases.labels.count) scans"))
    }
    return figures
  }

  private var charts: [(chart: any Chart, caption: String)] {
    let (cases, metrics) = (judgement.cases, judgement.metrics)
    let isBinary = cases.classes.count == 2
    let shown = isBinary ? [1] : Array(cases.classes.indices)
    let roc = CurveChart(
      label: "ROC curves", x: "1 − specificity", y: "sensitivity",
      curves: shown.map { label in
        CurveChart.Curve(
          name: "\(cases.classes[label].prefix(24)) \(text(metrics.areas[label].value))",
          points: metrics.areas[label].curve.map { ($0.falsePositive, $0.truePositive) })
      })
    let bins = ClassificationMetrics.reliability(judgement.probabilities, cases.labels)
    let scores = ScoreChart(
      label: isBinary
        ? "probability of \(cases.classes[1].prefix(24))" : "probability of the true class",
      groups: cases.classes.enumerated().map { label, name in
        (
          String(name.prefix(24)),
          cases.labels.indices.filter { cases.labels[$0] == label }.map {
            judgement.probabilities[$0, isBinary ? 1 : label]
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
        ConfusionChart(classes: cases.classes, counts: metrics.confusion),
        "Confusion: rows are the truth."
      ),
      (scores, "How the scores of each class are spread."),
    ]
  }

  private var classTable: MarkupTable {
    let (cases, metrics) = (judgement.cases, judgement.metrics)
    var rows = cases.classes.indices.map { label in
      [
        cases.classes[label], "\(cases.labels.count { $0 == label })",
        text(metrics.sensitivity[label].value), text(metrics.sensitivity[label].interval),
        text(metrics.specificity[label].value), text(metrics.specificity[label].interval),
        text(metrics.areas[label].value),
      ]
    }
    if let point = judgement.operatingPoint {
      rows.append([
        "\(cases.classes[1]) from \(text(point.threshold)) on", "\(point.sensitivity.total)",
        text(point.sensitivity.value), text(point.sensitivity.interval),
        text(point.specificity.value), text(point.specificity.interval), "",
      ])
    }
    return MarkupTable(
      columns: [
        .text("class"), .number("scans"), .number("sensitivity"), .text("95 %"),
        .number("specificity"), .text("95 %"), .number("AUC"),
      ], rows: rows)
  }

  private var foldTable: MarkupTable {
    MarkupTable(
      columns: [
        .text("fold"), .number("scans"), .number("AUC"), .number("balanced accuracy"),
        .number("log loss"),
      ] + (foldRemarks.map { [.text($0.title)] } ?? []),
      rows: judgement.foldMetrics.enumerated().map { fold, metrics in
        [
          "\(fold)", "\(metrics.confusion.joined().reduce(0, +))", text(metrics.area),
          text(metrics.balancedAccuracy), text(metrics.logLoss),
        ] + (foldRemarks.map { [$0.texts[fold]] } ?? [])
      })
  }

  private func addWrongCases(to page: inout ReportPage) {
    let (cases, wrong) = (judgement.cases, judgement.wrong)
    page.add(heading: "Cases taken for another class: \(wrong.count)")
    if wrong.count > Self.wrongCaseLimit {
      page.add(paragraph: "The first \(Self.wrongCaseLimit) are listed.")
    }
    guard !wrong.isEmpty else { return }
    let pictures: [MarkupTable.Column] = thumbnails.isEmpty ? [] : [.picture("")]
    page.add(
      table: MarkupTable(
        columns: pictures + [
          .text("case"), .text("truth"), .text("taken for"), .number("probability"),
          .number("of the truth"), .text("unlike the others"),
        ],
        rows: listedCases.map { index in
          let winner = judgement.winner(index)
          return (pictures.isEmpty ? [] : [thumbnails[index]?.dataAddress() ?? ""]) + [
            cases.names[index], cases.classes[cases.labels[index]], cases.classes[winner],
            text(judgement.probabilities[index, winner]),
            text(judgement.probabilities[index, cases.labels[index]]),
            judgement.isForeign(index) ? "yes" : "",
          ]
        }))
  }

  private func text(_ value: Double) -> String { Figure.text(value) }

  private func text(_ range: ClosedRange<Double>) -> String {
    "\(text(range.lowerBound))–\(text(range.upperBound))"
  }
}
