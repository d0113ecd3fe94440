// SPDX-License-Identifier: Apache-2.0
import FileIO
import Pipeline
import Preprocessing

/// Where segmentations go: `-o` is a file for one case where it ends as one, else a folder.
struct SegmentationOutputs {
  /// Files that must not be replaced.
  let inputs: [MappedFile.Identity]
  private let path: String
  private let isFile: Bool
  /// nnU-Net's: the model's, where it is a NIfTI's.
  private let ending: String

  private static let endings = [".nii.gz", ".nii"]
  /// Of files that somebody may expect, and of no folder.
  private static let otherEndings: Set<String> = [
    "csv", "dcm", "gz", "hdr", "html", "img", "jpeg", "jpg", "json", "mgz", "mha", "nrrd", "npy",
    "npz", "pkl", "png",
    "pth", "swt", "tif", "tiff", "txt", "zip",
  ]

  /// Checks the place, and makes the folder.
  init(
    _ path: String, list: CaseList, ending: String?, inputs: [MappedFile.Identity]
  ) throws {
    self.path = path
    self.inputs = inputs
    self.ending = Self.endings.first { $0 == ending } ?? ".nii.gz"
    let endsAsFile = Self.endings.contains { path.lowercased().hasSuffix($0) }
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let other = name.lowercased().split(separator: ".").dropFirst().last.map(String.init)
    if let other, !endsAsFile, Self.otherEndings.contains(other), !Folder.exists(path) {
      throw InputError.output(
        path, problem: "ends in .\(other), but images are written as .nii.gz or .nii")
    }
    isFile = endsAsFile && list.entries.count == 1 && !Folder.exists(path)
    if isFile {
      try AtomicFile.check(path: path, inputs: inputs)
    } else {
      guard !endsAsFile || Folder.exists(path) else {
        throw InputError.output(path, problem: "is one file, but there are several cases")
      }
      try OutputFile.makeFolder(path)
    }
  }

  /// The label image of a case.
  func labels(of name: String) -> String { isFile ? path : "\(path)/\(name)\(ending)" }

  /// The probabilities of a case, beside its labels.
  func probabilities(of name: String) -> String {
    let labels = labels(of: name)
    let ending = Self.endings.first { labels.lowercased().hasSuffix($0) } ?? ""
    return labels.dropLast(ending.count) + ".npz"
  }

  /// Makes the folders that a case's name asks for.
  func makeFolder(for name: String) throws {
    if !isFile { try Folder.make(parentsOf: labels(of: name), below: path) }
  }
}

/// `--previous`: a file for one case, or a folder with one per case.
struct PreviousSegmentations {
  private let path: String

  init(_ path: String) { self.path = path }

  /// The file of a case.
  func file(of name: String) throws -> String {
    guard Folder.exists(path) else { return path }
    let candidates = [".nii.gz", ".nii"].map { "\(path)/\(name)\($0)" }
    guard let file = candidates.first(where: { MappedFile.identity(ofFileAt: $0) != nil }) else {
      throw InputError.cascade(
        "\(DisplayText.quoted(path)) holds no \(DisplayText.quoted("\(name).nii.gz"))")
    }
    return file
  }
}
