// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CommandLineInterface
import FileIO
import Pipeline
import SWTFormat

struct Merge: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Put the results of shares together, as one run would have written them.",
    discussion: """
      Takes the .npy files that 'classify' or 'features' wrote with --share, each with its .json beside it. Cases \
      that are missing are named; exit status 8 then, and the others are written.

      Example:
        nnrun merge logits-*-of-8.npy -o logits.npy
      """)

  @Argument(help: "The shares' .npy files.", completion: .file(extensions: ["npy"]))
  var shares: [String]
  @Option(name: .shortAndLong, help: "The .npy to write.", completion: .file())
  var output: String
  @Flag(help: "Report as JSON.")
  var json = false
  @Flag(help: "Tell errors only.")
  var quiet = false

  func run() throws {
    let reporter = Reporter(name: NNRun.tool.name, isQuiet: quiet)
    let parts = try shares.map { (path: $0, results: try StoredResults(contentsOf: $0)) }
    let merged = try MergedShares(parts)
    let inputs = shares.flatMap { [$0, ResultFile.sidecar(of: $0)] }
      .compactMap { MappedFile.identity(ofFileAt: $0) }
    var file = try ResultFile(
      path: output, origin: merged.origin, inputs: inputs, isResumed: false)
    for row in merged.rows { try file.append(row) }
    try file.save(extra: merged.classNames.map { [("classes", JSONValue($0))] } ?? [])
    if json {
      let report: JSONValue = [
        "nnrun_version": .string(NNRun.version), "model_id": .string(merged.origin.modelID),
        "output": .string(output), "cases": .integer(merged.rows.count),
        "missing_shares": JSONValue(merged.missingShares.map(\.text)),
        "missing": JSONValue(merged.missing),
      ]
      try StandardOutput.writeLine(report.prettyText)
    } else {
      reporter.note("wrote \(DisplayText.quoted(output)), \(merged.rows.count) cases")
    }
    guard !merged.missing.isEmpty else { return }
    for share in merged.missingShares { reporter.warn("share \(share.text) is missing") }
    for name in merged.missing { reporter.warn("case \(DisplayText.quoted(name)) is missing") }
    throw CasesFailed(failed: merged.missing.count, total: merged.cohort.count)
  }
}

/// What shares hold together.
struct MergedShares {
  let origin: ResultFile.Origin
  let classNames: [String]?
  /// In the order of one run over all cases.
  let rows: [ResultFile.Row]
  /// All cases.
  let cohort: [String]
  /// The names of cases without a row.
  let missing: [String]
  let missingShares: [Share]

  /// Refuses what are not shares of one run, each there once.
  init(_ parts: [(path: String, results: StoredResults)]) throws {
    var known: [Int: String] = [:]
    var rows: [String: [ResultFile.Row]] = [:]
    let (first, firstPath) = (parts[0].results, parts[0].path)
    guard let whole = first.part else { throw Self.error(firstPath, "is no share") }
    for (path, results) in parts {
      guard let part = results.part else { throw Self.error(path, "is no share") }
      guard results.origin == first.origin, results.classNames == first.classNames else {
        throw Self.error(
          path,
          "was made with \(results.origin.text), \(DisplayText.quoted(firstPath)) with "
            + first.origin.text)
      }
      guard part.share.count == whole.share.count else {
        throw Self.error(path, "is one of \(part.share.count) shares, not of \(whole.share.count)")
      }
      guard Set(part.cohort) == Set(whole.cohort) else {
        throw Self.error(
          path,
          "is a share of \(part.cohort.count) cases that are not the \(whole.cohort.count) of "
            + DisplayText.quoted(firstPath))
      }
      if let other = known.updateValue(path, forKey: part.share.number) {
        throw Self.error(
          path, "is share \(part.share.text), as \(DisplayText.quoted(other)) is")
      }
      for row in results.rows { rows[ResultFile.base(of: row.name), default: []].append(row) }
    }
    let own = Set(whole.cohort)
    if let strange = rows.keys.filter({ !own.contains($0) }).min() {
      throw Self.error(
        firstPath,
        "or another share holds a case that is none of the run's, \(DisplayText.quoted(strange))")
    }
    for (name, rows) in rows.sorted(by: { $0.key < $1.key })
    where Set(rows.map(\.name)).count < rows.count {
      throw Self.error(firstPath, "and other shares hold case \(DisplayText.quoted(name)) twice")
    }
    origin = first.origin
    classNames = first.classNames
    cohort = whole.cohort
    self.rows = cohort.flatMap { rows[$0] ?? [] }
    missing = cohort.filter { rows[$0] == nil }
    missingShares = (1...whole.share.count).filter { known[$0] == nil }
      .compactMap { Share(number: $0, count: whole.share.count) }
  }

  private static func error(_ path: String, _ problem: String) -> InputError {
    .results(path, problem: problem)
  }
}
