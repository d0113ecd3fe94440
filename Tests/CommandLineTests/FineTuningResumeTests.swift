// SPDX-License-Identifier: Apache-2.0
import FileIO
import Foundation
import SWTFormat
import TestSupport
import Testing

/// What an interrupted `nntrain finetune` leaves, who may go on with it, and who may not.
@Suite struct FineTuningResumeTests {
  private let cohort: StripedCohort
  private var folder: TemporaryFolder { cohort.folder }

  init() throws { cohort = try StripedCohort() }

  /// The notes of a run about its epochs.
  private func epochs(_ result: CommandResult) -> [String] {
    result.errors.split(separator: "\n").filter { $0.contains("epoch ") }
      .compactMap { $0.split(separator: ": ").last.map(String.init) }
  }

  /// Begins a run, and kills it when it tells of `epoch`.
  private func kill(_ output: String, at epoch: String, _ more: [String] = []) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Command.path(of: "nntrain"))
    process.arguments = cohort.arguments(output, more)
    let errors = Pipe()
    (process.standardError, process.standardOutput) = (errors, FileHandle.nullDevice)
    try process.run()
    var told = ""
    while !told.contains("\(epoch)\n") {
      let part = errors.fileHandleForReading.availableData
      try #require(!part.isEmpty, "it ends before: \(told)")
      told += String(decoding: part, as: UTF8.self)
    }
    Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  private func bytes(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: folder.file(name)))
  }

  @Test(arguments: ["1", "2"])
  func aRunThatPatienceEndedIsNotTrainedFurther(patience: String) throws {
    let options = ["--patience", patience, "--unfreeze", "1", "--lr", "1e-3"]
    let whole = try cohort.train("whole.swt", options)
    #expect(whole.status == 0, "\(whole.errors)")
    let last = try #require(epochs(whole).last { $0.contains("fold 2 of 2, inner") })
    try #require(!last.hasSuffix("epoch 10 of 10"), "patience ends nothing here")
    try kill("cut.swt", at: last, options)
    let resumed = try cohort.train("cut.swt", options + ["--resume"])
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(!epochs(resumed).contains { $0.contains("fold 2 of 2, inner") }, "it was over")
    #expect(try bytes("cut.swt") == bytes("whole.swt"))
  }

  /// Folds that are better with fine-tuning, and all cases of which no epoch is best.
  @Test func whatFoldsWereTrainedForIsWhatAllCasesAre() throws {
    try kill("a.swt", at: "all cases, inner epoch 1 of 10")
    let state = try Array(bytes("a.swt.state"))
    let length = state[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    let json = try JSONParser.parse(Bytes(Array(state[8..<8 + length])))
    var members = try #require(json.object)
    let known = try #require(members["best_epochs"]?.array)
    members["best_epochs"] = .array(known + [JSONValue([2, 0])])
    members["current"] = .null
    let text = Array(JSONValue.object(members).prettyText.utf8)
    let length64 = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) }
    try Data(length64 + text).write(to: URL(fileURLWithPath: folder.file("a.swt.state")))

    let result = try cohort.train("a.swt", ["--resume", "--report", folder.file("r.html")])
    #expect(result.status == 0, "\(result.errors)")
    let report = try JSONParser.parse(Bytes(Array(result.output.utf8)))
    let outcome = try #require(report["fine_tuning"])
    let trained = (outcome["epochs_per_fold"]?.array ?? []).compactMap(\.integer).filter { $0 > 0 }
    #expect(report["kept"]?.string == "fine-tuned" && outcome["epochs_of_folds"]?.bool == true)
    #expect(outcome["epochs"]?.integer == trained.min(), "the lower of two")
    // File and page are of the same network.
    let (file, before) = (
      try SWTFile(contentsOf: folder.file("a.swt")), try SWTFile(contentsOf: folder.file("m.swt"))
    )
    let provenance = try #require(file.description.provenance.training)
    #expect(provenance.method == "finetune")
    #expect(provenance.hyperparameters["trained_epochs"]?.integer == trained.min())
    let name = "encoder.stages.2.0.convs.0.conv.weight"
    let (old, new) = (before.entry(named: name), file.entry(named: name))
    #expect(try before.values(of: #require(old)) != file.values(of: #require(new)))
    let temperature = try #require(report["temperature"]?.double)
    #expect(file.description.classifier?.temperature == temperature)
    let page = String(decoding: try bytes("r.html"), as: UTF8.self)
    #expect(page.contains(String(format: "%.3f", temperature)))
  }

  @Test func scansThatHaveChangedAreAnotherRun() throws {
    try kill("a.swt", at: "fold 1 of 2, inner epoch 2 of 10")
    let state = try bytes("a.swt.state")
    try bytes("c3.nii").write(to: URL(fileURLWithPath: folder.file("c1.nii")))
    let result = try cohort.train("a.swt", ["--resume"])
    #expect(result.status == 65 && result.errors.contains("belongs to another run"))
    #expect(try bytes("a.swt.state") == state, "nothing of it is lost")
  }

  @Test func aDayOfTrainingIsNotLostByForgettingAnOption() throws {
    try kill("a.swt", at: "fold 1 of 2, inner epoch 1 of 10")
    let state = try bytes("a.swt.state")
    let result = try cohort.train("a.swt")
    #expect(result.status == 65 && result.errors.contains("go on with --resume"))
    #expect(epochs(result).isEmpty)
    #expect(try bytes("a.swt.state") == state)
  }

  @Test(arguments: [[], ["--resume"]], ["", "no state", "a longer text of a user's"])
  func aFileThatIsNoStateIsNotReplaced(options: [String], text: String) throws {
    try cohort.write(text, to: "a.swt.state")
    let result = try cohort.train("a.swt", options)
    #expect(result.status == 65)
    #expect(result.errors.contains("name another output"), "\(result.errors)")
    #expect(try String(decoding: bytes("a.swt.state"), as: UTF8.self) == text)
  }
}
