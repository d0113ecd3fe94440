// SPDX-License-Identifier: Apache-2.0
import FileIO
import Foundation
import NPY
import SWTFormat
import TestSupport
import Testing

/// Results and the cases they belong to: none is lost, mixed up, or another's.
@Suite struct ResultTests {
  private static let example = "\(Fixtures.repository)/Examples/brain-mri"
  private let first = "\(example)/scans/brain_t1.nii.gz"
  private let second = "\(example)/scans/brain_inverted.nii.gz"
  private let folder: TemporaryFolder
  private let model: String

  init() throws {
    folder = try TemporaryFolder()
    model = folder.file("m.swt")
    _ = try Command.run(
      "nnconvert",
      ["convert", Fixtures.exampleCheckpoint, "--head", "\(Self.example)/head.pth", "-o", model])
  }

  private func run(_ arguments: [String], status: Int32 = 0) throws -> CommandResult {
    let result = try Command.run("nnrun", arguments)
    #expect(result.status == status, "\(arguments): \(result.errors)")
    return result
  }

  private func copy(_ path: String, to name: String) throws -> String {
    let target = URL(fileURLWithPath: folder.file(name))
    try FileManager.default.createDirectory(
      at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
    try? FileManager.default.removeItem(at: target)
    try FileManager.default.copyItem(at: URL(fileURLWithPath: path), to: target)
    return target.path
  }

  private func json(_ name: String) throws -> JSONValue {
    try JSONParser.parse(MappedFile(path: folder.file(name)).bytes)
  }

  @Test func resultsRememberWhatTheyWereMadeFrom() throws {
    _ = try run(["features", model, first, "-o", folder.file("f.npy")])
    let sidecar = try json("f.json")
    let input = try #require(sidecar["inputs"]?.array?.first?.array?.first)
    let bytes = try MappedFile(path: first).bytes
    #expect(input["path"]?.string == first)
    #expect(input["bytes"]?.integer == bytes.count)
    #expect(input["sha256"]?.string == SHA256.hex(SHA256.digest(of: bytes)))
    let row = try JSONParser.parse(
      Bytes(Array(try run(["classify", model, first, "--format", "jsonl"]).output.utf8)))
    #expect(row["inputs"]?.array?.first == input)
  }

  @Test func casesOfOneNameKeepTheirOwnResults() throws {
    let scans = [try copy(first, to: "a/p.nii.gz"), try copy(second, to: "b/p.nii.gz")]
    _ = try run(["preprocess", model] + scans + ["-o", folder.file("out")])
    let shapes = try ["a", "b"].map {
      try NPYArray(contentsOf: folder.file("out/\($0)/p.npy")).values.prefix(1000)
    }
    #expect(shapes[0] != shapes[1])
    _ = try run(["features", model] + scans + ["-o", folder.file("f.npy")])
    #expect(try json("f.json")["cases"]?.array?.compactMap(\.string) == ["a/p", "b/p"])
  }

  @Test func aResultIsKeptOnlyForTheVeryFile() throws {
    let scans = [try copy(first, to: "a.nii.gz"), try copy(second, to: "b.nii.gz")]
    let output = folder.file("f.npy")
    let command = ["features", model] + scans + ["-o", output]
    _ = try run(command)
    let before = try NPYArray(contentsOf: output)
    let width = before.shape[1]
    _ = try copy(second, to: "a.nii.gz")
    let result = try run(command + ["--skip-done"])
    #expect(result.errors.contains("1 kept, 1 changed"))
    let after = try NPYArray(contentsOf: output)
    #expect(after.shape == before.shape)
    // Both are the second scan now.
    #expect(Array(after.values.prefix(width)) == Array(before.values.suffix(width)))
    #expect(Array(after.values.suffix(width)) == Array(before.values.suffix(width)))
    #expect(try run(command + ["--skip-done"]).errors.contains("2 kept, 0 changed"))
  }

  @Test func aCaseOfAnotherPlaceDoesNotTakeAName() throws {
    let output = folder.file("f.npy")
    _ = try run(["features", model, try copy(first, to: "a/p.nii.gz"), "-o", output])
    let before = try NPYArray(contentsOf: output)
    let other = try copy(second, to: "b/p.nii.gz")
    let refused = try run(["features", model, other, "-o", output, "--skip-done"], status: 65)
    #expect(refused.errors.contains("a/p.nii.gz") && refused.errors.contains("b/p.nii.gz"))
    #expect(try NPYArray(contentsOf: output) == before)
  }

  @Test(arguments: [
    (["features", "SCAN", "-o", "f.csv"], Int32(64), ".npy"),
    (["classify", "SCAN", "-o", "f.pth"], 64, ".npy"),
    (["features", "SCAN", "-o", "-"], 64, "is no file"),
    (["preprocess", "SCAN", "--preview", "p.jpg"], 64, ".png"),
    (["features", "SCAN", "-o", "none/f.npy"], 73, "none"),
    (["features", "SCAN", "-o", "theirs.npy"], 73, "theirs.json"),
    (["features", "SCAN", "--stage", "9", "-o", "f.npy"], 64, "stage 9"),
    (["features", "SCAN", "-o", ""], 64, "is no file"),
    (["features", "SCAN", "-o", "f.npy.gz"], 64, ".npy"),
    (["classify", "SCAN", "-o", "MODEL"], 73, "input file"),
    (["classify", "SCAN", "-o", "SCAN"], 73, "input file"),
    (["classify", "SCAN", "--report", "r.pdf"], 64, ".html"),
    (["classify", "SCAN", "--report", "-"], 64, "is no file"),
    (["classify", "SCAN", "--maps", "theirs.json"], 64, "folder"),
    (["features", "SCAN", "--all-stages", "-o", "theirs.json"], 64, "folder"),
    (["preprocess", "SCAN", "-o", "none/p.npy"], 73, "none"),
    (["preprocess", "SCAN", "--preview", "none/p.png"], 73, "none"),
    (["segment", "SCAN", "-o", "f.csv"], 65, "decoder"),
    (["classify", "SCAN", "--max-memory", "2"], 64, "unit"),
    (["classify", "MODEL"], 64, "is a model"),
    (["preprocess", "SCAN", "SCAN", "-o", "out"], 65, "two cases"),
  ])
  func whatCannotEndWellIsRefusedBeforeWork(
    arguments: [String], status: Int32, words: String
  ) throws {
    let theirs = Data("{\"subject\": 1}".utf8)
    try theirs.write(to: URL(fileURLWithPath: folder.file("theirs.json")))
    var arguments = arguments.map { argument in
      switch argument {
      case "SCAN": first
      case "MODEL": model
      default: argument.contains(".") || argument == "out" ? folder.file(argument) : argument
      }
    }
    arguments.insert(model, at: 1)
    let result = try run(arguments, status: status)
    #expect(result.errors.contains(words), "\(result.errors)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("theirs.json"))) == theirs)
    #expect(folder.content == ["m.swt", "theirs.json"])
  }

  @Test func theModelComesFirst() throws {
    let result = try run(["classify", first, model], status: 64)
    #expect(result.errors.contains("is a scan — the model comes first"))
  }

  @Test func aFolderGivesAFolderWhateverItHolds() throws {
    _ = try copy(first, to: "scans/only.nii.gz")
    _ = try run(["preprocess", model, folder.file("scans"), "-o", folder.file("out")])
    #expect(try Fixtures.names(in: folder.file("out")) == ["only.npy"])
    _ = try run([
      "features", model, folder.file("scans"), "--stage", "3", "-o", folder.file("s.npy"),
    ])
    #expect(try NPYArray(contentsOf: folder.file("s.npy")).shape.first == 1)
  }

  /// The same content under another name: what was read now is told.
  @Test func aKeptResultNamesItsOwnFile() throws {
    let output = folder.file("f.npy")
    let scan = try copy(first, to: "scans/b.nii.gz")
    _ = try run(["features", model, scan, "-o", output])
    let twin = try copy(first, to: "scans/a.nii.gz")
    _ = try run(["features", model, folder.file("scans"), "-o", output, "--skip-done"])
    let sidecar = try json("f.json")
    let paths = sidecar["inputs"]?.array?.compactMap { $0.array?.first?["path"]?.string }
    #expect(sidecar["cases"]?.array?.compactMap(\.string) == ["a", "b"])
    #expect(paths == [twin, scan])
  }

  /// A log goes on with a log, and with nothing else; no result replaces it.
  @Test(arguments: ["m.swt", "scan.nii.gz", "table.csv"])
  func aLogIsAddedToNothingElse(name: String) throws {
    let scan = try copy(first, to: "scan.nii.gz")
    try Data("case,image\na,scan.nii.gz\n".utf8)
      .write(to: URL(fileURLWithPath: folder.file("table.csv")))
    let before = try Data(contentsOf: URL(fileURLWithPath: folder.file(name)))
    for verb in ["classify", "plan"] {
      let result = try run([verb, model, scan, "--log", folder.file(name)], status: 73)
      #expect(result.errors.contains("is not a log"), "\(result.errors)")
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file(name))) == before)
  }

  @Test(arguments: [
    ["-o", "r.npy", "--log", "r.json"], ["--report", "r.html", "--log", "r.html"],
  ])
  func noResultReplacesTheLog(options: [String]) throws {
    let places = options.map { $0.hasPrefix("-") ? $0 : folder.file($0) }
    _ = try run(["classify", model, first] + places, status: 73)
  }

  @Test func messagesGoToALogAndQuietIsQuiet() throws {
    let log = folder.file("log.txt")
    let arguments = ["classify", model, first, "/none.nii", "--input-policy", "center-crop"]
    let result = try run(arguments + ["--quiet", "--log", log], status: 8)
    #expect(!result.errors.contains("note") && !result.errors.contains("warning"))
    #expect(result.errors.contains("case 'none'"))
    let text = String(decoding: try MappedFile(path: log).bytes.array, as: UTF8.self)
    #expect(text.contains("note: input policy 'center-crop'") && text.contains("case 'none'"))
    _ = try run(arguments + ["--quiet", "--log", log], status: 8)
    #expect(String(decoding: try MappedFile(path: log).bytes.array, as: UTF8.self) == text + text)
  }
}
