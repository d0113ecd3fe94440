// SPDX-License-Identifier: Apache-2.0
import FileIO
import NPY
import SWTFormat
import TestSupport
import Testing

/// `nntrain finetune` as a user calls it.
@Suite struct FineTuningJourneyTests {
  private let cohort: StripedCohort
  private var folder: TemporaryFolder { cohort.folder }

  init() throws { cohort = try StripedCohort() }

  @Test func whatIsLearnedIsKeptAndRuns() throws {
    let first = try cohort.train(
      "a.swt", ["--report", folder.file("r.html"), "--predictions", folder.file("p.csv")])
    #expect(first.status == 0, "\(first.errors)")
    #expect(first.errors.contains("cache: "), "its size is said before")
    let report = try JSONParser.parse(Bytes(Array(first.output.utf8)))
    let outcome = try #require(report["fine_tuning"])
    let losses = ["frozen", "fine_tuned"].compactMap { outcome[$0]?["log_loss"]?.double }
    try #require(losses.count == 2)
    #expect(report["kept"]?.string == "fine-tuned" && losses[1] < losses[0], "\(losses)")
    #expect(report["cv"]?["metrics"]?["log_loss"]?.double == losses[1])
    #expect(report["cv"]?["probabilities"]?.array?.count == StripedCohort.caseCount)

    let file = try SWTFile(contentsOf: folder.file("a.swt"), verifyingTensors: true)
    let provenance = try #require(file.description.provenance.training)
    #expect(provenance.method == "finetune" && provenance.trainedStages == [1, 2])
    #expect(provenance.casesPerClass == [12, 12] && provenance.groups == 24)
    // Stage 0 is what it was, the others are not.
    let before = try SWTFile(contentsOf: folder.file("m.swt"))
    for entry in before.tensors where entry.name.hasSuffix("conv.weight") {
      let after = try #require(file.entry(named: entry.name))
      let isSame = before.values(of: entry) == file.values(of: after)
      #expect(isSame == entry.name.hasPrefix("encoder.stages.0."), "\(entry.name)")
    }
    // The head's linear layer is that of the report.
    let weight = file.values(of: try #require(file.entry(named: Classifier.weightName)))
    let linear = report["weight"]?.array?.flatMap { $0.array?.compactMap(\.double) ?? [] } ?? []
    #expect(Difference(weight, linear).relative < 1e-6)
    let classified = try Command.run(
      "nnrun",
      ["classify", folder.file("a.swt"), folder.file("c0.nii"), "--format", "json", "--quiet"])
    #expect(classified.status == 0, "\(classified.errors)")

    try expectTheOtherToolsKnow()
    // Page and table are about what is written.
    let page = try #require(try MappedFile(path: folder.file("r.html")).bytes.utf8)
    #expect(page.contains(file.modelID) && page.contains("fine-tuning is kept".dropFirst()))
    let rows = CSVText.rows(try MappedFile(path: folder.file("p.csv")).bytes.utf8 ?? "") ?? []
    let told = report["cv"]?["probabilities"]?.array?.map { $0.array?.last?.double }
    #expect(rows.dropFirst().map { Double($0[6]) } == told)

    // The same seed and threads, the same bytes, also where a run was interrupted before its first epoch ended.
    let again = try cohort.train("b.swt", ["--resume"])
    #expect(again.status == 0 && again.errors.contains("begins anew"), "\(again.errors)")
    #expect(try SWTFile(contentsOf: folder.file("b.swt")).modelID == file.modelID)
  }

  /// `nnconvert` tells what was trained.
  private func expectTheOtherToolsKnow() throws {
    let inspected = try Command.run("nnconvert", ["inspect", folder.file("a.swt")])
    #expect(inspected.output.contains("finetune, stages 1, 2: 24 cases (12 + 12)"))
    let compared = try Command.run(
      "nnconvert", ["diff", folder.file("m.swt"), folder.file("a.swt")])
    #expect(compared.status == 1 && compared.output.contains("provenance.training"))
    let results = "\(Fixtures.folder)/training/gradients/plain3d_odd/nnUNet_results/Dataset999_Tiny"
    let trainer = try #require(try Fixtures.names(in: results).first)
    let verified = try Command.run(
      "nnconvert",
      [
        "verify", folder.file("a.swt"), "--against",
        "\(results)/\(trainer)/fold_0/checkpoint_final.pth",
      ])
    #expect(verified.status == 0 && verified.output.contains("fine-tuned stages (1, 2) left out"))
    let exported = try Command.run(
      "nnconvert", ["export", folder.file("a.swt"), "-o", folder.file("a.safetensors"), "--quiet"])
    #expect(exported.status == 0, "\(exported.errors)")
    let bytes = try MappedFile(path: folder.file("a.safetensors")).bytes
    let length = Int(try #require(bytes.littleEndian(UInt64.self, at: 0)))
    let header = try JSONParser.parse(try #require(bytes.slice(at: 8, count: length)))
    #expect(header["__metadata__"]?["training"]?.string?.contains("finetune") == true)
    #expect(header["encoder.stages.2.0.convs.0.conv.weight"] != nil)
  }

  /// Views are turned with the region that features are pooled of.
  @Test func theNonzeroRegionIsPooledWhileTraining() throws {
    let result = try Command.run(
      "nntrain",
      [
        "finetune", folder.file("m.swt"), folder.file("cases.csv"), "-o", folder.file("a.swt"),
        "--unfreeze", "2", "--views", "2", "--epochs", "3", "--lr", "1e-2", "--cv", "2",
        "--pooling", "nonzero-all", "--threads", "2", "--json",
      ])
    #expect(result.status == 0, "\(result.errors)")
    let report = try JSONParser.parse(Bytes(Array(result.output.utf8)))
    let loss = try #require(report["fine_tuning"]?["fine_tuned"]?["log_loss"]?.double)
    #expect(loss.isFinite && loss < 2)
    let file = try SWTFile(contentsOf: folder.file("a.swt"))
    let statistics = try #require(file.description.classifier?.pooling).map(\.statistic)
    #expect(
      statistics == [
        .nonzeroMean, .nonzeroMax, .nonzeroMean, .nonzeroMax, .nonzeroMean, .nonzeroMax,
      ])
  }

  @Test(arguments: [
    (["--unfreeze", "9"], 64 as Int32, "--unfreeze"), (["--lr", "0"], 64, "--lr"),
    (["--batches", "x.npz"], 64, "--dump"), (["--max-memory", "1M"], 65, "--max-memory"),
    (["--lr", "1e30"], 65, "smaller --lr"),
  ])
  func whatCannotBeIsRefused(options: [String], status: Int32, word: String) throws {
    let result = try cohort.train("a.swt", options)
    #expect(result.status == status, "\(result.errors)")
    #expect(result.errors.contains(word), "\(result.errors)")
  }

  @Test func aPlanSaysWhatItWouldTake() throws {
    let result = try Command.run(
      "nntrain",
      [
        "plan", folder.file("m.swt"), folder.file("cases.csv"), "--unfreeze", "1", "--views", "3",
        "--json",
      ])
    #expect(result.status == 0, "\(result.errors)")
    let plan = try JSONParser.parse(Bytes(Array(result.output.utf8)))
    #expect(plan["windows"]?.integer == StripedCohort.caseCount)
    // Seven features on the stage before the last, four views, 16 bits.
    let bytes = try #require(plan["cache_bytes"]?.integer)
    #expect(bytes > 0 && bytes % (StripedCohort.caseCount * 4 * 7 * 2) == 0)
  }
}
