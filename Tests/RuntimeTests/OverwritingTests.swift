// SPDX-License-Identifier: Apache-2.0
import SWTFormat
import TestSupport
import Testing

@testable import SWTRuntime

/// Convolutions that overwrite their input, and a stem that is computed again, in whole networks.
@Suite struct OverwritingTests {
  @Test(
    arguments: [
      (NetworkArchitecture.NetworkClass.plainConvUNet, [20, 12, 16]),
      (.residualEncoderUNet, [20, 12, 16]), (.plainConvUNet, [28, 20]),
      (.residualEncoderUNet, [28, 20]),
    ], [1, 3])
  func overwritingChangesNoBit(
    network: (networkClass: NetworkArchitecture.NetworkClass, size: [Int]), threads: Int
  ) throws {
    let description = Models.description(
      Models.architecture(
        network.networkClass, features: [32, 32], channels: 2,
        kernelSize: network.size.map { _ in 3 }),
      classes: 3)
    let model = try Models.random(description, seed: 1)
    let shape = [2] + network.size
    var numbers = TestNumbers(seed: 9)
    let input = numbers.array(shape.reduce(1, *))
    var byteCounts: [Int] = []
    var results: [[UInt32]] = []
    for overwrites in [false, true] {
      var target = Target(kernels: Kernels.available[0], threads: threads)
      target.overwriting =
        overwrites
        ? OverwritingRule(smallestActivation: 0, tasksPerThread: 0)
        : OverwritingRule(smallestActivation: .max)
      let outputs = SessionOutputs(stages: [1], pooled: true, logits: true, segmentation: true)
      let program = try model.program(inputShape: shape, outputs: outputs, target: target)
      let overwriting = program.instructions.compactMap { $0 as? WinogradConvolution }.filter {
        layer in
        layer.operands.input.features.contains {
          $0.activation.buffer == layer.operands.output.buffer
        }
      }
      #expect(overwriting.isEmpty != overwrites)
      for checksMemory in [false, true] {
        let session = try Session(program, checksMemory: checksMemory)
        // Twice: a run must leave nothing behind that the next one meets.
        for _ in 0..<(checksMemory ? 1 : 2) { try session.run(input) }
        #expect(session.memoryFaults.isEmpty)
        let values =
          (session.logits ?? []) + (session.features(ofStage: 1)?.values ?? [])
          + (session.segmentation?.values ?? [])
        #expect(values.allSatisfy { $0.isFinite })
        results.append(values.map(\.bitPattern))
      }
      byteCounts.append(program.activationByteCount)
    }
    #expect(results.allSatisfy { $0 == results[0] })
    #expect(byteCounts[1] < byteCounts[0])
  }
}
