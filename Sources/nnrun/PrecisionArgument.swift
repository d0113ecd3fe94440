// SPDX-License-Identifier: Apache-2.0
public import ArgumentParser
public import SWTRuntime

/// The numbers to compute with.
struct PrecisionArgument: ParsableArguments {
  @Option(
    help: "f32, or bf16 where the processor has it: faster in some layers, two to three digits.")
  var precision = Precision.f32

  func validate() throws {
    guard Machine.precisions.contains(precision) else {
      let error = RuntimeError(.precision(precision, instructionSet: Machine.instructionSet))
      throw ValidationError("\(error)")
    }
  }
}

extension Precision: ExpressibleByArgument {}
