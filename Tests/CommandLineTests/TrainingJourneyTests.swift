import FileIO
import NPY
import SWTFormat
import TestSupport
import Testing

/// `nntrain` as a user calls it.
@Suite struct TrainingJourneyTests {
  private static let wine = "\(Fixtures.folder)/training/head/wine"

  /// Features as wide as the example model's last stage, two classes in ten cases.
  private func writeFeatures(to folder: TemporaryFolder, width: Int) throws {
    let cases = (0..<10).map { "case\($0)" }
    var values = [Float](repeating: 0, count: 10 * width)
    for index in values.indices {
      let (row, column) = (index / width, index % width)
      values[index] = Float((row * 7 + column * 3) % 11) + (column == 0 ? Float(row % 2) * 8 : 0)
    }
    try NPYArray(shape: [10, width], values: values).write(to: folder.file("f.npy"))
    let json: JSONValue = ["cases": .array(cases.reversed().map { .string($0) })]
    try write(json.prettyText, to: folder.file("f.json"))
    let rows = cases.enumerated().map { index, name in
      "\(name),\(index % 2 == 1 ? "sick" : "well"),x.nii.gz"
    }
    try write(
      "case,label,image\n" + rows.joined(separator: "\n") + "\n", to: folder.file("cases.csv"))
  }

  private func write(_ text: String, to path: String) throws {
    var file = try AtomicFile(path: path, replacing: true)
    try file.write(Array(text.utf8))
    try file.commit()
  }

  @Test func aHeadFromFeaturesIsAttachedByNnconvert() throws {
    let folder = try TemporaryFolder()
    let model = folder.file("m.swt")
    let checkpoint = try Fixtures.checkpoint(in: "plain2d__v2.8__float32")
    #expect(
      try Command.run("nnconvert", ["convert", checkpoint, "-o", model, "--quiet"]).status == 0)
    try writeFeatures(to: folder, width: 32)
    let (features, table) = (folder.file("f.npy"), folder.file("cases.csv"))
    let alone = try Command.run(
      "nntrain", ["head", "--features", features, table, "-o", folder.file("head.npz"), "--json"])
    #expect(alone.status == 0, "\(alone.errors)")
    let attached = try Command.run(
      "nnconvert",
      ["attach", model, "--head", folder.file("head.npz"), "-o", folder.file("a.swt"), "--quiet"])
    #expect(attached.status == 0, "\(attached.errors)")
    let whole = try Command.run(
      "nntrain", ["head", model, "--features", features, table, "-o", folder.file("b.swt")])
    #expect(whole.status == 0, "\(whole.errors)")
    let (a, b) = (
      try SWTFile(contentsOf: folder.file("a.swt"), verifyingTensors: true),
      try SWTFile(contentsOf: folder.file("b.swt"), verifyingTensors: true)
    )
    for name in [Classifier.weightName, Classifier.biasName] {
      let entries = (try #require(a.entry(named: name)), try #require(b.entry(named: name)))
      #expect(a.values(of: entries.0) == b.values(of: entries.1))
    }
    #expect(a.description.classifier?.classNames == ["sick", "well"])
    #expect(b.description.classifier?.outOfDistribution != nil)
    #expect(b.description.provenance.training?.casesPerClass == [5, 5])
    // The same cases, the same bytes.
    _ = try Command.run(
      "nntrain", ["head", model, "--features", features, table, "-o", folder.file("c.swt")])
    #expect(try SWTFile(contentsOf: folder.file("c.swt")).modelID == b.modelID)
  }

  @Test(arguments: [
    (["--label", "nothing"], 65 as Int32, "--label"), (["--cv", "100"], 65, "--cv"),
    (["--cv", "1"], 64, "--cv"), (["--c", "-1"], 64, "--c"),
    (["--group", "nobody"], 65, "--group"),
  ])
  func whatCannotBeIsRefused(options: [String], status: Int32, word: String) throws {
    let folder = try TemporaryFolder()
    let result = try Command.run(
      "nntrain",
      [
        "head", "--features", "\(Self.wine)/features.npy", "\(Self.wine)/cases.csv", "-o",
        folder.file("h.npz"),
      ]
        + options)
    #expect(result.status == status)
    #expect(result.errors.contains(word), "\(result.errors)")
    #expect(folder.content.isEmpty)
  }

  @Test func predictionsOutOfFoldAreWritten() throws {
    let folder = try TemporaryFolder()
    try writeFeatures(to: folder, width: 5)
    let result = try Command.run(
      "nntrain",
      [
        "head", "--features", folder.file("f.npy"), folder.file("cases.csv"), "-o",
        folder.file("h.npz"), "--predictions", folder.file("p.csv"), "--cv", "2", "--c", "1",
      ])
    #expect(result.status == 0, "\(result.errors)")
    let rows = CSVText.rows(try MappedFile(path: folder.file("p.csv")).bytes.utf8 ?? "") ?? []
    #expect(
      rows.first
        == ["case", "label", "group", "fold", "predicted", "p_sick", "p_well", "distance"])
    #expect(rows.count == 11)
  }
}
