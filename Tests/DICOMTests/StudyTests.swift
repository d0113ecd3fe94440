// SPDX-License-Identifier: Apache-2.0
import FileIO
import Foundation
import TestSupport
import Testing

@testable import DICOM

/// What a folder holds, how it is listed, and that nothing about the patient comes out of it.
struct StudyTests {
  @Test func severalVolumesAreListedAndRefusedUnlessOneIsNamed() throws {
    let study = try Self.study("four_d_echo")
    let uid = "2.25.1198428332571589049381088986048233683"
    let error = #expect(throws: DICOMError.self) { try study.series() }
    #expect(error?.reason == .choice)
    for line in [
      "\(uid)-1: MR series 3, 16 × 11 × 8 voxels of 0.757 × 0.955 × 3.552 mm (echo time 10.0)",
      "\(uid)-2: MR series 3, 16 × 11 × 8 voxels of 0.757 × 0.955 × 3.552 mm (echo time 80.0)",
    ] { #expect(error?.description.contains(line) ?? false) }
    #expect(try study.series(named: "\(uid)-2").distinction == "echo time 80.0")
    #expect(throws: DICOMError.self) { try study.series(named: uid) }
    #expect(throws: DICOMError.self) { try study.series(named: "1.2.3") }
  }

  @Test func allSeriesOfAFolderAreThere() throws {
    let found = try DICOMSeries.all(in: "\(ReferenceCase.folder)/four_d_echo/study")
    #expect(try found.map { try $0.get().shape } == [[8, 11, 16], [8, 11, 16]])
    let broken = try DICOMSeries.all(in: "\(ReferenceCase.folder)/missing_slice/study")
    #expect(throws: DICOMError.self) { try broken.map { try $0.get() } }
  }

  @Test("A series that is broken does not leave the other one as the only choice")
  func brokenSeriesCounts() throws {
    let folder = try TemporaryTree()
    try folder.copy("missing_slice", as: "a")
    try folder.copy("ax_ct", as: "b")
    let study = try DICOMStudy(StudyFolder(folder.path), threads: 2)
    #expect(study.candidates.count == 2)
    #expect(throws: DICOMError.self) { try study.series() }
    #expect(try study.series(named: "2.25.921701162481075632957199926983242375").sliceCount == 8)
  }

  @Test func whatIsLeftOutIsCounted() throws {
    #expect(try Self.study("clutter").notices == ["left out: 4 files that are no DICOM images"])
    #expect(try Self.study("duplicate_file").notices == ["left out: 1 copies"])
    #expect(try Self.study("localizer_series").notices == ["left out: 1 localizer images"])
    #expect(
      try Self.study("dose_report").notices
        == ["left out: 2 series of pictures without positions"])
  }

  @Test func oneFileIsAStudyToo() throws {
    let folder = "\(ReferenceCase.folder)/enhanced_ct/study"
    let name = try #require(Fixtures.names(in: folder).first)
    #expect(try DICOMStudy(StudyFolder("\(folder)/\(name)"), threads: 1).series().sliceCount == 6)
  }

  @Test func anUnreadableFileFailsTheFolder() throws {
    let folder = try TemporaryTree()
    try folder.copy("ax_ct", as: "a")
    let names = try Fixtures.names(in: "\(folder.path)/a")
    let url = URL(fileURLWithPath: "\(folder.path)/a/\(names[2])")
    try Data(contentsOf: url).prefix(700).write(to: url)
    let error = #expect(throws: DICOMError.self) {
      try DICOMStudy(StudyFolder(folder.path), threads: 2)
    }
    #expect(error?.reason == .bytes)
    #expect(error?.description.hasPrefix("file 3 of 8: ") ?? false)
    #expect(error?.confidentialPlace == "\(folder.path)/a/\(names[2])")
  }

  @Test func foldersWithoutImages() throws {
    let folder = try TemporaryTree()
    #expect(throws: DICOMError.self) { try DICOMStudy(StudyFolder(folder.path), threads: 2) }
    #expect(throws: DICOMError.self) {
      try DICOMStudy(StudyFolder(folder.path + "/none"), threads: 2)
    }
  }

  @Test("A folder of studies is a cohort; series in folders of their own are one study")
  func cohorts() throws {
    let folder = try TemporaryTree()
    try folder.copy("ax_ct", as: "Canary^A/series")
    #expect(try StudyFolder.studies(in: folder.path).map(\.path) == [folder.path])
    try folder.copy("missing_slice", as: "Canary^B")
    let studies = try StudyFolder.studies(in: folder.path)
    #expect(studies.map(\.path) == ["Canary^A", "Canary^B"].map { "\(folder.path)/\($0)" })
    #expect(try DICOMStudy(studies[0], threads: 1).series().sliceCount == 8)
    let error = #expect(throws: DICOMError.self) {
      try DICOMStudy(studies[1], threads: 1).series()
    }
    #expect(error?.description.contains("Canary") == false)
    #expect(try StudyFolder.studies(in: Fixtures.folder + "/jpeg").isEmpty)
  }

  @Test func linksThatLeadBackAreFollowedOnce() throws {
    let folder = try TemporaryTree()
    try folder.copy("ax_ct", as: "a")
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.path)/a/back", withDestinationPath: folder.path)
    let study = try DICOMStudy(StudyFolder(folder.path), threads: 2)
    #expect(try study.series().sliceCount == 8)
  }

  @Test(
    "No text about the patient is in anything that is kept, whatever becomes of the file",
    arguments: ReferenceCase.names)
  func canaries(_ name: String) throws {
    let folder = try TemporaryTree()
    try folder.copy(name, as: "Canary^Path")
    let plantedCount = try folder.plantCanaries(in: "Canary^Path")
    if name == "ax_ct" {
      #expect(plantedCount == 8)
      #expect(try DICOMStudy(StudyFolder(folder.path), threads: 1).series().sliceCount == 8)
    }
    var text = ""
    do throws(DICOMError) {
      let study = try DICOMStudy(StudyFolder(folder.path), threads: 2)
      dump(study, to: &text)
      text += study.candidates.map(\.line).joined() + study.notices.joined()
      for candidate in study.candidates {
        switch candidate.series {
        case .success(let series): text += "\(series.warnings)"
        case .failure(let error): text += error.description
        }
      }
      // Paths are kept to open the files, and shown with --verbose only.
      text.replace("Canary^Path", with: "")
    } catch { text += error.description }
    #expect(!text.contains("CANARY") && !text.contains("Canary"))
    #expect(!text.contains(TemporaryTree.birthDate))
  }

  private static func study(_ name: String) throws -> DICOMStudy {
    try DICOMStudy(StudyFolder("\(ReferenceCase.folder)/\(name)/study"), threads: 2)
  }
}

/// A folder that goes with all that is in it.
final class TemporaryTree {
  static let birthDate = "19010203"

  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "dicom-test-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Copies the series of a reference case.
  func copy(_ name: String, as folder: String) throws {
    let parent = folder.split(separator: "/").dropLast().joined(separator: "/")
    try FileManager.default.createDirectory(
      atPath: "\(path)/\(parent)", withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      atPath: "\(ReferenceCase.folder)/\(name)/study", toPath: "\(path)/\(folder)")
  }

  /// Puts a name, a birth date and an ID into every little-endian file, behind the patient's group;
  /// returns into how many.
  func plantCanaries(in folder: String) throws -> Int {
    var count = 0
    let root = "\(path)/\(folder)"
    for name in FileManager.default.enumerator(atPath: root) ?? NSEnumerator() {
      guard let name = name as? String else { continue }
      let url = URL(fileURLWithPath: "\(root)/\(name)")
      guard let bytes = (try? Data(contentsOf: url)).map({ [UInt8]($0) }),
        let syntax = try? DICOMFile(Bytes(bytes))?.syntax.get(),
        syntax != .deflated, syntax != .explicitBigEndian,
        let place = Self.endOfPatientGroup(bytes, isExplicit: syntax.encoding.isExplicit)
      else { continue }
      let canaries = Self.canaries(isExplicit: syntax.encoding.isExplicit)
      try Data(bytes[..<place] + canaries + bytes[place...]).write(to: url)
      count += 1
    }
    return count
  }

  private static func canaries(isExplicit: Bool) -> [UInt8] {
    let elements: [(group: UInt8, element: [UInt8], representation: String, value: String)] = [
      (0x10, [0x20, 0x91], "LO", "CANARY^NAME "), (0x10, [0x31, 0x94], "DA", birthDate),
      (0x11, [0x10, 0x00], "LO", "CANARY-ID "),
    ]
    var bytes: [UInt8] = []
    for element in elements {
      bytes += [element.group, 0] + element.element
      if isExplicit { bytes += Array(element.representation.utf8) }
      bytes += [UInt8(element.value.utf8.count), 0]
      if !isExplicit { bytes += [0, 0] }
      bytes += Array(element.value.utf8)
    }
    return bytes
  }

  /// Where group 0018 or 0020 begins, one of which follows the patient's in all these files.
  private static func endOfPatientGroup(_ bytes: [UInt8], isExplicit: Bool) -> Int? {
    let starts: [[UInt8]] = [[0x18, 0, 0x23, 0], [0x18, 0, 0x50, 0], [0x20, 0, 0x0D, 0]]
    return bytes.indices.dropLast(8).first { index in
      starts.contains(Array(bytes[index..<index + 4]))
        && (!isExplicit || DataSetParser.hasRepresentation(Bytes(bytes), at: index + 4))
    }
  }
}
