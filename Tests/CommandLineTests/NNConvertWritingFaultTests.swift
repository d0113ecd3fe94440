// SPDX-License-Identifier: Apache-2.0
import FileIO
import Foundation
import TestSupport
import Testing

/// What is under the output's name when writing goes wrong: what was there before, or nothing.
@Suite struct NNConvertWritingFaultTests {
  private let folder: TemporaryFolder
  private let output: String

  init() throws {
    folder = try TemporaryFolder()
    output = folder.file("m.swt")
  }

  /// Converts with `prelude` run by the shell before; `$0` is the converter.
  private func convert(after prelude: String, _ arguments: [String]) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments =
      ["-c", "\(prelude); exec \"$0\" convert \"$@\"", Command.path(of: "nnconvert")] + arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process
  }

  private func write(_ text: String, to path: String) throws {
    var file = try AtomicFile(path: path, replacing: true)
    try file.write(Array(text.utf8))
    try file.commit()
  }

  private func text(of path: String) throws -> String {
    String(decoding: try MappedFile(path: path).bytes.array, as: UTF8.self)
  }

  /// No more room, as the file size limit makes it: writing fails in the middle.
  @Test func aFullDeviceLeavesWhatWasThere() throws {
    try write("older", to: output)
    let process = try convert(
      after: "trap '' XFSZ; ulimit -f 64", [Fixtures.exampleCheckpoint, "-o", output, "--force"])
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 74)
    #expect(try text(of: output) == "older")
    #expect(folder.content == ["m.swt"])
  }

  /// Killed as soon as its nameless file is open; a fast one may have finished all the same.
  @Test(arguments: [true, false])
  func aKilledConverterLeavesTheOldFileOrTheWholeNewOne(replaces: Bool) throws {
    if replaces { try write("older", to: output) }
    _ = try convert(
      after: "\"$0\" convert \"$@\" & p=$!; while readlink /proc/$p/exe && "
        + "! ls -l /proc/$p/fd | grep -q '\(folder.path)/.*(deleted)'; do :; done; "
        + "kill -9 $p; wait $p; exit",
      [Fixtures.exampleCheckpoint, "-o", output, "--force"])
    guard !folder.content.isEmpty else {
      #expect(!replaces)
      return
    }
    #expect(folder.content == ["m.swt"])
    let isOld = try replaces && text(of: output) == "older"
    #expect(try isOld || Command.run("nnconvert", ["verify", output]).status == 0)
  }

  @Test func aFIFOIsNotReplaced() throws {
    let process = try convert(
      after: "mkfifo '\(output)'", [Fixtures.exampleCheckpoint, "-o", output, "--force"])
    #expect(process.terminationStatus == 73)
    #expect(folder.content == ["m.swt"])
  }

  @Test func aFolderThatCannotBeWrittenIsRefused() throws {
    let result = try Command.run(
      "nnconvert", ["convert", Fixtures.exampleCheckpoint, "-o", "/proc/m.swt"])
    #expect(result.status == 73)
    #expect(result.errors.contains("/proc/m.swt"))
  }

  @Test func theInputIsNotReplaced() throws {
    let input = folder.file("checkpoint.swt")
    var copy = try AtomicFile(path: input, replacing: false)
    try copy.write(MappedFile(path: Fixtures.exampleCheckpoint).bytes.array)
    try copy.commit()
    let result = try Command.run("nnconvert", ["convert", input, "-o", input, "--force"])
    #expect(result.status == 73)
    #expect(
      try MappedFile(path: input).bytes.array
        == MappedFile(path: Fixtures.exampleCheckpoint).bytes.array)
  }
}
