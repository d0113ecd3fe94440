// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import SWTFormat
internal import SWTRuntime

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// How far fine-tuning has come, in a file: an interrupted run loses an epoch at most. The file is a JSON with its
/// length before it, and the numbers of what is being trained behind it.
package struct FineTuningState {
  private let path: String
  /// What the run is made of; a state of another one is not taken.
  private let fingerprint: String
  /// Of every fold that is done.
  private var parts: [Int: FineTuning.Part] = [:]
  /// Of every part how many epochs were best inside it.
  private var bestEpochs: [Int: Int] = [:]
  private var current: (part: Int, isInner: Bool, progress: FineTuningRun.Progress)?

  /// A state that is written to `path` after every epoch.
  package init(path: String, fingerprint: String) {
    self.path = path
    self.fingerprint = fingerprint
  }

  /// What of a run is known before its cases are prepared.
  package struct Outline {
    /// Of every case the fold that it is left out in.
    package let folds: [Int]
    package let foldCount: Int
    package let classCount: Int
    package let epochs: Int
    package let batchSize: Int
    /// Whether these can be all numbers that are trained.
    package let takes: ([[Float]]) throws -> Bool

    package init(
      folds: [Int], foldCount: Int, classCount: Int, epochs: Int, batchSize: Int,
      takes: @escaping ([[Float]]) throws -> Bool
    ) {
      self.folds = folds
      self.foldCount = foldCount
      self.classCount = classCount
      self.epochs = epochs
      self.batchSize = batchSize
      self.takes = takes
    }
  }

  /// Holds what an earlier run left against what is known of this one, so that a state that cannot be its is refused at
  /// once.
  ///
  /// - Throws: `TrainingError.state` where it cannot be.
  package func check(_ outline: Outline) throws {
    let outside = { (fold: Int) in outline.folds.count { $0 != fold } }
    for fold in parts.keys {
      guard (0..<outline.foldCount).contains(fold) else { throw damaged }
      _ = try part(
        fold, cases: outline.folds.count - outside(fold), classes: outline.classCount,
        epochs: outline.epochs)
    }
    for part in bestEpochs.keys {
      guard (0...outline.foldCount).contains(part) else { throw damaged }
      _ = try bestEpochs(of: part, epochs: outline.epochs)
    }
    guard let (part, isInner, progress) = current else { return }
    let stepsPerEpoch = (outside(part) + outline.batchSize - 1) / outline.batchSize
    let optimizer = progress.optimizer
    guard (0...outline.foldCount).contains(part), parts[part] == nil,
      progress.isPossible(epochs: outline.epochs, isValidated: isInner),
      optimizer.stepCounts.allSatisfy((0...progress.epoch * stepsPerEpoch).contains),
      (progress.values + optimizer.first + optimizer.second).allSatisfy({
        $0.withUnsafeBufferPointer(Finite.holds)
      }),
      [optimizer.first, optimizer.second].allSatisfy({ stored in
        zip(stored, progress.values).allSatisfy { $0.isEmpty || $0.count == $1.count }
      }),
      try outline.takes(progress.values)
    else { throw damaged }
  }

  /// Where a run was interrupted, which is not held any longer; `nil` where it has not begun.
  ///
  /// - Throws: `TrainingError.state` where it is not this run's.
  mutating func progress(
    of run: FineTuningRun, epochs: Int, part: Int, isInner: Bool
  ) throws(TrainingError) -> FineTuningRun.Progress? {
    guard let current, current.part == part, current.isInner == isInner else { return nil }
    guard run.canGoOn(from: current.progress, epochs: epochs, isValidated: isInner) else {
      throw damaged
    }
    self.current = nil
    return current.progress
  }

  /// Bytes of what an earlier run was training.
  package var byteCount: Int {
    guard let optimizer = current?.progress.optimizer, let values = current?.progress.values
    else { return 0 }
    return (values + optimizer.first + optimizer.second)
      .reduce(0) { $0 + $1.count * MemoryLayout<Float>.stride }
  }

  /// What is known of a part that is done.
  ///
  /// - Throws: `TrainingError.state` where it is not of so many cases, classes and epochs.
  func part(
    _ part: Int, cases: Int, classes: Int, epochs: Int
  ) throws(TrainingError) -> FineTuning.Part? {
    guard let known = parts[part] else { return nil }
    let isEmpty = known.epochs == 0
    guard (0...epochs).contains(known.epochs), isEmpty || known.distances.count == cases,
      isEmpty || (known.logits.rows, known.logits.columns) == (cases, classes),
      (known.logits.values + known.distances).allSatisfy(\.isFinite)
    else { throw damaged }
    return known
  }

  /// How many epochs were best inside a part.
  ///
  /// - Throws: `TrainingError.state` where they are more than there are.
  func bestEpochs(of part: Int, epochs: Int) throws(TrainingError) -> Int? {
    guard let known = bestEpochs[part] else { return nil }
    guard (0...epochs).contains(known) else { throw damaged }
    return known
  }

  private var damaged: TrainingError {
    TrainingError.state(path: path, .foreign)
  }

  mutating func note(
    _ progress: FineTuningRun.Progress, of run: FineTuningRun, part: Int, isInner: Bool
  ) throws(FileError) {
    // What training goes on with is its own.
    current = nil
    let stored = run.stored
    try save(
      current: [
        "part": .integer(part), "inner": .bool(isInner), "epoch": .integer(progress.epoch),
        "best_epoch": .integer(progress.bestEpoch), "losses": Self.exact(progress.losses),
        "steps": JSONValue(stored.stepCounts), "counts": JSONValue(stored.arrays.map(\.count)),
      ], stored.arrays)
  }

  mutating func note(bestEpochs: Int, part: Int) { self.bestEpochs[part] = bestEpochs }

  mutating func note(_ done: FineTuning.Part, part: Int) throws(FileError) {
    parts[part] = done
    current = nil
    try save(current: .null, [])
  }

  // MARK: - The file

  /// Takes the file away: all is done.
  package func remove() { unlink(path) }

  /// - Parameters:
  ///   - current: what is being trained.
  ///   - arrays: its numbers.
  private func save(current: JSONValue, _ arrays: [StoredNumbers]) throws(FileError) {
    var file = try AtomicFile(path: path, replacing: true)
    let text = Array(json(current: current).prettyText.utf8)
    try file.write(withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text)
    for array in arrays {
      var failure: FileError?
      array.values().withUnsafeBytes { bytes in
        do throws(FileError) { try file.write(bytes) } catch { failure = error }
      }
      if let failure { throw failure }
    }
    try file.commit()
  }

  private func json(current: JSONValue) -> JSONValue {
    [
      "fingerprint": .string(fingerprint),
      "best_epochs": .array(
        bestEpochs.sorted { $0.key < $1.key }.map { JSONValue([$0.key, $0.value]) }),
      "parts": .array(
        parts.sorted { $0.key < $1.key }.map { index, part in
          [
            "part": .integer(index), "epochs": .integer(part.epochs),
            "classes": .integer(part.logits.columns), "logits": Self.exact(part.logits.values),
            "distances": Self.exact(part.distances),
          ]
        }),
      "current": current,
    ]
  }

  /// Numbers to the last bit.
  private static func exact(_ values: [Double]) -> JSONValue {
    JSONValue(values.map { Int(bitPattern: UInt($0.bitPattern)) })
  }

  private static func exact(_ json: JSONValue?) -> [Double]? {
    json?.array?.compactMap(\.integer).map { Double(bitPattern: UInt64(UInt(bitPattern: $0))) }
  }

  /// `nil` where there is no file.
  private func contents() throws(FileError) -> Bytes? {
    do { return try MappedFile(path: path).bytes } catch {
      if case .cannotOpen(_, ENOENT) = error { return nil }
      throw error
    }
  }

  /// Refuses to begin anew where a state could not be written, or would replace a file: a user's, or what days of an
  /// earlier run came to.
  ///
  /// - Throws: `FileError`, or `TrainingError.state`.
  package func checkPlace() throws {
    if try header() != nil { throw TrainingError.state(path: path, .unfinished) }
    try AtomicFile.check(path: path)
  }

  /// What the file says, and where the numbers behind it begin; `nil` where there is no file.
  private func header() throws -> (json: JSONValue, bytes: Bytes, end: Int)? {
    guard let bytes = try contents() else { return nil }
    guard let length = bytes.littleEndian(UInt64.self, at: 0),
      let count = Int(exactly: length), let text = bytes.slice(at: 8, count: count),
      let json = try? JSONParser.parse(text), json["fingerprint"]?.string != nil
    else { throw damaged }
    return (json, bytes, 8 + count)
  }

  /// Takes up what an earlier run left; `false` where it left nothing, since its first epoch did not end.
  ///
  /// - Throws: `FileError`, or `TrainingError.state` where it is none, or that of another run.
  package mutating func resume() throws -> Bool {
    guard let (json, bytes, end) = try header() else { return false }
    guard json["fingerprint"]?.string == fingerprint else {
      throw TrainingError.state(path: path, .ofAnotherRun)
    }
    for entry in json["best_epochs"]?.array ?? [] {
      guard let pair = entry.array?.compactMap(\.integer), pair.count == 2 else { throw damaged }
      bestEpochs[pair[0]] = pair[1]
    }
    for entry in json["parts"]?.array ?? [] {
      guard let index = entry["part"]?.integer, let epochs = entry["epochs"]?.integer,
        let columns = entry["classes"]?.integer, columns >= 0,
        let logits = Self.exact(entry["logits"]), let distances = Self.exact(entry["distances"]),
        logits.count % max(columns, 1) == 0, columns > 0 || logits.isEmpty
      else { throw damaged }
      parts[index] = FineTuning.Part(
        epochs: epochs,
        logits: Matrix(rows: logits.count / max(columns, 1), columns: columns, values: logits),
        distances: distances)
    }
    guard let running = json["current"], !running.isNull else { return true }
    guard let part = running["part"]?.integer, let isInner = running["inner"]?.bool,
      let epoch = running["epoch"]?.integer, let best = running["best_epoch"]?.integer,
      let losses = Self.exact(running["losses"]),
      let steps = running["steps"]?.array?.compactMap(\.integer),
      let counts = running["counts"]?.array?.compactMap(\.integer),
      counts.count == 3 * steps.count, epoch > 0, isInner ? losses.indices.contains(best) : true,
      let arrays = Self.arrays(bytes, at: end, counts)
    else { throw damaged }
    let third = steps.count
    current = (
      part, isInner,
      FineTuningRun.Progress(
        epoch: epoch, losses: losses, bestEpoch: best, values: Array(arrays[..<third]),
        optimizer: Optimizer.State(
          first: Array(arrays[third..<2 * third]), second: Array(arrays[(2 * third)...]),
          stepCounts: steps))
    )
    return true
  }

  private static func arrays(_ bytes: Bytes, at start: Int, _ counts: [Int]) -> [[Float]]? {
    var offset = start
    var arrays: [[Float]] = []
    for count in counts {
      guard count >= 0, count <= bytes.count / 4,
        let part = bytes.slice(at: offset, count: 4 * count)
      else { return nil }
      arrays.append(part.withUnsafeBytes { TensorDataType.f32.widen($0) })
      offset += 4 * count
    }
    return offset == bytes.count ? arrays : nil
  }
}
