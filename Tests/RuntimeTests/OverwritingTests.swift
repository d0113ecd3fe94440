import NPY
import Network
import SWTFormat
import TestSupport
import Testing

@testable import SWTRuntime

/// Convolutions that overwrite their input, and a stem that is computed again, in whole networks.
@Suite struct OverwritingTests {
  /// A model with random weights whose first stage has 3×3×3 kernels and 32 features.
  private static func model(like name: String) throws -> SWTFile {
    let folder = try TemporaryFolder()
    let source = folder.file("source.swt")
    let fixture = "\(Fixtures.folder)/checkpoints/\(name)"
    _ = try Command.run(
      "nnconvert",
      ["convert", try Fixtures.checkpoint(in: name), "--head", "\(fixture)/head.pth", "-o", source])
    var description = try SWTFile(contentsOf: source).description
    description.architecture.stages[0].features = 32
    description.architecture.stages[0].kernelSize = [3, 3, 3]
    if description.architecture.stemChannels != nil { description.architecture.stemChannels = 32 }
    let tensors = Graph(description).parameters.enumerated().map { index, parameter in
      SWTWriter.Tensor(parameter, dataType: .f32) { values in
        var numbers = TestNumbers(seed: UInt64(index) + 1)
        for place in values.indices { values[place] = numbers.next() * 0.2 }
      }
    }
    let path = folder.file("m.swt")
    _ = try SWTWriter.write(description, tensors: tensors, to: path, replacing: false)
    return try SWTFile(contentsOf: path)
  }

  @Test(arguments: ["plain3d__v2.8__float32", "resenc3d__v2.8__float32"], [1, 3])
  func overwritingChangesNoBit(name: String, threads: Int) throws {
    let parameters = ModelParameters(try Self.model(like: name))
    let channels = parameters.architecture.inputChannels
    let shape = [channels, 48, 40, 44]
    var numbers = TestNumbers(seed: 9)
    let input = numbers.array(shape.reduce(1, *))
    var byteCounts: [Int] = []
    var results: [[UInt32]] = []
    for overwrites in [false, true] {
      var choice = AlgorithmChoice(
        kernels: Kernels.available[0], threads: threads)
      choice.overwriting =
        overwrites
        ? Overwriting(smallestActivation: 0, tasksPerThread: 0)
        : Overwriting(smallestActivation: .max)
      let outputs = SessionOutputs(stages: [1], pooled: true, logits: true)
      let plan = try EncoderPlan(parameters, shape: shape, outputs: outputs, choice: choice)
      let session = try Session(
        SessionPlan(plan, inputShape: shape, outputs: outputs, threads: threads))
      // Twice: a run must leave nothing behind that the next one meets.
      try session.run(input)
      try session.run(input)
      let stages = session.features(ofStage: 1)?.values ?? []
      results.append(((session.logits ?? []) + stages).map(\.bitPattern))
      byteCounts.append(plan.arena.byteCount)
    }
    #expect(results[0] == results[1])
    #expect(byteCounts[1] < byteCounts[0])
  }
}
