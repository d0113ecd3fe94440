// SPDX-License-Identifier: Apache-2.0
import FileIO
import Foundation
import NPY
import SWTFormat
import TestSupport
import Testing

/// A table whose cells name folders of DICOM studies, and what `nntrain` and `nnrun` make of it.
@Suite struct TrainingFromDICOMTests {
  private let folder: TemporaryFolder
  private let model: String
  private static let studies = ["ax_ct", "sag_mr", "oblique_mr", "rle"]

  /// Every study lies in a folder with the name of a person, which its files hold too.
  init() throws {
    folder = try TemporaryFolder()
    model = folder.file("m.swt")
    let converted = try Command.run(
      "nnconvert", ["convert", Fixtures.exampleCheckpoint, "-o", model, "--quiet"])
    #expect(converted.status == 0, "\(converted.errors)")
    for name in Self.studies + ["missing_slice"] { try plant(name) }
    try write(Self.studies, to: "cases.csv")
  }

  private func plant(_ name: String) throws {
    let target = folder.file("CANARY^\(name)")
    try FileManager.default.copyItem(
      atPath: "\(Fixtures.folder)/dicom/\(name)/study", toPath: target)
    for file in try Fixtures.names(in: target) {
      let url = URL(fileURLWithPath: "\(target)/\(file)")
      var bytes = try [UInt8](Data(contentsOf: url))
      guard let range = bytes.firstRange(of: Array("Nobody^Synthetic".utf8)) else { continue }
      bytes.replaceSubrange(range, with: Array("CANARY^CANARY^^^".utf8))
      try Data(bytes).write(to: url)
    }
  }

  private func write(_ studies: [String], to name: String) throws {
    let rows = studies.enumerated().map { "c\($0),CANARY^\($1),\($0 < 2 ? "a" : "b")\n" }
    var file = try AtomicFile(path: folder.file(name), replacing: true)
    try file.write(Array(("case,image,label\n" + rows.joined()).utf8))
    try file.commit()
  }

  private func run(
    _ command: String, _ arguments: [String], status: Int32 = 0
  ) throws -> CommandResult {
    let result = try Command.run(command, arguments)
    #expect(result.status == status, "\(arguments): \(result.errors)")
    return result
  }

  @Test func everythingThatTrainsTakesThem() throws {
    let table = folder.file("cases.csv")
    let dicom = ["--dicom-convention", "dcm2niix"]
    let head = folder.file("head.swt")
    var results: [CommandResult] = []
    results.append(
      try run(
        "nntrain",
        [
          "head", model, table, "-o", head, "--cv", "2", "--json", "--report",
          folder.file("r.html"), "--predictions", folder.file("p.csv"), "--cache",
          folder.file("cache.npy"),
        ] + dicom))
    results.append(
      try run(
        "nntrain", ["plan", model, table, "--cv", "2", "--views", "0"] + dicom))
    results.append(
      try run(
        "nntrain",
        [
          "finetune", model, table, "-o", folder.file("tuned.swt"), "--cv", "2", "--views", "0",
          "--epochs", "1", "--cache", folder.file("cache.npy"), "--report",
          folder.file("t.html"), "--predictions", folder.file("t.csv"),
        ] + dicom))
    results.append(
      try run(
        "nntrain",
        [
          "evaluate", head, table, "--report", folder.file("e.html"), "--predictions",
          folder.file("e.csv"),
        ] + dicom))
    // Another convention gives other features, and the file says which was used: nothing needs to be told again.
    #expect(
      try run(
        "nntrain",
        [
          "head", model, table, "-o", folder.file("other.swt"), "--cv", "2", "--cache",
          folder.file("cache.npy"), "--dicom-convention", "as-scanned",
        ]
      ).errors.contains("scans' features were kept") == false)
    for (file, name) in [(head, "dcm2niix"), (folder.file("other.swt"), "as-scanned")] {
      #expect(
        try SWTFile(contentsOf: file).description.preprocessing.dicomConvention == name)
      #expect(try run("nnrun", ["classify", file, table]).output.contains("c0"))
    }
    // The second run has its features from the first: a series is known by its files' content.
    #expect(results[2].errors.contains("4 scans' features were kept"), "\(results[2].errors)")
    // nnrun reads the same cells, and gives the features that were learned from.
    results.append(
      try run(
        "nnrun", ["features", model, table, "-o", folder.file("f.npy"), "--pooled"] + dicom))
    let own = try NPYArray(contentsOf: folder.file("f.npy"))
    let cached = try NPYArray(contentsOf: folder.file("cache.npy"))
    let width = own.shape[1]
    for row in 0..<4 {
      // The last stage's means stand before its maxima.
      let end = (row + 1) * cached.shape[1] - width
      let difference = Difference(
        own.values[row * width..<(row + 1) * width], cached.values[end - width..<end])
      #expect(difference.relative < 1e-5)
    }
    var text = results.map { $0.output + $0.errors }.joined()
    for name in folder.content where !name.hasPrefix("CANARY") && name != "cases.csv" {
      text += String(decoding: try MappedFile(path: folder.file(name)).bytes.array, as: UTF8.self)
    }
    #expect(text.contains("c0") && !text.contains("CANARY"))
  }

  @Test func whatIsWrongIsSaidOfTheCase() throws {
    try write(["ax_ct", "sag_mr", "oblique_mr", "missing_slice"], to: "bad.csv")
    let head = ["head", model, folder.file("bad.csv"), "-o", folder.file("h.swt"), "--cv", "2"]
    let bad = try run("nntrain", head + ["--dicom-convention", "dcm2niix"], status: 65)
    #expect(bad.errors.contains("case 'c3'") && bad.errors.contains("is one missing?"))
    let unknown = try run("nntrain", head, status: 65)
    #expect(unknown.errors.contains("--dicom-convention"))
    #expect(!(bad.errors + unknown.errors).contains("CANARY"))
  }
}
