// SPDX-License-Identifier: Apache-2.0
import FileIO
import TestSupport
import Testing

/// A network that was hardly trained, and scans of two classes that differ in the direction of stripes under noise,
/// which its frozen features do not tell apart.
struct StripedCohort {
  let folder: TemporaryFolder
  static let caseCount = 24

  /// Uniform numbers below 1, the same on every machine.
  private struct Noise {
    var state: UInt64

    mutating func next() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 11) * 0x1p-53
    }
  }

  /// A NIfTI-1 file of int16 voxels of 1 mm.
  private static func write(scan voxels: [Int16], sizes: [Int], to path: String) throws {
    var header = [UInt8](repeating: 0, count: 352)
    func put<Value>(_ value: Value, at offset: Int) {
      withUnsafeBytes(of: value) { header.replaceSubrange(offset..<offset + $0.count, with: $0) }
    }
    put(Int32(348), at: 0)
    for (axis, size) in ([3] + sizes + [1, 1, 1, 1]).enumerated() {
      put(Int16(size), at: 40 + 2 * axis)
      put(Float(1), at: 76 + 4 * axis)
    }
    put(Int16(4), at: 70)
    put(Int16(16), at: 72)
    put(Float(352), at: 108)
    put(Float(1), at: 112)
    put(Int16(1), at: 254)
    for axis in 0..<3 { put(Float(1), at: 280 + 20 * axis) }
    header.replaceSubrange(344..<348, with: Array("n+1".utf8) + [0])
    var file = try AtomicFile(path: path, replacing: true)
    try file.write(header + voxels.withUnsafeBytes { Array($0) })
    try file.commit()
  }

  func write(_ text: String, to name: String) throws {
    let path = folder.file(name)
    var file = try AtomicFile(path: path, replacing: true)
    try file.write(Array(text.utf8))
    try file.commit()
  }

  /// Writes the model, the scans and their table.
  init() throws {
    folder = try TemporaryFolder()
    let network = "\(Fixtures.folder)/training/gradients/plain3d_odd"
    let results = "\(network)/nnUNet_results/Dataset999_Tiny"
    let trainer = try #require(try Fixtures.names(in: results).first)
    let converted = try Command.run(
      "nnconvert",
      [
        "convert", "\(results)/\(trainer)/fold_0/checkpoint_final.pth", "-o",
        folder.file("m.swt"), "--quiet",
      ])
    #expect(converted.status == 0, "\(converted.errors)")
    var noise = Noise(state: 1)
    var table = "case,file,label,patient\n"
    for index in 0..<Self.caseCount {
      let isFirst = index % 2 == 0
      let shift = noise.next() < 0.5 ? 0 : 1
      var voxels: [Int16] = []
      for _ in 0..<12 {
        for y in 0..<16 {
          for x in 0..<12 {
            let stripe = ((isFirst ? x : y) + shift) % 2 == 0 ? 1.0 : -1
            let sum = (0..<12).reduce(-6.0) { sum, _ in sum + noise.next() }
            voxels.append(Int16(100 * (stripe + sum)))
          }
        }
      }
      try Self.write(scan: voxels, sizes: [12, 16, 12], to: folder.file("c\(index).nii"))
      table += "c\(index),c\(index).nii,\(isFirst ? "across" : "along"),p\(index)\n"
    }
    try write(table, to: "cases.csv")
  }

  /// What `finetune` is called with.
  func arguments(_ output: String, _ more: [String] = []) -> [String] {
    [
      "finetune", folder.file("m.swt"), folder.file("cases.csv"), "-o", folder.file(output),
      "--unfreeze", "2", "--views", "1", "--epochs", "10", "--lr", "1e-2", "--cv", "2",
      "--pooling", "mean", "--threads", "2", "--cache", folder.file("features.npy"), "--json",
    ] + more
  }

  func train(_ output: String, _ more: [String] = []) throws -> CommandResult {
    try Command.run("nntrain", arguments(output, more))
  }
}
