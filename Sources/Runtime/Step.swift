/// One step of a plan. Steps run one after the other; each is parallel inside.
protocol Step: Sendable {
  /// For people: which layer it is.
  var name: String { get }
  /// For people: how it is computed.
  var algorithm: String { get }
  /// Multiplications and additions of the plain algorithm; 0 for what only moves data.
  var flops: Double { get }
  /// Scratch floats that every thread needs.
  var workspaceCount: Int { get }

  /// Bytes of weights in a form of its own, beside the file's.
  var weightByteCount: Int { get }

  /// Makes ready what does not depend on the input; once, before the first run.
  func prepare()
  func run(_ context: RunContext)
}

extension Step {
  var algorithm: String { "" }
  var flops: Double { 0 }
  var workspaceCount: Int { 0 }
  var weightByteCount: Int { 0 }
  func prepare() {}
}
