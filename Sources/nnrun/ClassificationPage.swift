// SPDX-License-Identifier: Apache-2.0
import CommandLineInterface
import FileIO
import Pipeline
import Report
import SWTFormat
import SWTRuntime

/// `classify --report`: what became of the cases, as one page that stands alone.
struct ClassificationPage {
  /// A case of the page.
  struct Entry {
    let row: ClassificationWriter.Row
    let warnings: [String]
    let seconds: Double
    let thumbnail: Picture?
  }

  let classifier: Classifier
  /// What the cases were run with: a name and a value each.
  let provenance: [(name: String, value: String)]
  private var entries: [Entry] = []

  /// More pictures would make a page that no browser shows.
  private static let thumbnailLimit = 500
  private static let columnLimit = 6

  init(classifier: Classifier, provenance: [(name: String, value: String)]) {
    self.classifier = classifier
    self.provenance = provenance
  }

  /// Whether another case may bring a picture.
  var takesThumbnails: Bool { entries.count < Self.thumbnailLimit }

  mutating func add(_ entry: Entry) { entries.append(entry) }

  /// Writes the page, replacing what is there.
  func write(to path: String, inputs: [MappedFile.Identity]) throws {
    var file = try AtomicFile(path: path, replacing: true, inputs: inputs)
    try file.write(Array(html.utf8))
    try file.commit()
  }

  private var done: [Entry] { entries.filter { $0.row.error == nil } }

  private func probabilities(_ entry: Entry) -> [Double] {
    classifier.probabilities(entry.row.logits)
  }

  var html: String {
    var page = ReportPage(
      title: "Classification: " + classifier.classNames.joined(separator: ", "),
      subtitle: "\(entries.count) cases")
    page.add(figures: figures)
    page.add(notes: notes)
    if !done.isEmpty {
      page.add(heading: "Classes")
      page.add(charts: [
        (
          ScoreChart(
            label: "probability of the likeliest class",
            groups: groups.map { ($0.name, $0.entries.map { probabilities($0).max() ?? 0 }) }),
          "How sure the classifier is of the cases of each class."
        )
      ])
      page.add(
        table: MarkupTable(
          columns: [.text("class"), .number("cases"), .number("mean probability")],
          rows: groups.map { group in
            let sum = group.entries.reduce(0) { $0 + (probabilities($1).max() ?? 0) }
            return [
              group.name, "\(group.entries.count)",
              group.entries.isEmpty
                ? "" : Decimals.text(sum / Double(group.entries.count), places: 3),
            ]
          }))
    }
    page.add(heading: "Cases")
    if entries.count > Self.thumbnailLimit {
      page.add(paragraph: "The first \(Self.thumbnailLimit) cases have pictures.")
    }
    page.add(table: table)
    page.add(heading: "What was done")
    page.add(
      table: MarkupTable(
        columns: [.text(""), .text("")], rows: provenance.map { [$0.name, $0.value] }))
    return page.html
  }

  /// The cases by their likeliest class.
  private var groups: [(name: String, entries: [Entry])] {
    var names = classifier.classNames
    if classifier.activation == .sigmoid, names.count == 1 { names.append("not \(names[0])") }
    return names.map { name in
      (name, done.filter { classifier.likeliestClass(probabilities($0)) == name })
    }
  }

  private var figures: [ReportPage.Figure] {
    let failed = entries.count - done.count
    let seconds = entries.map(\.seconds).filter { $0 > 0 }.sorted()
    var figures = [
      ReportPage.Figure(
        name: "Cases", value: "\(entries.count)",
        note: failed == 0 ? "all done" : "\(failed) failed"),
      ReportPage.Figure(
        name: "With warnings", value: "\(entries.count { !$0.warnings.isEmpty })"),
    ]
    if classifier.outOfDistribution != nil {
      figures.append(
        ReportPage.Figure(
          name: "Unlike those trained on", value: "\(entries.count { isForeign($0) == true })"))
    }
    if !seconds.isEmpty {
      figures.append(
        ReportPage.Figure(
          name: "Seconds per case",
          value: Decimals.text(seconds[seconds.count / 2], places: 2),
          note: "median; \(Decimals.text(seconds.reduce(0, +), places: 1)) s together"))
    }
    return figures
  }

  private var notes: [String] {
    let failed = entries.filter { $0.row.error != nil }
    return failed.prefix(20).map { "\($0.row.name): \($0.row.error ?? "")" }
      + (failed.count > 20 ? ["… and \(failed.count - 20) more that failed"] : [])
  }

  private func isForeign(_ entry: Entry) -> Bool? {
    guard let fitted = classifier.outOfDistribution, let distance = entry.row.distance else {
      return nil
    }
    return distance > fitted.threshold
  }

  private var table: MarkupTable {
    let names = classifier.classNames.count > Self.columnLimit ? [] : classifier.classNames
    let tells = classifier.outOfDistribution != nil
    var columns: [MarkupTable.Column] = [.picture(""), .text("case"), .text("class")]
    columns += names.isEmpty ? [.number("probability")] : names.map { .number($0) }
    if tells { columns.append(.number("distance")) }
    columns += [.number("s"), .wide("warnings")]
    let rows = entries.map { entry -> [String] in
      let isDone = entry.row.error == nil
      let values = isDone ? probabilities(entry) : []
      var cells = [
        entry.thumbnail?.dataAddress() ?? "", entry.row.name,
        isDone ? classifier.likeliestClass(values) : "failed",
      ]
      let shown = names.isEmpty ? [values.max()] : names.indices.map { isDone ? values[$0] : nil }
      cells += shown.map { $0.map { Decimals.text($0, places: 3) } ?? "" }
      if tells {
        let distance = entry.row.distance.map { Decimals.text($0, places: 1) } ?? ""
        cells.append(isForeign(entry) == true ? "\(distance) (foreign)" : distance)
      }
      cells.append(entry.seconds > 0 ? Decimals.text(entry.seconds, places: 2) : "")
      cells.append((entry.row.error.map { [$0] } ?? entry.warnings).joined(separator: "; "))
      return cells
    }
    return MarkupTable(columns: columns, rows: rows)
  }
}
