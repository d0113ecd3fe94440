// SPDX-License-Identifier: Apache-2.0
import CKernels
import SWTFormat
import TestSupport
import Testing

@testable import SWTRuntime

/// The self-test has to notice kernels that compute something else, above all what is not a number.
struct SelfTestTests {
  /// A kernel that gives the right values but for one NaN.
  enum Mutant: String, CaseIterable, CustomTestStringConvertible {
    case direct, activate, winogradRow, winogradInput, winogradProducts, winogradOutput, add
    case average, sum

    var testDescription: String { rawValue }

    private static var right: nn_kernels { Kernels.available[0].pointee }

    func change(_ kernels: inout nn_kernels) {
      switch self {
      case .direct:
        kernels.direct = {
          Self.right.direct($0)
          $0.pointee.output[0] = .nan
        }
      case .activate:
        kernels.activate = {
          Self.right.activate($0, $1, $2, $3)
          $2[0] = .nan
        }
      case .winogradRow:
        kernels.winograd_row = {
          Self.right.winograd_row($0)
          $0.pointee.output[0] = .nan
        }
      case .winogradInput:
        kernels.winograd_input = {
          Self.right.winograd_input($0)
          $0.pointee.target[0] = .nan
        }
      case .winogradProducts:
        kernels.winograd_products = {
          Self.right.winograd_products($0)
          $0.pointee.target[0] = .nan
        }
      case .winogradOutput:
        kernels.winograd_output = {
          Self.right.winograd_output($0)
          $0.pointee.target[0] = .nan
        }
      case .add:
        kernels.add = {
          Self.right.add($0, $1, $2, $3, $4, $5, $6)
          $4[0] = .nan
        }
      case .average:
        kernels.average = {
          Self.right.average($0)
          $0.pointee.target[0] = .nan
        }
      case .sum:
        kernels.activated_sum = {
          Self.right.activated_sum($0, $1, $2, $3)
          $3[0] = .nan
        }
      }
    }
  }

  private static let model = Result {
    let folder = try TemporaryFolder()
    let path = folder.file("m.swt")
    _ = try Command.run("nnconvert", ["convert", Fixtures.exampleCheckpoint, "-o", path])
    return try Model(contentsOf: path)
  }

  @Test(arguments: Kernels.available.map(\.name))
  func passesTheKernelsThereAre(isa: String) throws {
    let kernels = try #require(Kernels.available.first { $0.name == isa })
    let checks = try SelfTest(Self.model.get(), kernels: kernels, threads: 2).run()
    #expect(checks.count > 4)
    for check in checks { #expect(check.isPassed, "\(check)") }
  }

  @Test(arguments: Mutant.allCases)
  func failsAKernelThatGivesANaN(mutant: Mutant) throws {
    let table = UnsafeMutablePointer<nn_kernels>.allocate(capacity: 1)
    defer { table.deallocate() }
    table.initialize(to: Kernels.available[0].pointee)
    mutant.change(&table.pointee)
    let checks = try SelfTest(Self.model.get(), kernels: Kernels(table), threads: 2).run()
    #expect(checks.contains { !$0.isPassed })
  }

  private static let transformer = Result {
    let folder = try TemporaryFolder()
    let path = folder.file("m.swt")
    let checkpoint = "\(Fixtures.folder)/primus/v1_noabs/checkpoint_final.pth"
    _ = try Command.run("nnconvert", ["convert", checkpoint, "-o", path])
    return try Model(contentsOf: path)
  }

  @Test(arguments: Kernels.available.map(\.name))
  func passesTheKernelsOfTransformers(isa: String) throws {
    let kernels = try #require(Kernels.available.first { $0.name == isa })
    let checks = try SelfTest(Self.transformer.get(), kernels: kernels, threads: 2).run()
    for word in ["matrix product", "layer norm", "attention"] {
      #expect(checks.contains { $0.name.contains(word) })
    }
    for check in checks { #expect(check.isPassed, "\(check)") }
  }

  @Test(arguments: 0..<3)
  func failsAKernelOfTransformersThatGivesANaN(index: Int) throws {
    let table = UnsafeMutablePointer<nn_kernels>.allocate(capacity: 1)
    defer { table.deallocate() }
    table.initialize(to: Kernels.available[0].pointee)
    switch index {
    case 0:
      table.pointee.matrix_product = {
        Kernels.available[0].pointee.matrix_product($0)
        $0.pointee.target[0] = .nan
      }
    case 1:
      table.pointee.layer_norm = {
        Kernels.available[0].pointee.layer_norm($0)
        $0.pointee.target[0] = .nan
      }
    default:
      table.pointee.attention = {
        Kernels.available[0].pointee.attention($0)
        $0.pointee.target[0] = .nan
      }
    }
    let checks = try SelfTest(Self.transformer.get(), kernels: Kernels(table), threads: 2).run()
    #expect(checks.contains { !$0.isPassed })
  }
}
