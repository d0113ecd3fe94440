// SPDX-License-Identifier: Apache-2.0
import FileIO
import Foundation
import NPY
import SWTFormat
import TestSupport
import Testing

/// How the commands behave on a machine that they share: limits, signals, full devices, files that others
/// replace.
@Suite struct CitizenTests {
  private static let example = "\(Fixtures.repository)/Examples/brain-mri"
  private let scan = "\(example)/scans/brain_t1.nii.gz"
  private let folder: TemporaryFolder
  private let model: String

  init() throws {
    folder = try TemporaryFolder()
    model = folder.file("m.swt")
    _ = try Command.run(
      "nnconvert",
      ["convert", Fixtures.exampleCheckpoint, "--head", "\(Self.example)/head.pth", "-o", model])
  }

  /// A process that is still running, with its streams at hand.
  private struct Running {
    let process = Process()
    let input = Pipe()
    let output = Pipe()
    let errors = Pipe()

    init(_ name: String, _ arguments: [String]) {
      // What started the tests may have them ignore signals.
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = ["--default-signal", Command.path(of: name)] + arguments
      process.standardInput = input
      process.standardOutput = output
      process.standardError = errors
    }

    func send(_ line: String) throws {
      try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
    }

    /// The next line of its output; `nil` at the end.
    func nextLine() throws -> String? {
      var line = Data()
      while let byte = try output.fileHandleForReading.read(upToCount: 1), byte != Data([10]) {
        line += byte
      }
      return line.isEmpty ? nil : String(decoding: line, as: UTF8.self)
    }
  }

  /// Runs a command under a shell's `prelude`; `$0` is the command.
  private func runInShell(
    _ script: String, _ name: String, _ arguments: [String]
  ) throws -> (status: Int32, errors: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", script, Command.path(of: name)] + arguments
    let errors = Pipe()
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors
    try process.run()
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }

  @Test func threadsAreThoseThatTheProcessIsBoundToUnlessGiven() throws {
    func threads(_ options: [String]) throws -> Int? {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      let list = ["taskset", "-c", "0", Command.path(of: "nnrun"), "info", model, "--json"]
      process.arguments = list + options
      let output = Pipe()
      process.standardOutput = output
      try process.run()
      let json = output.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      return try JSONParser.parse(Bytes(Array(json)))["threads"]?.integer
    }
    #expect(try threads([]) == 1)
    #expect(try threads(["--threads", "3"]) == 3)
  }

  @Test(arguments: [
    ("nnrun", ["--help"]), ("nnrun", ["--version"]), ("nnrun", ["info", "MODEL"]),
    ("nnrun", ["info", "MODEL", "--json"]), ("nnrun", ["classify", "MODEL", "SCAN"]),
    ("nnrun", ["classify", "MODEL", "SCAN", "--format", "csv"]), ("nnconvert", ["--help"]),
    ("nnconvert", ["inspect", "MODEL"]), ("nnconvert", ["verify", "MODEL", "--json"]),
  ])
  func aResultThatDoesNotFitOnTheDeviceIsAnError(name: String, arguments: [String]) throws {
    let arguments = arguments.map { $0 == "MODEL" ? model : $0 == "SCAN" ? scan : $0 }
    let result = try runInShell("\"$0\" \"$@\" >/dev/full", name, arguments)
    #expect(result.status == 74)
    #expect(result.errors.contains("standard output"), "\(result.errors)")
  }

  @Test(arguments: ["nnrun info", "nnconvert inspect"])
  func aReaderThatHasGoneEndsTheProcessQuietly(command: String) throws {
    let words = command.split(separator: " ").map(String.init)
    // The reader of the FIFO goes before the writer writes.
    let script = """
      mkfifo '\(folder.file("fifo"))'; : <'\(folder.file("fifo"))' &
      exec 3>'\(folder.file("fifo"))'; wait; env --default-signal=PIPE "$0" "$@" >&3
      """
    let result = try runInShell(script, words[0], [words[1], model])
    #expect(result.status == 128 + SIGPIPE)
    #expect(result.errors.isEmpty, "\(result.errors)")
  }

  @Test func aReaderThatHasGoneIsAnErrorWhereItsSignalIsIgnored() throws {
    let script = """
      mkfifo '\(folder.file("fifo"))'; : <'\(folder.file("fifo"))' &
      exec 3>'\(folder.file("fifo"))'; wait; trap '' PIPE; "$0" "$@" >&3
      """
    let result = try runInShell(script, "nnrun", ["info", model])
    #expect(result.status == 74)
    #expect(result.errors.contains("broken pipe"))
  }

  @Test func anInterruptedRunKeepsWhatIsDone() throws {
    let running = Running(
      "nnrun", ["classify", model, "--stdin", "-o", folder.file("logits.npy")])
    try running.process.run()
    try running.send("{\"images\": [\"\(scan)\"]}")
    #expect(try running.nextLine() != nil)
    running.process.interrupt()
    running.process.waitUntilExit()
    #expect(running.process.terminationReason == .uncaughtSignal)
    #expect(running.process.terminationStatus == SIGINT)
    #expect(folder.content == ["logits.json", "logits.npy", "m.swt"])
    #expect(try NPYArray(contentsOf: folder.file("logits.npy")).shape == [1, 2])
    let errors = String(
      decoding: running.errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    #expect(errors.contains("interrupted with 1 case") && errors.contains("--skip-done"))
  }

  @Test func aModelThatIsReplacedMeanwhileDoesNoHarm() throws {
    let running = Running("nnrun", ["classify", model, "--stdin", "--threads", "2"])
    try running.process.run()
    try running.send("{\"images\": [\"\(scan)\"]}")
    let before = try #require(try running.nextLine())
    var other = try AtomicFile(path: model, replacing: true)
    try other.write([UInt8](repeating: 0, count: 1 << 20))
    try other.commit()
    try running.send("{\"images\": [\"\(scan)\"]}")
    #expect(try running.nextLine() == before)
    try running.input.fileHandleForWriting.close()
    running.process.waitUntilExit()
    #expect(running.process.terminationStatus == 0)
    #expect(before.contains("\"class\""))
  }
}
