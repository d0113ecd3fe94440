// SPDX-License-Identifier: Apache-2.0
import FileIO
import NPY
import SWTFormat
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

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

  private static let scans = "\(Fixtures.repository)/Examples/train/scans"
  /// Four scans of the example's cohort, two of a kind.
  private static let cases = [
    ("p000_0", "control"), ("p003_0", "lesion"), ("p008_0", "lesion"), ("p010_0", "control"),
  ]

  /// Converts the example model and writes tables of its cohort's scans: with their labels, and swapped.
  private func prepareScans(_ folder: TemporaryFolder) throws {
    let converted = try Command.run(
      "nnconvert",
      ["convert", Fixtures.exampleCheckpoint, "-o", folder.file("m.swt"), "--quiet"])
    #expect(converted.status == 0, "\(converted.errors)")
    for (name, other) in [
      ("c.csv", ["control", "lesion"]), ("swapped.csv", ["lesion", "control"]),
    ] {
      let rows = Self.cases.map { name, label in
        "\(name),\(Self.scans)/\(name).nii.gz,\(label == "control" ? other[0] : other[1])"
      }
      try write("case,file,label\n" + rows.joined(separator: "\n") + "\n", to: folder.file(name))
    }
  }

  private func train(
    _ folder: TemporaryFolder, _ output: String, _ more: [String] = []
  ) throws -> CommandResult {
    try Command.run(
      "nntrain",
      [
        "head", folder.file("m.swt"), folder.file("c.csv"), "-o", folder.file(output), "--cv", "2",
        "--cache", folder.file("cache.npy"),
      ] + (more.isEmpty ? ["--pooling", "all"] : more))
  }

  private func json(_ text: String) throws -> JSONValue {
    try JSONParser.parse(Bytes(Array(text.utf8)))
  }

  /// Whatever is pooled: the `.json` beside features says what they are.
  @Test(arguments: ["mean", "all", "nonzero-mean", "nonzero-all"])
  func featuresOfNnrunGiveTheHeadOfScans(pooling: String) throws {
    let folder = try TemporaryFolder()
    try prepareScans(folder)
    let (model, table) = (folder.file("m.swt"), folder.file("c.csv"))
    let (features, head) = (folder.file("f.npy"), folder.file("head.npz"))
    for (command, arguments) in [
      ("nnrun", ["features", model, table, "--pooling", pooling, "-o", features]),
      (
        "nntrain",
        ["head", model, "--features", features, table, "-o", folder.file("a.swt"), "--cv", "2"]
      ),
      ("nntrain", ["head", "--features", features, table, "-o", head, "--cv", "2"]),
      ("nnconvert", ["attach", model, "--head", head, "-o", folder.file("b.swt")]),
    ] {
      let result = try Command.run(command, arguments)
      #expect(result.status == 0, "\(result.errors)")
    }
    #expect(try train(folder, "scans.swt", ["--pooling", pooling]).status == 0)
    let expected = try SWTFile(contentsOf: folder.file("scans.swt"))
    for name in ["a.swt", "b.swt"] {
      let file = try SWTFile(contentsOf: folder.file(name))
      #expect(file.description.classifier?.pooling == expected.description.classifier?.pooling)
      for tensor in [Classifier.weightName, Classifier.biasName] {
        let entries = (
          try #require(file.entry(named: tensor)), try #require(expected.entry(named: tensor))
        )
        #expect(file.values(of: entries.0) == expected.values(of: entries.1))
      }
    }
  }

  @Test(arguments: [
    ("[\"0:mean\"]", "is not that of 64 features"), ("[\"9:mean\"]", "is not that of 64 features"),
    ("[\"3:mode\"]", "no list of different entries"), ("[]", "no list of different entries"),
    ("\"all\"", "no list of different entries"),
    ("[\"3:mean\",\"3:mean\"]", "no list of different"),
  ])
  func aWrongPoolingOfFeaturesIsRefused(pooling: String, words: String) throws {
    let folder = try TemporaryFolder()
    try prepareScans(folder)
    try writeFeatures(to: folder, width: 64)
    let names = (0..<10).map { "\"case\($0)\"" }.joined(separator: ",")
    try write("{\"cases\":[\(names)],\"pooling\":\(pooling)}", to: folder.file("f.json"))
    let result = try Command.run(
      "nntrain",
      [
        "head", folder.file("m.swt"), "--features", folder.file("f.npy"), folder.file("cases.csv"),
        "-o", folder.file("a.swt"),
      ])
    #expect(result.status == 65 && result.errors.contains(words), "\(result.errors)")
  }

  /// What `nntrain` fits, `nnrun` runs.
  @Test func aHeadFromScansRunsEverywhere() throws {
    let folder = try TemporaryFolder()
    try prepareScans(folder)
    let scans = Self.scans
    func train(_ output: String) throws -> CommandResult { try self.train(folder, output) }
    let first = try train("a.swt")
    #expect(first.status == 0, "\(first.errors)")
    // The second run takes its features from the cache, and gives the same bytes.
    let second = try train("b.swt")
    #expect(second.errors.contains("4 scans' features were kept"), "\(second.errors)")
    let file = try SWTFile(contentsOf: folder.file("a.swt"))
    #expect(try SWTFile(contentsOf: folder.file("b.swt")).modelID == file.modelID)
    #expect(file.description.classifier?.pooling?.count == 8)

    let result = try Command.run(
      "nnrun",
      ["classify", folder.file("a.swt"), "\(scans)/p000_0.nii.gz", "--format", "json", "--quiet"])
    #expect(result.status == 0, "\(result.errors)")
    let row = try json(result.output)["cases"]?.array?.first
    let logits = try #require(row?["logits"]?.array?.compactMap { $0.double })
    let probabilities = try #require(row?["probabilities"]?.array?.compactMap { $0.double })
    // One case of a kind in every fold does not spread: nothing tells what is foreign.
    #expect(row?["foreign"] == nil)
    // By the definition: features from the cache, a linear layer, the temperature.
    let features = try NPYArray(contentsOf: folder.file("cache.npy")).values.prefix(240)
    let weight = file.values(of: try #require(file.entry(named: Classifier.weightName)))
    let bias = file.values(of: try #require(file.entry(named: Classifier.biasName)))
    for label in 0..<2 {
      let expected = zip(features, weight[(label * 240)..<((label + 1) * 240)])
        .reduce(Double(bias[label])) { $0 + Double($1.0) * Double($1.1) }
      #expect(abs(logits[label] - expected) < 1e-4)
    }
    let temperature = try #require(file.description.classifier?.temperature)
    let ratio = (probabilities[1] / probabilities[0])
    #expect(abs(ratio - exp((logits[1] - logits[0]) / temperature)) < 1e-6 * ratio)
  }

  /// Pooling over the nonzero region, and the input policy as one more choice: what is chosen is stored, and runs.
  @Test func regionAndPolicyAreChosenAndRun() throws {
    let folder = try TemporaryFolder()
    try prepareScans(folder)
    let trained = try train(
      folder, "a.swt",
      ["--pooling", "nonzero-mean", "--pooling", "nonzero-all", "--compare-policies", "--json"])
    #expect(trained.status == 0, "\(trained.errors)")
    let cv = try #require(try json(trained.output)["cv"])
    let options = try #require(cv["options"]?.array)
    let policies = ["whole", "sliding-window", "center-crop"]
    // Two poolings, three policies, six strengths.
    #expect(options.count == 36)
    #expect(Set(options.compactMap { $0["input_policy"]?.string }) == Set(policies))
    // The option with the least log loss is the one that is taken.
    let losses = options.compactMap { $0["log_loss"]?.double }
    let choice = try #require(cv["choice"])
    #expect(choice["log_loss"]?.double == losses.min())
    let file = try SWTFile(contentsOf: folder.file("a.swt"))
    #expect(file.description.inputPolicy.rawValue == choice["input_policy"]?.string)
    let pooling = try #require(file.description.classifier?.pooling)
    #expect(pooling.allSatisfy { $0.statistic.isOfNonzero })
    #expect(
      file.description.provenance.training?.hyperparameters["pooling"]?.string
        == choice["pooling"]?.string)
    // Every policy's features are kept for themselves, and found again.
    let again = try train(
      folder, "b.swt",
      ["--pooling", "nonzero-mean", "--pooling", "nonzero-all", "--compare-policies"])
    #expect(
      again.errors.split(separator: "4 scans' features were kept").count == 4, "\(again.errors)")
    #expect(try SWTFile(contentsOf: folder.file("b.swt")).modelID == file.modelID)
    // The head on the kept features is what nnrun gives.
    let own =
      choice["input_policy"]?.string == "whole" ? "" : ".\(file.description.inputPolicy.rawValue)"
    let cached = try NPYArray(contentsOf: folder.file("cache\(own).npy"))
    let sidecar = try JSONParser.parse(
      MappedFile(path: folder.file("cache\(own).npy.json")).bytes)
    let names = try #require(sidecar["pooling"]?.array?.compactMap { $0.string })
    let widths = file.description.architecture.featuresPerStage
    let weight = file.values(of: try #require(file.entry(named: Classifier.weightName)))
    let bias = file.values(of: try #require(file.entry(named: Classifier.biasName)))
    var features: [Float] = []
    for entry in pooling {
      let position = try #require(names.firstIndex(of: entry.text))
      let start = names[..<position].reduce(0) { sum, name in
        sum + (Classifier.Pooling(text: name).map { widths[$0.stage] } ?? 0)
      }
      features += cached.values[start..<start + widths[entry.stage]]
    }
    let classified = try Command.run(
      "nnrun",
      ["classify", folder.file("a.swt"), "\(Self.scans)/p000_0.nii.gz", "--json", "--quiet"])
    #expect(classified.status == 0, "\(classified.errors)")
    let logits = try #require(
      try json(classified.output)["cases"]?.array?.first?["logits"]?.array?.compactMap { $0.double }
    )
    for label in 0..<2 {
      let row = weight[label * features.count..<(label + 1) * features.count]
      var expected = Double(bias[label])
      for (feature, weight) in zip(features, row) { expected += Double(feature) * Double(weight) }
      #expect(abs(logits[label] - expected) < 1e-4 * max(1, abs(expected)))
    }
  }

  /// On labels that are the opposite of those it was fitted to, so that it is mostly wrong.
  @Test func anExistingClassifierIsJudged() throws {
    let folder = try TemporaryFolder()
    try prepareScans(folder)
    let trained = try train(folder, "a.swt", ["--pooling", "all", "--json"])
    #expect(trained.status == 0, "\(trained.errors)")
    let point = try #require(try json(trained.output)["cv"]?["metrics"]?["operating_point"])
    let model = folder.file("a.swt")
    let table = folder.file("swapped.csv")
    let result = try Command.run(
      "nntrain",
      [
        "evaluate", model, table, "--json", "--quiet", "--report", folder.file("r.html"),
        "--predictions", folder.file("p.csv"),
      ])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.isEmpty)
    let report = try json(result.output)
    let classified = try Command.run(
      "nnrun", ["classify", model, folder.file("c.csv"), "--json", "--quiet"])
    let expected = try #require(try json(classified.output)["cases"]?.array).flatMap {
      $0["probabilities"]?.array?.compactMap(\.double) ?? []
    }
    let found = report["probabilities"]?.array?.flatMap { $0.array?.compactMap(\.double) ?? [] }
    #expect(Difference(try #require(found), expected).absolute < 1e-9)
    // Fitted to all four, the head tells them; all are wrong by this table.
    #expect(report["metrics"]?["confusion"] == [[0, 2], [2, 0]])
    #expect(report["metrics"]?["auc"]?.double == 0)
    // The threshold is the one that training came to, or the given one.
    #expect(
      report["metrics"]?["operating_point"]?["threshold"]?.double == point["threshold"]?.double)
    let given = try Command.run(
      "nntrain", ["evaluate", model, table, "--threshold", "0", "--quiet"])
    #expect(given.output.contains("sensitivity at p ≥ 0.000            1.000"), "\(given.output)")
    #expect(given.output.contains("calibration: "))
    let rows = CSVText.rows(try MappedFile(path: folder.file("p.csv")).bytes.utf8 ?? "") ?? []
    #expect(rows.first?.prefix(5) == ["case", "label", "group", "predicted", "p_control"])
    #expect(rows.dropFirst().map { $0[0] } == Self.cases.map(\.0))
    let page = try #require(try MappedFile(path: folder.file("r.html")).bytes.utf8)
    #expect(page.split(separator: "<img src=\"data:image/png;base64,").count == 5)
    #expect(page.contains(try SWTFile(contentsOf: model).modelID))

    for (options, status, word) in [
      (["--threshold", "2"], 64 as Int32, "--threshold"), (["--label", "file"], 65, "no class"),
      (["--report", folder.file("no/r.html")], 73, "r.html"),
    ] {
      let refused = try Command.run("nntrain", ["evaluate", model, table] + options)
      #expect(refused.status == status && refused.errors.contains(word), "\(refused.errors)")
    }
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
