import SWTRuntime

/// Runs cases one after the other, with one session as long as their shape stays the same.
final class SessionCache {
  private let model: Model
  private let outputs: SessionOutputs
  private let threads: Int?
  private var session: Session?

  init(model: Model, outputs: SessionOutputs, threads: Int?) {
    self.model = model
    self.outputs = outputs
    self.threads = threads
  }

  /// Runs a case and returns the session that holds its results.
  func run(_ item: InputArrays.Case) throws -> Session {
    let session = try self.session(for: item.shape)
    var failure: RuntimeError?
    item.values.withUnsafeBufferPointer { values in
      do throws(RuntimeError) { try session.run(values) } catch { failure = error }
    }
    if let failure { throw failure }
    return session
  }

  private func session(for shape: [Int]) throws -> Session {
    if let session, session.inputShape == shape { return session }
    // The old session's memory goes before the new one's comes.
    session = nil
    let new = try model.makeSession(inputShape: shape, outputs: outputs, threads: threads)
    session = new
    return new
  }
}
