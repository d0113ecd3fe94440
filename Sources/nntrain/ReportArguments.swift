// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CaseCommands
import CommandLineInterface
import FileIO
import Pipeline
import Report
import SWTFormat
import Training

/// Where it is told how good a classifier is.
struct ReportArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Write what was predicted for every case, out of fold where it was learned from.",
      valueName: "csv"), completion: .file())
  var predictions: String?
  @Option(
    help: ArgumentHelp("Write the report as a page, complete in itself.", valueName: "html"),
    completion: .file(extensions: ["html"]))
  var report: String?
  @Flag(help: "Report as JSON.")
  var json = false

  /// The scans behind cases, for pictures.
  struct Scans {
    let list: CaseList
    let thumbnails: CaseThumbnails

    init(_ list: CaseList, _ reader: CaseReader) {
      self.list = list
      thumbnails = CaseThumbnails(reader)
    }

    /// `nil` where a scan cannot be read any more.
    func picture(_ index: Int) -> Picture? {
      (try? thumbnails.picture(of: list.entries[index])) ?? nil
    }
  }

  /// The id of the model that was written, for the page.
  static func written(_ path: String) -> [(name: String, value: String)] {
    (try? SWTFile(contentsOf: path)).map { [("classifier", $0.modelID)] } ?? []
  }

  /// Plans what is to be written.
  func plan(in outputs: inout PlannedOutputs) throws {
    for path in [predictions, report].compactMap({ $0 }) { try outputs.add(path) }
  }

  /// Writes and prints what is asked for.
  ///
  /// - Parameters:
  ///   - page: the report as a page, without pictures.
  ///   - scans: those of the cases, where there are any.
  func write(
    _ judgement: Judgement, page: JudgementPage, lines: [String], json document: JSONValue,
    scans: Scans?, inputs: [MappedFile.Identity]
  ) throws {
    if let predictions { try judgement.writePredictions(to: predictions, inputs: inputs) }
    if let report {
      var page = page
      if let scans {
        for index in page.listedCases { page.thumbnails[index] = scans.picture(index) }
      }
      try page.write(to: report, inputs: inputs)
    }
    if json { return try StandardOutput.writeLine(document.prettyText) }
    for line in lines { try StandardOutput.writeLine(line) }
  }
}
