// SPDX-License-Identifier: Apache-2.0
import Foundation
import Preprocessing
import TestSupport
import Testing

/// Models whose plans ask for odd grids, with scans of odd ones: every pair works, or is refused soon and in
/// little memory. (`FuzzScan` tries what nobody thinks of.)
@Suite struct OddPairTests {
  private static let models: [(name: String, spacing: [Double])] = [
    ("plain", [1, 1, 1]), ("fine", [0.01, 0.01, 0.01]), ("coarse", [900, 900, 900]),
    ("thin", [1e-3, 1, 1]), ("none", [1e-300, 1, 1]),
  ]
  /// Shapes `[z, y, x]`, and one spacing for all axes.
  private static let scans: [(name: String, shape: [Int], spacing: Double)] = [
    ("point", [1, 1, 1], 1), ("metres", [300, 2, 2], 1_000), ("micrometres", [40, 40, 40], 1e-3),
    ("plate", [1, 300, 300], 1), ("kilometres", [3, 3, 3], 1e5), ("dust", [3, 3, 3], 1e-20),
  ]

  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for scan in Self.scans {
      let count = scan.shape.reduce(1, *)
      let affine = (0..<3).map { row in
        (0..<3).map { $0 == row ? scan.spacing : 0 } + [0]
      }
      let place = ScanGeometry(
        shape: scan.shape, spacing: [Double](repeating: scan.spacing, count: 3), affine: affine,
        reader: .simpleITK)
      try NIfTIWriter(geometry: place).write(
        map: (0..<count).map { Float($0 % 97 + 1) }, to: folder.file("\(scan.name).nii"))
    }
  }

  @Test(arguments: models)
  func worksOrIsRefusedSoon(_ model: (name: String, spacing: [Double])) throws {
    let plans = URL(fileURLWithPath: "\(Fixtures.exampleModelFolder)/plans.json")
    var settings = try #require(
      JSONSerialization.jsonObject(with: Data(contentsOf: plans)) as? [String: Any])
    var configurations = try #require(settings["configurations"] as? [String: Any])
    var configuration = try #require(configurations["3d_fullres"] as? [String: Any])
    configuration["spacing"] = model.spacing
    configurations["3d_fullres"] = configuration
    settings["configurations"] = configurations
    let changed = folder.file("plans.json")
    try JSONSerialization.data(withJSONObject: settings).write(to: URL(fileURLWithPath: changed))
    let path = folder.file("\(model.name).swt")
    let converted = try Command.run(
      "nnconvert",
      [
        "convert", Fixtures.exampleCheckpoint, "--plans", changed, "--configuration", "3d_fullres",
        "-o", path,
      ])
    guard converted.status == 0 else {
      #expect(converted.status == 65, "\(converted.errors)")
      return
    }
    for scan in Self.scans {
      let file = folder.file("\(scan.name).nii")
      for verb in [["preprocess", "-o", folder.file("o.npy")], ["plan"]] {
        let cost = try #require(Command.cost("nnrun", verb + [path, file]))
        #expect(cost.status == 0 || cost.status == 65, "\(scan.name), \(verb[0])")
        if cost.status != 0 {
          #expect(cost.seconds < 1, "\(scan.name), \(verb[0])")
          #expect(cost.peakByteCount < 256_000_000, "\(scan.name), \(verb[0])")
        }
      }
    }
  }
}
