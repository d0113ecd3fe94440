// SPDX-License-Identifier: Apache-2.0
/// One instruction of a program. Instructions run one after the other; each is parallel inside.
protocol Instruction: Sendable {
  /// For people: which layer it is.
  var name: String { get }
  /// For people: how it is computed.
  var algorithm: String { get }
  /// Multiplications and additions of the plain algorithm; 0 for what only moves data.
  var flops: Double { get }
  /// All that it reads and writes: while it runs, nothing else lies there.
  var buffers: [Buffer] { get }
  /// Floats that every thread needs for itself.
  var workspaceCount: Int { get }
  /// Bytes of weights in a form of its own, beside the file's.
  var weightByteCount: Int { get }

  /// Makes ready what does not depend on the input; once, before the first run.
  func prepare()
  func run(_ context: RunContext)
}

/// An instruction that the cases of a batch go through together, since something is read or made once for all.
protocol JointInstruction: Instruction {
  /// Runs for the cases of a batch, which have memory of their own and share scratch memory and threads.
  func run(_ cases: [RunContext])
}

extension JointInstruction {
  func run(_ context: RunContext) { run([context]) }
}

extension Instruction {
  var algorithm: String { "" }
  var flops: Double { 0 }
  var workspaceCount: Int { 0 }
  var weightByteCount: Int { 0 }
  func prepare() {}
}

/// What an instruction has at hand while a program runs.
struct RunContext {
  /// The caller's input, `[channels][z][y][x]`; valid during the run only.
  let input: UnsafePointer<Float>
  let memory: Memory
  var team: ThreadTeam
  /// `workspaceStep` floats for every worker.
  let workspace: Buffer
  let workspaceStep: Int
  /// The part of the input that features may be pooled of.
  var region: PoolingRegion?
  /// Which of all threads the team's first one is.
  private var firstWorker = 0

  init(
    input: UnsafePointer<Float>, memory: Memory, team: ThreadTeam, workspace: Buffer,
    workspaceStep: Int, region: PoolingRegion? = nil
  ) {
    self.input = input
    self.memory = memory
    self.team = team
    self.workspace = workspace
    self.workspaceStep = workspaceStep
    self.region = region
  }

  /// What a worker has for itself; on a 256-byte boundary.
  func workspace(of worker: Int) -> UnsafeMutablePointer<Float> {
    memory[workspace] + (firstWorker + worker) * workspaceStep
  }

  /// The same on one of the threads alone.
  func onOneThread(_ worker: Int) -> RunContext {
    var context = self
    context.team = ThreadTeam(count: 1)
    context.firstWorker = worker
    return context
  }
}
