// SPDX-License-Identifier: Apache-2.0
import FileIO
import Foundation
import TestSupport
import Testing

@testable import Pipeline

/// What a command's inputs are as cases, before any of them is opened.
@Suite struct CaseListTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: [
    (["a/p1.nii.gz", "b/p2.nii"], ["p1", "p2"]),
    (["siteA/p1.nii.gz", "siteB/p1.nii.gz"], ["siteA/p1", "siteB/p1"]),
    (["x/s0001/ct.nii.gz", "x/s0002/ct.nii.gz"], ["s0001/ct", "s0002/ct"]),
    (["patient_0001.nii.gz", "patient_0002.nii.gz"], ["patient_0001", "patient_0002"]),
    (["a.nii", "a.nii.gz"], ["a.nii", "a.nii.gz"]),
    (["a_0000.nii", "b/a_0000.nii", "c.nii"], ["a_0000.nii", "b/a", "c"]),
    (["x/a/ct.nii", "y/a/ct.nii", "z/b/ct.nii"], ["x/a/ct", "y/a/ct", "z/b/ct"]),
    (["../p.nii", "q/p.nii"], ["up/p", "q/p"]),
  ])
  func namesAreTheShortestThatTellCasesApart(paths: [String], names: [String]) throws {
    let found = try #require(CaseNames.distinct(paths))
    #expect(Set(found).count == paths.count)
    #expect(found.allSatisfy(CaseNames.isContained))
    if paths[0] != "a_0000.nii" { #expect(found == names) }
  }

  @Test func aFileThatIsNamedTwiceIsRefused() {
    #expect(throws: CaseListError.sameName("a.nii", place: "the inputs")) {
      try CaseList(inputs: ["a.nii", "b.nii", "a.nii"], channels: ["MR"])
    }
  }

  @Test(arguments: ["", "/x", "../x", "a/../../x", "a//b", ".", "a/."])
  func namesDoNotLeaveTheFolderOfTheResults(name: String) throws {
    #expect(!CaseNames.isContained(name))
    let table = try write("case,file\n\(name),a.nii\nother,b.nii\n", to: "cases.csv")
    #expect(throws: CaseListError.self) { try CaseList(inputs: [table], channels: ["MR"]) }
    let entry = CaseLines().entry("{\"case\": \"\(name)\", \"images\": [\"a.nii\"]}", number: 3)
    #expect(entry.isArray == nil)
  }

  // MARK: - Tables

  private func write(_ text: String, to name: String) throws -> String {
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file(name)))
    return folder.file(name)
  }

  private func entries(
    _ text: String, channels: [String] = ["MR"]
  ) throws -> [CaseList.Entry] {
    try CaseList(inputs: [write(text, to: "cases.csv")], channels: channels).entries
  }

  private func files(_ text: String, channels: [String] = ["MR"]) throws -> [[String]] {
    try entries(text, channels: channels).map { entry in
      entry.files.map { String($0.dropFirst(folder.path.count + 1)) }
    }
  }

  @Test(arguments: ["MR", "mr", "channel_0", "0", "file", "image", "path"])
  func aChannelsColumnIsKnownByItsName(column: String) throws {
    #expect(try files("case,age,\(column)\nx,61,a.nii\n") == [["a.nii"]])
  }

  @Test(arguments: ["file", " file", "file  ", "   file "])
  func blanksAroundAColumnsNameDoNotCount(column: String) throws {
    #expect(try files(" case ,\(column)\nx,a.nii\n") == [["a.nii"]])
  }

  @Test func columnsAreTakenInTheModelsOrder() throws {
    let channels = ["T1", "FLAIR"]
    #expect(
      try files("case,flair,t1\nx,f.nii,t.nii\n", channels: channels) == [["t.nii", "f.nii"]])
    #expect(try files("case,1,0\nx,f.nii,t.nii\n", channels: channels) == [["t.nii", "f.nii"]])
  }

  @Test func otherColumnsAreKeptAndToldOnce() throws {
    let table = try write("case,file,label,age\nx,a.nii,control,61\ny,b.nii,,70\n", to: "cases.csv")
    let list = try CaseList(inputs: [table], channels: ["MR"])
    #expect(
      list.entries.map(\.fields) == [
        ["label": "control", "age": "61"], ["label": "", "age": "70"],
      ])
    #expect(list.notes.count == 1 && list.notes[0].contains("'label', 'age' are no images"))
  }

  @Test(arguments: [
    ("case,file,other\nx,a.nii,b.NII.GZ\n", "'other' names images"),
    ("case,label\nx,1\n", "lacks a column for every channel"),
    ("case,study\nx,A17\n", "lacks a column for every channel"),
    ("case,MR,0\nx,a.nii,b.nii\n", "several columns for channel 0"),
    ("id,MR\nx,a.nii\n", "lacks a column 'case'"),
    ("case,MR\nx,a.nii,3\n", "line 2 has 3 columns instead of 2"),
    ("case,MR\nx,\"a.nii\n", "unfinished quote"),
    ("case,MR\nx,a.nii\ny,b.nii\nx,c.nii\n", "lines 2 and 4"),
    ("", "lacks a column 'case'"),
  ])
  func aTableThatMayBeMistakenIsRefused(text: String, words: String) {
    let error = #expect(throws: CaseListError.self) { try entries(text) }
    #expect(error?.description.contains(words) == true, "\(String(describing: error))")
  }

  @Test func tablesAreWhatSpreadsheetsWrite() throws {
    // A byte order mark, semicolons, Windows' and old line ends, quotes and line breaks in fields.
    #expect(try files("\u{FEFF}case;MR\r\nx;a,b.nii\r\n\r\n") == [["a,b.nii"]])
    #expect(try files("case\tMR\rx\ta.nii") == [["a.nii"]])
    let quoted = try entries("case,MR,note\n\"x\ny\",\"say \"\"a\"\".nii\",\"1\r\n2\"\n")
    #expect(quoted.map(\.name) == ["x\ny"])
    #expect(quoted[0].files == [folder.file("say \"a\".nii")])
    #expect(quoted[0].fields == ["note": "1\r\n2"])
  }

  @Test(arguments: ["plain", "a,b", "a;b", "say \"x\"", "a\nb", "a\rb", "a\r\nb", "tab\t", ""])
  func aFieldComesBackAsItWasWritten(text: String) throws {
    let table = CSVText.row(["h", "k"]) + "\n" + CSVText.row([text, "x"])
    #expect(CSVText.rows(table) == [["h", "k"], [text, "x"]])
  }

  @Test func aRowWithoutAFileIsACaseThatFails() throws {
    let entries = try entries("case,MR\nx,\ny,b.nii\nz,  \n")
    #expect(entries.map(\.isArray) == [nil, false, nil])
  }

  // MARK: - Folders

  private func touch(_ paths: [String]) throws {
    for path in paths {
      let file = URL(fileURLWithPath: folder.file(path))
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data().write(to: file)
    }
  }

  private func list(
    _ channels: [String], _ layout: ScanFolder.Layout = .flat
  ) throws -> [String: [String]] {
    let list = try CaseList(inputs: [folder.path], channels: channels, layout: layout)
    #expect(!list.isSingle)
    return Dictionary(
      uniqueKeysWithValues: list.entries.map { entry in
        (entry.name, entry.files.map { String($0.dropFirst(folder.path.count + 1)) })
      })
  }

  @Test func whatIsIncompleteInAFolderIsACaseThatFails() throws {
    try touch(["a_0000.nii", "a_0001.nii", "b_0001.nii", "c.nii", "notes.txt", "d_0000.nii"])
    let found = try list(["T1", "T2"])
    #expect(found == ["a": ["a_0000.nii", "a_0001.nii"], "b": [], "c": [], "d": []])
  }

  @Test func foldersBelowAreLookedIntoWhenAsked() throws {
    try touch(["s1/ct.nii.gz", "s2/ct.nii.gz", "s2/more/mr.nii"])
    #expect(throws: CaseListError.self) { try list(["CT"]) }
    #expect(
      try list(["CT"], .recursive) == [
        "s1/ct": ["s1/ct.nii.gz"], "s2/ct": ["s2/ct.nii.gz"], "mr": ["s2/more/mr.nii"],
      ])
  }

  @Test func imagesOfABIDSDatasetAreToldBySuffix() throws {
    try touch([
      "sub-01/anat/sub-01_T1w.nii.gz", "sub-01/anat/sub-01_FLAIR.nii.gz",
      "sub-02/ses-1/anat/sub-02_ses-1_T1w.nii.gz", "sub-01/func/sub-01_bold.nii.gz",
      "dataset_description.json",
    ])
    #expect(
      try list(["T1", "FLAIR"], .bids(suffixes: ["T1w", "FLAIR"])) == [
        "sub-01": ["sub-01/anat/sub-01_T1w.nii.gz", "sub-01/anat/sub-01_FLAIR.nii.gz"],
        "sub-02_ses-1": [],
      ])
    #expect(try list(["MR"], .bids(suffixes: ["bold"])).values.map(\.count) == [1])
  }

  // MARK: - Lines

  @Test(arguments: [
    "", "{", "{\"images\": 3}", "{\"images\": []}", "{\"images\": [\"a\", 1]}", "[]",
  ])
  func aLineThatIsNoCaseIsACaseThatFails(line: String) {
    let entry = CaseLines().entry(line, number: 5)
    #expect(entry.isArray == nil)
    #expect(entry.name == (line.contains("\"a\"") ? "a" : "line 5"))
  }
}
