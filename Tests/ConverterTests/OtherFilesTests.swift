// SPDX-License-Identifier: Apache-2.0
import Converter
import FileIO
import TestSupport
import Testing

/// Files that are no nnU-Net checkpoint, and the word by which the refusal names them.
@Suite struct OtherFilesTests {
  @Test(arguments: [
    ("ts.pt", "TorchScript"), ("module.pt", "state_dict()"), ("p2.pt", "weights"),
    ("p4.pt", "weights"),
  ])
  func otherTorchFilesAreNamed(name: String, word: String) {
    let error = #expect(throws: ConversionError.self) {
      try Conversion(path: "\(Fixtures.folder)/misc/\(name)", options: ConversionOptions())
    }
    #expect(error.map { "\($0)".contains(word) } == true, "\(String(describing: error))")
  }

  @Test(arguments: [
    ("", "empty"), ("version https://git-lfs.github.com/spec/v1\noid", "git-lfs"),
    ("<!DOCTYPE html><html>", "HTML"), ("  <html>", "HTML"), ("GGUF\u{3}", "GGUF"),
    ("{\"a\": 1}", "JSON"), ("hello", "no checkpoint"), ("PK\u{3}\u{4}truncated", "zip"),
  ])
  func otherTextsAreNamed(content: String, word: String) throws {
    let folder = try TemporaryFolder()
    var file = try AtomicFile(path: folder.file("x.pth"), replacing: false)
    try file.write(Array(content.utf8))
    try file.commit()
    let error = #expect(throws: ConversionError.self) {
      try Conversion(path: folder.file("x.pth"), options: ConversionOptions())
    }
    #expect(error.map { "\($0)".contains(word) } == true, "\(String(describing: error))")
  }
}
