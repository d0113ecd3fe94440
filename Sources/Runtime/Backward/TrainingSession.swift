// SPDX-License-Identifier: Apache-2.0
/// A training program with its memory: the forward pass gives pooled features, the backward pass takes their
/// gradient and adds to those of the parameters. For one thread at a time.
package final class TrainingSession {
  package let program: TrainingProgram
  private let memory: Memory
  /// Of every case the part of the input that features may be pooled of; the next passes', there and back.
  private var regions: [PoolingRegion?] = []

  package init(_ program: TrainingProgram) throws(RuntimeError) {
    self.program = program
    memory = try Memory(program.layout)
    for number in 0..<program.caseCount {
      let memory = memory.ofCase(number)
      for constant in program.buffers.constants {
        memory[constant.buffer].update(from: constant.values, count: constant.values.count)
      }
    }
    for instruction in program.forward + program.backward { instruction.prepare() }
  }

  /// Takes a case's input, row-major as the program's `inputShape`; case 0 begins a new batch.
  package func load(
    _ input: ArraySlice<Float>, case number: Int, region: PoolingRegion? = nil
  ) throws(RuntimeError) {
    precondition(number < program.caseCount && number <= regions.count)
    let expected = program.inputShape.reduce(1, *)
    guard input.count == expected else {
      throw RuntimeError(.elementCount(found: input.count, expected: expected))
    }
    regions = regions.prefix(number) + [region]
    input.withUnsafeBufferPointer { values in
      guard let start = values.baseAddress else { return }
      program.input.run(context(number, input: start))
    }
  }

  /// Runs the stages on what was loaded, and gives every case's pooled features.
  ///
  /// - Throws: `notFinite`.
  package func forward() throws(RuntimeError) -> [[Float]] {
    run(program.forward)
    return try regions.indices.map { (number) throws(RuntimeError) in
      let pooled = UnsafeBufferPointer(
        start: memory.ofCase(number)[program.pooled], count: program.pooled.count)
      guard Finite.holds(pooled) else { throw RuntimeError(.notFinite("pooled features")) }
      return Array(pooled)
    }
  }

  /// Goes back through the stages of the last forward pass.
  ///
  /// - Parameter gradients: of every case's pooled features.
  package func backward(_ gradients: [[Float]]) {
    precondition(gradients.count == regions.count)
    for (number, gradient) in gradients.enumerated() {
      precondition(gradient.count == program.pooledGradient.count)
      memory.ofCase(number)[program.pooledGradient].update(from: gradient, count: gradient.count)
    }
    run(program.backward)
  }

  private func run(_ instructions: [any Instruction]) {
    // What was loaded is all that is read of the caller's.
    let cases = regions.indices.map { context($0, input: memory[program.pooled]) }
    for instruction in instructions { Self.run(instruction, cases) }
  }

  /// Case beside case where they share nothing and are enough for all threads: what is small is not worth sharing.
  private static func run(_ instruction: any Instruction, _ cases: [RunContext]) {
    if let joint = instruction as? any JointInstruction { return joint.run(cases) }
    guard let team = cases.first?.team, cases.count > 1, cases.count >= team.count else {
      for context in cases { instruction.run(context) }
      return
    }
    team.forEach(cases.count) { index, worker in
      instruction.run(cases[index].onOneThread(worker))
    }
  }

  private func context(_ number: Int, input: UnsafePointer<Float>) -> RunContext {
    RunContext(
      input: input, memory: memory.ofCase(number), team: ThreadTeam(count: program.threads),
      workspace: program.workspace, workspaceStep: program.workspaceStep, region: regions[number])
  }
}
