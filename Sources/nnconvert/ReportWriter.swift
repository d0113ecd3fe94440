// SPDX-License-Identifier: Apache-2.0
import Converter
import FileIO
import SWTFormat

/// Prints results: tables for people, JSON for programs.
struct ReportWriter {
  let isJSON: Bool
  var isQuiet = false

  func write(_ report: ConversionReport, output: String) throws {
    if isJSON {
      let json: JSONValue = [
        "nnconvert_version": .string(NNConvertVersion.current), "output": .string(output),
        "model_id": .string(report.modelID), "bytes": .integer(report.byteCount),
        "input_bytes": .integer(report.inputByteCount),
        "fsync_seconds": .number(report.commitSeconds),
        "warnings": .array(report.warnings.map { .string($0) }),
      ]
      try StandardOutput.writeLine(json.prettyText)
    } else if !isQuiet {
      try write(lines: [
        ("wrote", output),
        (
          "size",
          "\(Inspection.megabytes(report.byteCount)) from \(Inspection.megabytes(report.inputByteCount))"
        ),
        ("model id", report.modelID),
      ])
    }
  }

  /// A label and a text per line, the texts aligned.
  func write(lines: [(label: String, text: String)]) throws {
    let width = lines.map(\.label.count).max() ?? 0
    var text = ""
    for line in lines {
      let padding = String(repeating: " ", count: width - line.label.count)
      text += "\(line.label)\(padding)  \(DisplayText.escaped(line.text, limit: 2000))\n"
    }
    try StandardOutput.write(text)
  }
}
