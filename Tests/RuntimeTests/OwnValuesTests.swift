// SPDX-License-Identifier: Apache-2.0
import FileIO
import Network
import SWTFormat
import TestSupport
import Testing

@testable import SWTRuntime

/// A session may bring its own values for parameters, as training does.
@Suite struct OwnValuesTests {
  private static let networks: [NetworkArchitecture.NetworkClass] = [
    .plainConvUNet, .residualEncoderUNet,
  ]
  private static let shape = [1, 8, 12, 20]

  private static func model(
    _ network: NetworkArchitecture.NetworkClass, seed: UInt64
  ) throws -> Model {
    try Models.random(
      Models.description(Models.architecture(network, features: [20, 40]), classes: 2), seed: seed)
  }

  /// The logits of a model, with its values or others.
  private static func logits(
    _ model: Model, own values: [String: [Float]] = [:]
  ) throws -> [UInt32] {
    var numbers = TestNumbers(seed: 9)
    let program = try model.program(
      inputShape: shape, outputs: SessionOutputs(logits: true),
      target: Target(kernels: Kernels.available[0], threads: 2), ownValues: values)
    let session = try Session(program)
    try session.run(numbers.array(shape.reduce(1, *)))
    return try #require(session.logits).map(\.bitPattern)
  }

  @Test(arguments: networks)
  func withAllValuesOfAnotherModelItIsThatModel(
    network: NetworkArchitecture.NetworkClass
  ) throws {
    let (model, other) = try (Self.model(network, seed: 1), Self.model(network, seed: 2))
    let before = try Self.logits(model)
    var values: [String: [Float]] = [:]
    for parameter in model.graph.parameters {
      values[parameter.name] = other.values(ofTensor: parameter.name)
    }
    let found = try Self.logits(model, own: values)
    #expect(found == (try Self.logits(other)))
    #expect(found != before)
    // What sessions of the model share is still the file's.
    #expect(try Self.logits(model) == before)
  }

  @Test(arguments: networks)
  func oneParameterAloneCounts(network: NetworkArchitecture.NetworkClass) throws {
    let model = try Self.model(network, seed: 1)
    let parameter = try #require(model.graph.parameters.first { $0.role != .perChannel })
    let values = try #require(model.values(ofTensor: parameter.name))
    #expect(try Self.logits(model, own: [parameter.name: values]) == Self.logits(model))
    let negated = values.map { -$0 }
    #expect(try Self.logits(model, own: [parameter.name: negated]) != Self.logits(model))
  }
}
