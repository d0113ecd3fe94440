// SPDX-License-Identifier: Apache-2.0
import FileIO
import Foundation
import TestSupport
import Testing

/// An output is whole under its name, or it is not there; with files that have no name, and on file
/// systems that do not know them.
@Suite(.serialized) struct AtomicFileTests {
  private let folder: TemporaryFolder
  private let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("output")
  }

  private func write(_ text: String, isReplacing: Bool, isHidden: Bool) throws {
    var file = try AtomicFile(path: path, replacing: isReplacing, isHidden: isHidden)
    try file.write(Array(text.utf8))
    try file.commit()
  }

  private var text: String {
    get throws { String(decoding: try MappedFile(path: path).bytes.array, as: UTF8.self) }
  }

  @Test(arguments: [false, true])
  func whatWasCommittedStandsUnderItsName(isHidden: Bool) throws {
    try write("first", isReplacing: false, isHidden: isHidden)
    #expect(try text == "first")
    try write("second", isReplacing: true, isHidden: isHidden)
    #expect(try text == "second")
    #expect(throws: FileError.outputExists(path: path)) {
      try write("third", isReplacing: false, isHidden: isHidden)
    }
    #expect(folder.content == ["output"])
  }

  @Test(arguments: [false, true])
  func whatWasDroppedIsGone(isHidden: Bool) throws {
    do {
      var file = try AtomicFile(path: path, replacing: false, isHidden: isHidden)
      try file.write([1, 2, 3])
      // Only a file without a name cannot be seen while it is written.
      #expect(folder.content.count == (isHidden ? 1 : 0))
    }
    #expect(folder.content.isEmpty)
  }

  @Test(arguments: [false, true])
  func aFileThatAppearedMeanwhileIsNotReplaced(isHidden: Bool) throws {
    var late = try AtomicFile(path: path, replacing: false, isHidden: isHidden)
    try late.write(Array("late".utf8))
    try write("early", isReplacing: false, isHidden: false)
    do {
      try late.commit()
      Issue.record("the earlier file was replaced")
    } catch {
      #expect(error == .outputExists(path: path))
    }
    #expect(try text == "early")
    #expect(folder.content == ["output"])
  }

  @Test(arguments: [false, true])
  func aReplacedFileKeepsItsMode(isHidden: Bool) throws {
    try write("first", isReplacing: false, isHidden: isHidden)
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
    try write("second", isReplacing: true, isHidden: isHidden)
    #expect(try text == "second")
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.posixPermissions] as? Int == 0o640)
  }

  @Test func aPlaceIsCheckedWithoutATrace() throws {
    try AtomicFile.check(path: path)
    #expect(folder.content.isEmpty)
    #expect(throws: FileError.self) { try AtomicFile.check(path: "/nowhere/output") }
    #expect(throws: FileError.self) { try AtomicFile.check(path: folder.path) }
  }

  @Test(arguments: [false, true])
  func aFolderThatCannotBeWrittenIsSaid(isHidden: Bool) {
    #expect(throws: FileError.cannotCreate(path: "/nowhere/output", errno: 2)) {
      _ = try AtomicFile(path: "/nowhere/output", replacing: false, isHidden: isHidden)
    }
  }
}
