// SPDX-License-Identifier: Apache-2.0
import FileIO
import NPY
import SWTFormat
import TestSupport
import Testing

/// Tables, features and labels as people, spreadsheets and accidents make them: what can be used is, everything else
/// ends in one line that says why, before anything is written.
@Suite struct TrainingInputTests {
  /// Eight cases of four patients, two classes; what is wrong is changed in a copy.
  struct Input: Sendable {
    var table = Array(
      """
      case,patient,label
      a,1,x
      b,1,x
      c,2,y
      d,2,y
      e,3,x
      f,3,x
      g,4,y
      h,4,y

      """.utf8)
    var features = Input.npy("<f4", [8, 2], Input.values)
    var sidecar: String?
    var options: [String] = []

    static let values: [UInt8] = {
      var bytes: [UInt8] = []
      for index in 0..<16 {
        let number = Float(index / 4 % 2) + Float(index * 7 % 5) / 10
        withUnsafeBytes(of: number) { bytes += Array($0) }
      }
      return bytes
    }()

    /// An array file with whatever header.
    static func npy(_ type: String, _ shape: [Int], _ values: [UInt8]) -> [UInt8] {
      let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
      var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(sizes)), }"
      header += String(repeating: " ", count: 117 - header.utf8.count) + "\n"
      var bytes: [UInt8] = [0x93]
      bytes += Array("NUMPY".utf8)
      bytes += [1, 0, 118, 0]
      bytes += Array(header.utf8)
      return bytes + values
    }

    func table(_ text: String) -> Input { change { $0.table = Array(text.utf8) } }
    func replacing(_ old: String, _ new: String) -> Input {
      let text = String(decoding: table, as: UTF8.self)
      return table(
        text.split(separator: old, omittingEmptySubsequences: false).joined(separator: new))
    }
    func features(_ bytes: [UInt8]) -> Input { change { $0.features = bytes } }
    func features(_ shape: [Int], first: Float = 0) -> Input {
      var numbers: [UInt8] = withUnsafeBytes(of: first) { Array($0) }
      numbers += Self.values.dropFirst(4)
      let count: Int = shape.reduce(4, *)
      let bytes: [UInt8] = (0..<count).map { numbers[$0 % numbers.count] }
      return features(Self.npy("<f4", shape, bytes))
    }
    func sidecar(_ text: String) -> Input { change { $0.sidecar = text } }
    func options(_ options: String...) -> Input { change { $0.options = options } }

    private func change(_ body: (inout Input) -> Void) -> Input {
      var copy = self
      body(&copy)
      return copy
    }
  }

  private func run(_ input: Input, _ folder: TemporaryFolder) throws -> CommandResult {
    try write(input.table, to: folder.file("t.csv"))
    try write(input.features, to: folder.file("f.npy"))
    if let sidecar = input.sidecar { try write(Array(sidecar.utf8), to: folder.file("f.json")) }
    return try Command.run(
      "nntrain",
      [
        "head", "--features", folder.file("f.npy"), folder.file("t.csv"), "-o",
        folder.file("h.npz"), "--cv", "2",
      ] + input.options)
  }

  private func write(_ bytes: [UInt8], to path: String) throws {
    var file = try AtomicFile(path: path, replacing: true)
    try file.write(bytes)
    try file.commit()
  }

  private static let input = Input()
  private static let names = "\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\""

  /// What cannot be used, and words of the message.
  struct Refused: Sendable, CustomTestStringConvertible {
    let name: String
    let input: Input
    let words: String
    var testDescription: String { name }

    init(_ name: String, _ input: Input, _ words: String) {
      (self.name, self.input, self.words) = (name, input, words)
    }
  }

  private static let refused: [Refused] = [
    Refused("empty", input.table(""), "lacks a column 'case'"),
    Refused("a mark alone", input.table("\u{FEFF}"), "lacks a column 'case'"),
    Refused("a header alone", input.table("case,label\n"), "holds no case"),
    Refused("no cases' column", input.replacing("case,", "scan,"), "lacks a column 'case'"),
    Refused("no labels", input.replacing("label", "class"), "--label"),
    Refused("two labels", input.replacing("patient,", "label,"), "two columns 'label'"),
    Refused("short row", input.replacing("c,2,y", "c,2"), "line 4 has 2 columns"),
    Refused("long row", input.replacing("c,2,y", "c,2,y,z"), "line 4 has 4 columns"),
    Refused("unfinished quote", input.replacing("c,2", "\"c,2"), "unfinished quote"),
    Refused("one class", input.replacing(",y", ",x"), "all cases have the label 'x'"),
    Refused("case twice", input.replacing("b,1", "a,1"), "is there twice"),
    Refused("no label", input.replacing("b,1,x", "b,1,"), "case 'b' has no label"),
    Refused(
      "long labels", input.replacing(",x", "," + String(repeating: "x", count: 257)),
      "case 'a' has a label that is longer than 256 bytes"
    ),
    Refused(
      "a line in a label", input.replacing(",y", ",\"y\ny\""),
      "case 'c' has a label that has control characters"
    ),
    Refused(
      "a patient of one class but for blanks",
      input.replacing("g,4", "g, 2").replacing("h,4", "h,2 "),
      "class 'y' has 1 group"
    ),
    Refused("no patient but a blank", input.replacing("b,1,x", "b, ,x"), "case 'b' has no group"),
    Refused("no patient", input.replacing("b,1,x", "b,,x"), "case 'b' has no group"),
    Refused(
      "one patient of a class", input.replacing("g,4", "g,2").replacing("h,4", "h,2"),
      "class 'y' has 1 group"
    ),
    Refused("more folds than patients", input.options("--cv", "5"), "smaller --cv"),
    Refused("every case its class", input.options("--label", "case"), "has 1 group"),
    Refused("groups are classes", input.options("--group", "label"), "has 1 group"),
    Refused("no such groups", input.options("--group", "site"), "--group"),
    Refused("a binary file", input.bytes([0xFF, 0xFE, 0x00]), "is no UTF-8 text"),
    Refused("not a number", input.features([8, 2], first: .nan), "feature 0 of case 'a'"),
    Refused("infinite", input.features([8, 2], first: -.infinity), "feature 0 of case 'a'"),
    Refused("one axis", input.features([16]), "has shape [16]"),
    Refused("three axes", input.features([2, 4, 2]), "has shape [2, 4, 2]"),
    Refused("no columns", input.features([8, 0]), "f.npy"),
    Refused("no rows", input.features([0, 2]), "f.npy"),
    Refused("fewer rows", input.features([7, 2]), "7 rows without names for 8 cases"),
    Refused("cut off", input.features(Array(Input().features.dropLast(5))), "f.npy"),
    Refused("empty array file", input.features([UInt8]()), "f.npy"),
    Refused("huge shape", input.features(Input.npy("<f4", [1 << 40, 1 << 40], [])), "f.npy"),
    Refused("objects", input.features(Input.npy("|O", [8, 2], Input.values)), "f.npy"),
    Refused(
      "an empty archive", input.features([0x50, 0x4B, 5, 6] + [UInt8](repeating: 0, count: 18)),
      "f.npy"
    ),
    Refused("text", input.features(Array("a,b\n1,2\n".utf8)), "f.npy"),
    Refused(
      "names that are none", input.sidecar("{\"cases\": 3}"), "does not name the array's 8 cases"),
    Refused(
      "too few names", input.sidecar("{\"cases\": [\(names)]}"),
      "does not name the array's 8 cases"
    ),
    Refused("names are no text", input.sidecar("{\"cases\": [\(names), 8]}"), "does not name"),
    Refused("no JSON", input.sidecar("cases"), "f.json"),
    Refused("a name twice", input.sidecar("{\"cases\": [\(names), \"a\"]}"), "is there twice"),
    Refused(
      "another name", input.sidecar("{\"cases\": [\(names), \"z\"]}"), "case 'h' has no features"),
    Refused(
      "a case less", input.replacing("h,4,y\n", "").sidecar("{\"cases\": [\(names), \"h\"]}"),
      "case 'h' has features but is not in the table"
    ),
    Refused("depth", input.sidecar(String(repeating: "[", count: 100_000)), "f.json"),
  ]

  @Test(arguments: refused)
  func endsInAMessage(_ refused: Refused) throws {
    let folder = try TemporaryFolder()
    let result = try run(refused.input, folder)
    #expect(result.status == 65, "\(result.errors)")
    #expect(result.errors.contains(refused.words), "\(result.errors)")
    #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
    #expect(result.output.isEmpty && !folder.content.contains("h.npz"))
  }

  /// What can be used.
  struct Used: Sendable, CustomTestStringConvertible {
    let name: String
    let input: Input
    var testDescription: String { name }

    init(_ name: String, _ input: Input) { (self.name, self.input) = (name, input) }
  }

  private static let used: [Used] = [
    Used("semicolons", input.replacing(",", ";")), Used("tabs", input.replacing(",", "\t")),
    Used(
      "a mark and other line ends",
      input.replacing("\n", "\r\n").replacing("case", "\u{FEFF}case")
    ),
    Used("old line ends", input.replacing("\n", "\r")),
    Used("quotes", input.replacing("x\n", "\"x, \"\"or\"\" so\"\n")),
    Used("blanks in the header", input.replacing("case,patient,label", "case, patient , label")),
    Used("cases in another column", input.replacing("case,patient", "patient,case").swapped),
    Used("empty lines", input.replacing("\n", "\n\n")),
    Used("numbers for classes", input.replacing(",x", ",10").replacing(",y", ",9")),
    Used("huge numbers for patients", input.replacing(",1,", ",99999999999999999999999999,")),
    Used(
      "labels as long as may be", input.replacing(",x", "," + String(repeating: "x", count: 256))),
    Used("blanks around groups and labels", input.replacing("b,1,x", "b, 1 ,x ")),
    Used(
      "names that are one to Swift", input.replacing("a,1", "e\u{301},1").replacing("b,1", "é,1")),
    Used(
      "constant features",
      input.features(Input.npy("<f4", [8, 2], [UInt8](repeating: 0, count: 64)))
    ),
    Used("huge features", input.features([8, 2], first: 3e38)),
    Used("in any order", input.sidecar("{\"cases\": [\"h\", \(names)]}")),
    Used("one feature", input.features([8, 1])),
  ]

  @Test(arguments: used)
  func isUsed(_ used: Used) throws {
    let folder = try TemporaryFolder()
    let result = try run(used.input, folder)
    #expect(result.status == 0, "\(result.errors)")
    #expect(!result.output.contains("\u{1B}") && !result.errors.contains("\u{1B}"))
    #expect(folder.content.contains("h.npz"))
  }

  /// Features of another width than the model's.
  @Test func featuresOfAnotherWidthAreRefused() throws {
    let folder = try TemporaryFolder()
    let model = folder.file("m.swt")
    let checkpoint = try Fixtures.checkpoint(in: "plain2d__v2.8__float32")
    #expect(
      try Command.run("nnconvert", ["convert", checkpoint, "-o", model, "--quiet"]).status == 0)
    _ = try run(Self.input, folder)
    let result = try Command.run(
      "nntrain",
      [
        "head", model, "--features", folder.file("f.npy"), folder.file("t.csv"), "-o",
        folder.file("h.swt"), "--cv", "2",
      ])
    #expect(result.status == 65 && result.errors.contains("2 columns"), "\(result.errors)")
  }
}

extension TrainingInputTests.Input {
  /// Patients first, then cases.
  var swapped: Self {
    let lines = String(decoding: table, as: UTF8.self).split(separator: "\n")
    return table(
      lines.enumerated().map { index, line in
        let fields = line.split(separator: ",").map(String.init)
        return index == 0 ? line + "\n" : "\(fields[1]),\(fields[0]),\(fields[2])\n"
      }.joined())
  }

  func bytes(_ bytes: [UInt8]) -> Self {
    var copy = self
    copy.table = bytes
    return copy
  }
}
