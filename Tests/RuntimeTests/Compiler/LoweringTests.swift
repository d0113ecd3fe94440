// SPDX-License-Identifier: Apache-2.0
import SWTFormat
import Testing

@testable import SWTRuntime

@Suite struct LoweringTests {
  private static func program(
    _ networkClass: NetworkArchitecture.NetworkClass, outputs: SessionOutputs
  ) throws -> Program {
    let description = Models.description(
      Models.architecture(networkClass, features: [16, 32], channels: 1), classes: 3)
    let model = try Models.random(description, seed: 1)
    return try model.program(inputShape: [1, 8, 8, 8], outputs: outputs, threads: 1)
  }

  @Test func everyLayerIsOneInstructionInItsOrder() throws {
    let program = try Self.program(.plainConvUNet, outputs: SessionOutputs(logits: true))
    let names = program.instructions.map(\.name)
    #expect(names.first == "encoder.stages.0.0.convs.0")
    #expect(Set(names).count == names.count)
    #expect(
      names.suffix(2) == ["pool", "classifier"] || names.last?.contains("classifier") == true)
  }

  @Test func onlyWhatIsAskedForIsCompiled() throws {
    let first = try Self.program(
      .plainConvUNet, outputs: SessionOutputs(stages: [0], pooled: false))
    #expect(first.instructions.allSatisfy { !$0.name.hasPrefix("encoder.stages.1") })
    #expect(first.stages[0]?.shape == [16, 8, 8, 8])
    #expect(first.pooled == nil && first.logits == nil)
  }

  @Test(arguments: [NetworkArchitecture.NetworkClass.plainConvUNet, .residualEncoderUNet])
  func instructionsNameEveryBufferThatTheyTouch(
    networkClass: NetworkArchitecture.NetworkClass
  ) throws {
    let program = try Self.program(
      networkClass, outputs: SessionOutputs(stages: [1], pooled: true, logits: true))
    // What no instruction names has no lifetime, and would lie anywhere.
    let constants = Set(program.buffers.constants.map(\.buffer))
    let named = Set(program.instructions.flatMap(\.buffers))
    for (index, lifetime) in program.lifetimes.enumerated() where lifetime == nil {
      let buffer = Buffer(index: index, count: program.buffers.counts[index])
      #expect(constants.contains(buffer) || !named.contains(buffer))
    }
    for output in [program.pooled, program.logits, program.stages[1]].compactMap({ $0 }) {
      #expect(program.lifetimes[output.buffer.index]?.upperBound == program.instructions.count)
    }
  }
}
