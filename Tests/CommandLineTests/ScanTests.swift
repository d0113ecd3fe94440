// SPDX-License-Identifier: Apache-2.0
import FileIO
import Foundation
import NPY
import SWTFormat
import TestSupport
import Testing

/// From scans to classes and features as a user does it: many cases, bad ones among them.
@Suite struct ScanTests {
  private static let example = "\(Fixtures.repository)/Examples/brain-mri"
  private let scans = "\(example)/scans"
  private let folder: TemporaryFolder
  private let model: String

  init() throws {
    folder = try TemporaryFolder()
    model = folder.file("m.swt")
    _ = try Command.run(
      "nnconvert",
      [
        "convert", Fixtures.exampleCheckpoint, "--head", "\(Self.example)/head.pth",
        "--class-names", "T1,inverted", "-o", model,
      ])
  }

  private func run(
    _ arguments: [String], status: Int32 = 0, input: String? = nil
  ) throws -> CommandResult {
    let result = try Command.run("nnrun", arguments, input: input)
    #expect(result.status == status, "\(arguments): \(result.errors)")
    return result
  }

  private func lines(_ text: String) throws -> [JSONValue] {
    try text.split(separator: "\n").map { try JSONParser.parse(Bytes(Array($0.utf8))) }
  }

  private func write(_ text: String, to name: String) throws -> String {
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file(name)))
    return folder.file(name)
  }

  /// The example's scans are LPS.
  @Test func orientationIsToldOnceAndTurned() throws {
    func converted(_ orientation: String) throws -> String {
      let path = folder.file("\(orientation).swt")
      let result = try Command.run(
        "nnconvert",
        ["convert", Fixtures.exampleCheckpoint, "--orientation", orientation, "-o", path])
      #expect(result.status == 0, "\(result.errors)")
      return path
    }
    let alike = try run(["preprocess", converted("LPS"), scans, "-o", folder.file("arrays0")])
    #expect(!alike.errors.contains("warning"))
    let turned = try converted("RAS")
    let told = try run(["preprocess", turned, scans, "-o", folder.file("arrays1")])
    let words = "2 of 2 scans do not lie as the training scans (RAS): LPS 2"
    #expect(told.errors.components(separatedBy: words).count == 2, "\(told.errors)")
    let again = try run(["preprocess", turned, scans, "-o", folder.file("arrays2"), "--reorient"])
    #expect(again.errors.components(separatedBy: "turned from LPS to RAS").count == 3)
    #expect(!again.errors.contains("do not lie"))
    _ = try run(
      ["preprocess", model, scans, "-o", folder.file("arrays3"), "--reorient"], status: 65)
  }

  @Test func orientationIsTakenFromAScan() throws {
    let (like, named) = (folder.file("like.swt"), folder.file("named.swt"))
    for arguments in [
      ["--like", "\(scans)/brain_t1.nii.gz", "-o", like], ["--orientation", "LPS", "-o", named],
    ] {
      let result = try Command.run(
        "nnconvert", ["convert", Fixtures.exampleCheckpoint] + arguments)
      #expect(result.status == 0, "\(result.errors)")
    }
    #expect(try MappedFile(path: like).bytes.array == MappedFile(path: named).bytes.array)
    let both = try Command.run(
      "nnconvert",
      [
        "convert", Fixtures.exampleCheckpoint, "--like", "\(scans)/brain_t1.nii.gz",
        "--orientation",
        "LPS", "-o", folder.file("both.swt"),
      ])
    #expect(both.status == 64)
  }

  @Test func aFolderIsClassifiedAsPyTorchDoes() throws {
    let output = folder.file("logits.npy")
    let result = try run(["classify", model, scans, "-o", output])
    #expect(result.output.contains("brain_t1        T1"))
    #expect(result.output.contains("brain_inverted  inverted"))
    #expect(!result.errors.contains("warning"), "scans that lie alike: \(result.errors)")
    let found = try NPYArray(contentsOf: output)
    let expected = try ["brain_inverted", "brain_t1"].flatMap {
      try NPYArray(contentsOf: "\(Self.example)/expected/\($0).logits.npy").values
    }
    #expect(found.shape == [2, 2])
    #expect(Difference(found.values, expected).relative <= 1e-4)
  }

  @Test(arguments: [(Float(5), "malignant"), (-5, "not malignant")])
  func aSingleOutputDecidesBetweenItsClassAndTheOpposite(bias: Float, name: String) throws {
    let header =
      "{\"weight\":{\"dtype\":\"F32\",\"shape\":[1,64],\"data_offsets\":[0,256]},"
      + "\"bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[256,260]}}"
    var head = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
    head += Data(header.utf8) + Data(count: 256)
    head += withUnsafeBytes(of: bias.bitPattern.littleEndian) { Data($0) }
    try head.write(to: URL(fileURLWithPath: folder.file("head.safetensors")))
    let other = folder.file("other.swt")
    let attached = try Command.run(
      "nnconvert",
      [
        "attach", model, "--head", folder.file("head.safetensors"), "--class-names", "malignant",
        "-o", other,
      ])
    #expect(attached.status == 0, "\(attached.errors)")
    let result = try run(["classify", other, "\(Self.example)/input.npy", "--format", "jsonl"])
    #expect(try lines(result.output)[0]["class"]?.string == name)
  }

  @Test func aBadCaseIsReportedAndTheOthersGoOn() throws {
    let damaged = try write("no scan", to: "damaged.nii")
    let good = "\(scans)/brain_t1.nii.gz"
    let result = try run(
      ["classify", model, damaged, good, "/nowhere.nii.gz", "--format", "jsonl"], status: 8)
    let rows = try lines(result.output)
    #expect(rows.map { $0["case"]?.string } == ["damaged", "brain_t1", "nowhere"])
    #expect(rows.map { $0["error"] == nil } == [false, true, false])
    #expect(rows.allSatisfy { $0["model_id"]?.string?.count == 64 })
    #expect(rows.allSatisfy { $0["input_policy"]?.string == "whole" })
    #expect(rows.allSatisfy { $0["nnrun_version"]?.string != nil })
    #expect(result.errors.contains("2 of 3 cases failed"))
    let plan = try run(["plan", model, damaged, good, "--json"], status: 8)
    #expect(plan.output.contains("total_seconds") && plan.output.contains("\"error\""))
    // The error of an only case is the command's.
    _ = try run(["classify", model, damaged], status: 65)
    _ = try run(["classify", model, "/nowhere.nii.gz"], status: 66)
  }

  /// nibabel's readers keep what is no number: no class, no feature comes of it, in any format.
  @Test func aScanThatIsNoNumberIsNoClass() throws {
    let plans = "\(Fixtures.exampleModelFolder)/plans.json"
    var settings = try #require(
      JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: plans)))
        as? [String: Any])
    settings["image_reader_writer"] = "NibabelIO"
    let changed = folder.file("plans.json")
    try JSONSerialization.data(withJSONObject: settings).write(to: URL(fileURLWithPath: changed))
    let nibabel = folder.file("n.swt")
    let converted = try Command.run(
      "nnconvert",
      [
        "convert", Fixtures.exampleCheckpoint, "--plans", changed, "--configuration", "3d_fullres",
        "--head", "\(Self.example)/head.pth", "-o", nibabel,
      ])
    #expect(converted.status == 0, "\(converted.errors)")
    let cases = "\(Fixtures.folder)/cases/scans/nan_nibabel_silent"
    let name = try #require(Fixtures.names(in: cases).first { $0.hasSuffix(".nii.gz") })
    let scan = "\(cases)/\(name)"
    for format in ["table", "json", "jsonl", "csv"] {
      let result = try run(["classify", nibabel, scan, "--format", format], status: 65)
      #expect(result.errors.contains("finite") || result.errors.contains("not a number"))
      // At most a table's header.
      #expect(!result.output.contains("\"class\""))
    }
    _ = try run(["features", nibabel, scan, "-o", folder.file("f.npy")], status: 65)
    _ = try run(["preprocess", nibabel, scan, "-o", folder.file("p.npy")], status: 65)
    #expect(!folder.content.contains("f.npy") && !folder.content.contains("p.npy"))
    // Beside a good one, in a table whose rows all have as many fields.
    let odd = folder.file("line\nbreak.nii.gz")
    try FileManager.default.copyItem(atPath: scan, toPath: odd)
    let table = try run(
      ["classify", nibabel, odd, "\(scans)/brain_t1.nii.gz", "--format", "csv"], status: 8)
    let rows = try CSVText.parse(table.output)
    #expect(rows.count == 3 && Set(rows.map(\.fields.count)).count == 1)
    #expect(rows[1].fields[0] == "line\nbreak")
  }

  @Test func casesComeFromATableOrStdin() throws {
    let name = "comma, \"quoted\""
    try FileManager.default.copyItem(
      atPath: "\(scans)/brain_t1.nii.gz", toPath: folder.file("a,b.nii.gz"))
    let table = try write(
      "case,T1\r\n\"comma, \"\"quoted\"\"\",\"a,b.nii.gz\"\r\nother,\(scans)/brain_inverted.nii.gz",
      to: "cases.csv")
    let csv = try run(["classify", model, table, "--format", "csv"]).output.split(separator: "\n")
    #expect(csv.count == 3 && csv[0].hasPrefix("case,class,p_T1,p_inverted,logit_T1"))
    #expect(csv[1].hasPrefix("\"comma, \"\"quoted\"\"\",T1,0.99"))
    let named = try lines(try run(["classify", model, table, "--format", "jsonl"]).output)
    #expect(named.map { $0["case"]?.string } == [name, "other"])
    // A file whose name holds a comma is one file.
    _ = try run(["classify", model, folder.file("a,b.nii.gz")])
    let line = "{\"case\": \"x\", \"images\": [\"\(scans)/brain_t1.nii.gz\"]}\n"
    let rows = try lines(
      try run(["classify", model, "--stdin"], input: line + "\n" + line).output)
    #expect(rows.map { $0["class"]?.string } == ["T1", "T1"])
    // Every line is answered, one that is no case with an error.
    let bad = try lines(
      try run(["classify", model, "--stdin"], status: 8, input: "{\"images\": 3}\n" + line).output)
    #expect(bad.map { $0["case"]?.string } == ["line 1", "x"])
    #expect(bad.map { $0["error"] == nil } == [false, true])
  }

  @Test func anInterruptedRunIsResumed() throws {
    let output = folder.file("f.npy")
    _ = try run(["features", model, "\(scans)/brain_t1.nii.gz", "-o", output])
    let first = try NPYArray(contentsOf: output)
    let result = try run(["features", model, scans, "-o", output, "--skip-done", "--json"])
    let json = try JSONParser.parse(Bytes(Array(result.output.utf8)))
    #expect(json["cases"]?.array?.compactMap(\.string) == ["brain_t1", "brain_inverted"])
    let both = try NPYArray(contentsOf: output)
    #expect(both.shape == [2, first.shape[1]])
    #expect(Array(both.values.prefix(first.values.count)) == first.values)
    // Rows made otherwise are not mixed.
    let other = try run(
      ["features", model, scans, "-o", output, "--skip-done", "--input-policy", "center-crop"],
      status: 65)
    #expect(other.errors.contains("center-crop"))
  }

  @Test func policiesGiveTheirOwnResultsAndSaySo() throws {
    let scan = "\(scans)/brain_t1.nii.gz"
    var seen: Set<String> = []
    for policy in ["whole", "sliding-window", "center-crop"] {
      let result = try run(
        ["classify", model, scan, "--input-policy", policy, "--format", "jsonl"])
      let row = try lines(result.output)[0]
      #expect(row["input_policy"]?.string == policy)
      #expect(result.errors.contains("instead of") == (policy != "whole"))
      seen.insert("\(row["logits"]?.array ?? [])")
    }
    #expect(seen.count == 3)
    let refused = try run(
      [
        "features", model, scan, "--stage", "1", "--input-policy", "center-crop", "-o",
        folder.file("s.npy"),
      ], status: 64)
    #expect(refused.errors.contains("whole"))
  }

  @Test func preprocessWritesWhatNNUNetDoes() throws {
    let scan = "\(scans)/brain_t1.nii.gz"
    let output = folder.file("p.npy")
    let picture = folder.file("p.png")
    _ = try run(["preprocess", model, scan, "-o", output, "--preview", picture])
    let found = try NPYArray(contentsOf: output)
    let expected = try NPYArray(contentsOf: "\(Self.example)/expected/brain_t1.preprocessed.npy")
    #expect(found.shape == expected.shape)
    #expect(Difference(found.values, expected.values).absolute < 1e-5)
    let png = try MappedFile(path: picture).bytes
    #expect(png.hasBytes([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
    _ = try run(["preprocess", model, scan, "-o", output, "--as-fed"])
    #expect(try NPYArray(contentsOf: output).shape == [1, 1, 80, 96, 80])
    // What the network gets, run as it is given, is what the scan gives.
    let given = try run(["classify", model, output, "--format", "jsonl"])
    let direct = try run(["classify", model, scan, "--format", "jsonl"])
    #expect(try lines(given.output)[0]["logits"] == lines(direct.output)[0]["logits"])
  }

  @Test func planTellsAndMaxMemoryRefuses() throws {
    let scan = "\(scans)/brain_t1.nii.gz"
    let json = try JSONParser.parse(
      Bytes(Array(try run(["plan", model, scan, "--json"]).output.utf8)))
    let plan = try #require(json["cases"]?.array?.first)
    #expect(plan["shape"]?.array?.compactMap(\.integer) == [1, 75, 94, 80])
    #expect(plan["windows"]?.integer == 1)
    #expect((plan["gflop"]?.double ?? 0) > 1 && (plan["network_seconds"]?.double ?? 0) > 0)
    for command in [["plan"], ["classify"]] {
      let result = try run(command + [model, scan, "--max-memory", "90M"], status: 65)
      #expect(result.errors.contains("90.0 MB") && result.errors.contains("sliding-window"))
    }
    _ = try run(["classify", model, scan, "--max-memory", "90M", "--input-policy", "center-crop"])
  }

  /// A head may say what features it was trained on; another model's are refused.
  @Test(arguments: [
    ("model_id", "0123", "model 0123"), ("input_policy", "center-crop", "policy 'center-crop'"),
  ])
  func attachRefusesAHeadOfOtherFeatures(key: String, value: String, word: String) throws {
    func head(_ value: String) throws -> String {
      let values = [Float](repeating: 0.5, count: 3 * 64)
      let header =
        "{\"__metadata__\":{\"\(key)\":\"\(value)\"},\"weight\":{\"dtype\":\"F32\","
        + "\"shape\":[3,64],\"data_offsets\":[0,768]}}"
      var data = Data()
      withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { data.append(contentsOf: $0) }
      data.append(contentsOf: header.utf8)
      values.withUnsafeBytes { data.append(contentsOf: $0) }
      let path = folder.file("head.safetensors")
      try data.write(to: URL(fileURLWithPath: path))
      return path
    }
    let arguments = ["attach", model, "--head", try head(value), "-o", folder.file("n.swt")]
    let refused = try Command.run("nnconvert", arguments)
    #expect(refused.status == 65 && refused.errors.contains(word), "\(refused.errors)")
    let forced = try Command.run("nnconvert", arguments + ["--ignore-origin"])
    #expect(forced.status == 0, "\(forced.errors)")
    let info = try JSONParser.parse(Bytes(Array(try run(["info", model, "--json"]).output.utf8)))
    let own = key == "model_id" ? info["model_id"]?.string ?? "" : "whole"
    _ = try head(own)
    let taken = try Command.run("nnconvert", arguments + ["--force"])
    #expect(taken.status == 0, "\(taken.errors)")
  }
}
