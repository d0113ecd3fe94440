// SPDX-License-Identifier: Apache-2.0
import NPY
import SWTFormat
import TestSupport
import Testing

@testable import SWTRuntime

/// Whole networks against what PyTorch gave for the same input.
@Suite struct GoldenTests {
  private static let version1 = "plain3d__v1__float32"

  private static func model(_ name: String) throws -> Model {
    let folder = try TemporaryFolder()
    let path = folder.file("m.swt")
    let checkpoint =
      name == Self.version1
      ? "\(Fixtures.folder)/checkpoints/\(name)/nnUNet" : try Fixtures.checkpoint(in: name)
    let result = try Command.run(
      "nnconvert", ["convert", checkpoint, "--part", "network", "-o", path])
    try #require(result.status == 0, "\(result.errors)")
    return try Model(contentsOf: path)
  }

  private static func array(_ name: String, of fixture: String) throws -> NPYArray {
    try NPYArray(contentsOf: "\(Fixtures.folder)/checkpoints/\(fixture)/\(name).npy")
  }

  @Test func aSizeThatTheDecoderCannotRestoreIsRefused() throws {
    let model = try Self.model("plain3d__v2.8__float32__sp9,13,11")
    let error = #expect(throws: RuntimeError.self) {
      try model.program(
        inputShape: [2, 9, 13, 11], outputs: SessionOutputs(segmentation: true))
    }
    #expect(error.map { "\($0)".contains("divisible by") } == true)
  }

  /// Every skip, the pooled features and the segmentation's logits, on every instruction set, with memory
  /// that is checked.
  @Test(arguments: Fixtures.checkpointNames + [version1])
  func resultsAreThoseOfPyTorch(name: String) throws {
    let model = try Self.model(name)
    let input = try Self.array("input", of: name)
    let isHalf = name.contains("float16")
    let tolerance = isHalf ? 1e-2 : 1e-4
    let shape = Array(input.shape.suffix(model.description.architecture.dimension + 1))
    let stages = model.description.architecture.stages.indices
    let scale = model.description.architecture.totalStride
    // A decoder gives its input's size only where all strides divide it.
    let hasSegmentation = zip(shape.dropFirst(), scale).allSatisfy { $0 % $1 == 0 }
    for kernels in Kernels.available {
      for threads in [1, 2] {
        let program = try model.program(
          inputShape: shape,
          outputs: SessionOutputs(stages: Set(stages), pooled: true, segmentation: hasSegmentation),
          target: Target(kernels: kernels, threads: threads))
        let session = try Session(program, checksMemory: true)
        try session.run(input.values)
        #expect(session.memoryFaults.isEmpty)
        func expect(_ found: [Float]?, _ golden: String) throws {
          let difference = Difference(found ?? [], try Self.array(golden, of: name).values)
          #expect(difference.relative <= tolerance, "\(golden), \(kernels.name): \(difference)")
        }
        for stage in stages {
          try expect(session.features(ofStage: stage)?.values, "skip_\(stage)")
        }
        try expect(session.pooled, "pooled")
        if hasSegmentation { try expect(session.segmentation?.values, "seg_logits") }
      }
    }
  }

  /// Plane by plane the segmentation's logits are those of a run that gives them whole.
  @Test(arguments: ["plain3d__v2.8__float32", "plain2d__v2.8__float32"])
  func slabsOfLogitsAreTheWhole(name: String) throws {
    let model = try Self.model(name)
    let architecture = model.description.architecture
    let shape = [architecture.inputChannels] + architecture.totalStride.map { $0 * 3 }
    let input = (0..<shape.reduce(1, *)).map { index in Float(index * 29 % 97) / 48 - 1 }
    let whole = try model.makeSession(
      inputShape: shape, outputs: SessionOutputs(pooled: false, segmentation: true), threads: 2)
    try whole.run(input)
    let expected = try #require(whole.segmentation)
    var outputs = SessionOutputs(pooled: false)
    outputs.segmentationSlabs = true
    let target = Target(kernels: try Kernels.chosen(), threads: 2)
    let program = try model.program(inputShape: shape, outputs: outputs, target: target)
    #expect(program.flops > 0)
    let session = try Session(program, checksMemory: true)
    try session.run(input)
    let found = session.segmentationOfSlabs(shape: expected.shape)
    #expect(session.memoryFaults.isEmpty)
    #expect(Difference(found, expected.values).relative <= 1e-6)
  }
}
