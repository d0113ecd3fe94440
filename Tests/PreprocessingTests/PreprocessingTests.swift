// SPDX-License-Identifier: Apache-2.0
import FileIO
import NPY
import SWTFormat
import TestSupport
import Testing

@testable import Preprocessing

/// The arrays come from nnU-Net's own `DefaultPreprocessor`.
@Suite struct PreprocessorTests {
  private static let scans = "\(Fixtures.folder)/preprocessing/scans"

  private func json(_ path: String) throws -> JSONValue {
    try JSONParser.parse(MappedFile(path: path).bytes, allowingPythonNonFinite: true)
  }

  private func expectEqual(
    _ result: PreparedImage, _ expected: NPYArray, json: JSONValue, within bound: Double
  ) throws {
    #expect(result.shape == expected.shape)
    let boxes = try #require(json["bbox"]?.array).map { $0.array?.compactMap(\.integer) ?? [] }
    #expect(result.geometry.cropBox.map { [$0.lowerBound, $0.upperBound] } == boxes)
    let difference = Difference(result.values, expected.values)
    // float32 tells large values apart less finely.
    #expect(difference.absolute < max(bound, 1e-6 * difference.largest))
  }

  /// From files: spacings, orientations, number types, plans of every kind.
  @Test(arguments: (try? Fixtures.names(in: scans)) ?? ["missing"])
  func scanAgreesWithNNUNet(_ name: String) throws {
    let folder = "\(Self.scans)/\(name)"
    let json = try json("\(folder)/case.json")
    let preprocessor = try Preprocessor(
      description: PreprocessingCase.description(json), threads: 2)
    let files = try #require(json["files"]?.array).compactMap(\.string).map { "\(folder)/\($0)" }
    var scan = try preprocessor.read(files: files)
    let channels = scan.takeChannels()
    let geometry = try preprocessor.geometry(of: channels)
    let result = try preprocessor.prepare(
      channels: channels, geometry: geometry, tellsNonzero: true)
    try expectEqual(
      result, try NPYArray(contentsOf: "\(folder)/expected.npy"), json: json, within: 2e-5)
    // Where nnU-Net's segmentation is not -1; no file where that is everywhere.
    let golden = "\(folder)/nonzero.npy"
    let nonzero = try #require(result.nonzero)
    if MappedFile.identity(ofFileAt: golden) != nil {
      let inside = try NPYIntegers(bytes: MappedFile(path: golden).bytes)
      #expect(nonzero == inside.values.map { Float($0) })
    } else if name != "not_resampled" {
      // There the golden's labels are resampled, and the image is not.
      #expect(!nonzero.contains(0))
    }
  }

  /// From memory, without files.
  @Test(arguments: 0..<4)
  func arrayAgreesWithNNUNet(_ number: Int) throws {
    let folder = "\(Fixtures.folder)/preprocessing"
    let json = try json("\(folder)/case\(number).json")
    let input = try NPYArray(contentsOf: "\(folder)/case\(number)_input.npy")
    let spacing = try #require(json["spacing"]?.array).compactMap(\.double)
    let preprocessor = try Preprocessor(
      description: PreprocessingCase.description(json), threads: 2)
    let size = input.shape.dropFirst().reduce(1, *)
    let channels = try (0..<input.shape[0]).map {
      try Volume(
        shape: Array(input.shape.dropFirst()), spacing: spacing,
        values: Array(input.values[$0 * size..<($0 + 1) * size]))
    }
    let result = try preprocessor.prepare(channels: channels)
    try expectEqual(
      result, try NPYArray(contentsOf: "\(folder)/case\(number)_output.npy"), json: json,
      within: 5e-6)
  }

  @Test func theResultDoesNotDependOnTheNumberOfThreads() throws {
    let folder = "\(Self.scans)/masked_z_score_with_holes"
    let json = try json("\(folder)/case.json")
    let files = ["\(folder)/scan_0000.nii.gz", "\(folder)/scan_0001.nii.gz"]
    let results = try [1, 2, 5].map { threads in
      let preprocessor = try Preprocessor(
        description: PreprocessingCase.description(json), threads: threads)
      return try preprocessor.prepare(channels: preprocessor.read(files: files).channels).values
    }
    #expect(results[0] == results[1] && results[1] == results[2])
  }

  @Test func refusesChannelsThatDoNotFit() throws {
    let json = try json("\(Self.scans)/masked_z_score_with_holes/case.json")
    let preprocessor = try Preprocessor(description: PreprocessingCase.description(json))
    func volume(_ shape: [Int], _ spacing: [Double]) throws -> Volume {
      try Volume(
        shape: shape, spacing: spacing, values: [Float](repeating: 1, count: shape.reduce(1, *)))
    }
    let first = try volume([4, 5, 6], [1, 1, 1])
    for (other, word) in [
      (nil, "2 (0, 1)"), (try volume([4, 5, 7], [1, 1, 1]), "[4, 5, 7]"),
      (try volume([4, 5, 6], [1, 1, 2]), "[1.0, 1.0, 2.0]"),
    ] {
      let error = #expect(throws: PreprocessingError.self) {
        try preprocessor.prepare(channels: [first] + [other].compactMap { $0 })
      }
      #expect("\(try #require(error))".contains(word))
    }
  }

  /// A few voxels that claim to be a metre wide would fill the memory.
  @Test(arguments: [[1000.0, 1000, 1000], [1, 1e6, 1e6], [1e-9, 1, 1], [1e300, 1, 1]])
  func refusesSpacingsThatNoScannerHas(spacing: [Double]) throws {
    let json = try json("\(Self.scans)/isotropic/case.json")
    let preprocessor = try Preprocessor(description: PreprocessingCase.description(json))
    let scan = try Volume(
      shape: [4, 4, 4], spacing: spacing, values: [Float](repeating: 1, count: 64))
    let error = #expect(throws: PreprocessingError.self) {
      try preprocessor.geometry(of: [scan])
    }
    #expect("\(try #require(error))".contains("is the spacing in mm?"))
  }

  @Test(arguments: [
    ("preprocessor_name", "CustomPreprocessor"), ("resampling_fn_data", "my_resampling"),
    ("normalization_schemes", "MyNormalization"), ("image_reader_writer", "Tiff3DIO"),
  ])
  func refusesByNameWhatIsNotHere(field: String, value: String) throws {
    var description = PreprocessingCase.description(
      try json("\(Self.scans)/isotropic/case.json"))
    switch field {
    case "preprocessor_name": description.preprocessorName = value
    case "resampling_fn_data": description.resamplingData.function = value
    case "normalization_schemes": description.channels[0].normalizationScheme = value
    default: description.imageReaderWriter = value
    }
    let error = #expect(throws: PreprocessingError.self) {
      try Preprocessor(description: description)
        .read(files: ["\(Self.scans)/isotropic/scan_0000.nii.gz"])
    }
    let message = "\(try #require(error))"
    #expect(message.contains(field) && message.contains(value))
  }
}

/// The region of nonzero voxels and its holes, on shapes where they can go wrong.
@Suite struct NonzeroRegionTests {
  private func region(_ shape: [Int]) -> NonzeroRegion { NonzeroRegion(shape: shape, threads: 3) }

  /// What is outside, found voxel by voxel from the border.
  private func reference(_ values: [Float], _ shape: [Int]) -> [Bool] {
    var inside = [Bool](repeating: true, count: values.count)
    var changed = true
    while changed {
      changed = false
      for index in values.indices where inside[index] && values[index] == 0 {
        let place = [index / (shape[1] * shape[2]), index / shape[2] % shape[1], index % shape[2]]
        let steps = [shape[1] * shape[2], shape[2], 1]
        let leaks = (0..<3).contains { axis in
          place[axis] == 0 || place[axis] == shape[axis] - 1 || !inside[index - steps[axis]]
            || !inside[index + steps[axis]]
        }
        if leaks {
          inside[index] = false
          changed = true
        }
      }
    }
    return inside
  }

  @Test(arguments: [[5, 6, 7], [1, 9, 9], [8, 1, 5], [9, 9, 1]], [0.1, 0.4, 0.6, 0.9])
  func maskIsWhatIsNotReachedFromTheBorder(shape: [Int], share: Double) {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<20 {
      let values = (0..<shape.reduce(1, *)).map { _ in
        Double.random(in: 0..<1, using: &random) < share ? Float(1) : 0
      }
      #expect(region(shape).mask(of: [values]) == reference(values, shape))
    }
  }

  @Test func boxSpansAllChannelsAndCountsNaN() {
    var first = [Float](repeating: 0, count: 4 * 5 * 6)
    var second = first
    first[(1 * 5 + 2) * 6 + 3] = 1
    second[(2 * 5 + 4) * 6 + 1] = .nan
    #expect(region([4, 5, 6]).box(of: [first, second]) == [1..<3, 2..<5, 1..<4])
    let zeros = [Float](repeating: 0, count: 120)
    #expect(region([4, 5, 6]).box(of: [zeros]) == [0..<4, 0..<5, 0..<6])
  }
}
