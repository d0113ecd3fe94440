// SPDX-License-Identifier: Apache-2.0
/// A training program with its memory: the forward pass gives pooled features, the backward pass takes their
/// gradient and adds to those of the parameters. For one thread at a time.
package final class TrainingSession {
  package let program: TrainingProgram
  private let memory: Memory
  /// The part of the input that features may be pooled of; the next passes', there and back.
  package var region: PoolingRegion?

  package init(_ program: TrainingProgram) throws(RuntimeError) {
    self.program = program
    memory = try Memory(program.layout)
    for constant in program.buffers.constants {
      memory[constant.buffer].update(from: constant.values, count: constant.values.count)
    }
    for instruction in program.forward + program.backward { instruction.prepare() }
  }

  /// Runs the stages on `input`, row-major as the program's `inputShape`, and gives the pooled features.
  ///
  /// - Throws: `RuntimeError`, or `notFinite`.
  package func forward(_ input: UnsafeBufferPointer<Float>) throws(RuntimeError) -> [Float] {
    let expected = program.inputShape.reduce(1, *)
    guard input.count == expected, let start = input.baseAddress else {
      throw RuntimeError(.elementCount(found: input.count, expected: expected))
    }
    run(program.forward, input: start)
    let pooled = UnsafeBufferPointer(
      start: memory[program.pooled], count: program.pooled.count)
    guard Finite.holds(pooled) else { throw RuntimeError(.notFinite("pooled features")) }
    return Array(pooled)
  }

  /// As the other, on an array's elements.
  package func forward(_ input: ArraySlice<Float>) throws(RuntimeError) -> [Float] {
    var result: Result<[Float], RuntimeError> = .success([])
    input.withUnsafeBufferPointer { values in
      result = Result { () throws(RuntimeError) in try forward(values) }
    }
    return try result.get()
  }

  /// Goes back through the stages of the last forward pass.
  ///
  /// - Parameter gradient: of the pooled features.
  package func backward(_ gradient: [Float]) {
    precondition(gradient.count == program.pooledGradient.count)
    memory[program.pooledGradient].update(from: gradient, count: gradient.count)
    // Nothing of the backward pass reads the caller's input.
    run(program.backward, input: memory[program.pooledGradient])
  }

  private func run(_ instructions: [any Instruction], input: UnsafePointer<Float>) {
    let context = RunContext(
      input: input, memory: memory, team: ThreadTeam(count: program.threads),
      workspace: program.workspace, workspaceStep: program.workspaceStep, region: region)
    for instruction in instructions { instruction.run(context) }
  }
}
