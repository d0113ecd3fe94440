// SPDX-License-Identifier: Apache-2.0
import FileIO
import NPY
import Pipeline
import SWTFormat

/// Rows of numbers, one per case, as `.npy` with a `.json` beside it that tells what they were made from and
/// with; ready for scikit-learn, and for going on after an interruption.
struct ResultFile {
  /// What the rows are made with; rows made otherwise do not go into one file.
  struct Origin: Equatable {
    /// `pooled` or `logits`.
    let kind: String
    let modelID: String
    let inputPolicy: String
    /// What pooled features are, as heads name it; `nil` for the mean of the last stage.
    var pooling: [String]?

    /// For messages.
    var text: String {
      let columns = pooling.map { ", pooling \(DisplayText.quoted($0.joined(separator: ",")))" }
      return "model \(DisplayText.escaped(String(modelID.prefix(12)))), policy "
        + "\(DisplayText.quoted(inputPolicy)), kind \(DisplayText.quoted(kind))\(columns ?? "")"
    }
  }

  /// A case's numbers.
  struct Row {
    var name: String
    /// What they were made from; `nil` in files of 0.1.0, which do not say.
    var identity: CaseIdentity?
    let values: [Float]
  }

  /// What became of the rows that were there.
  struct Resumption {
    var kept = 0
    var changed = 0

    var text: String { "\(kept) kept, \(changed) changed" }
  }

  let path: String
  let origin: Origin
  /// What of all cases the rows are; `nil` for all.
  let part: CaseList.Part?
  /// Files that must not be overwritten.
  let inputs: [MappedFile.Identity]
  private(set) var rows: [Row] = []
  private(set) var resumption = Resumption()
  /// Rows that no case of this run has asked for, by what they were made from.
  private var unclaimed: Set<Int> = []
  private var lastSave = ContinuousClock.now

  private static let secondsBetweenSaves = 15

  /// Starts a file, or goes on with the one that is there; refuses a place where it cannot be written, or
  /// where another share's results are.
  init(
    path: String, origin: Origin, part: CaseList.Part? = nil, inputs: [MappedFile.Identity],
    isResumed: Bool
  ) throws {
    try OutputFile.check(path, ending: ".npy", inputs: inputs)
    self.path = path
    self.origin = origin
    self.part = part
    self.inputs = inputs
    let sidecar = Self.sidecar(of: path)
    guard let json = try Self.checkedSidecar(sidecar, inputs: inputs) else { return }
    try checkShare(json)
    guard isResumed else { return }
    let stored = try StoredResults(arrayAt: path, json)
    guard stored.origin == origin else {
      throw InputError.resume(
        sidecar, problem: "was made with \(stored.origin.text), not with \(origin.text)")
    }
    guard stored.part.map({ Set($0.cohort) }) == part.map({ Set($0.cohort) }) else {
      throw InputError.resume(sidecar, problem: "is a share of other cases")
    }
    rows = stored.rows
    unclaimed = Set(rows.indices)
  }

  /// Refuses to replace what another share has written.
  private func checkShare(_ json: JSONValue) throws {
    guard let part, let other = CaseList.Part(json: json["share"])?.share, other != part.share
    else { return }
    throw InputError.output(
      path,
      problem:
        "holds share \(other.text), this is share \(part.share.text): put {share} into the name")
  }

  static func sidecar(of path: String) -> String {
    (path.lowercased().hasSuffix(".npy") ? String(path.dropLast(4)) : path) + ".json"
  }

  /// The `.json` that is there, which has to be one of ours; `nil` where there is none.
  static func checkedSidecar(
    _ path: String, inputs: [MappedFile.Identity]
  ) throws -> JSONValue? {
    try AtomicFile.check(path: path, inputs: inputs)
    guard MappedFile.identity(ofFileAt: path) != nil else { return nil }
    guard let json = try? JSONParser.parse(MappedFile(path: path).bytes),
      json["nnrun_version"]?.string != nil, json["kind"]?.string != nil
    else { throw InputError.foreign(path) }
    return json
  }

  /// The rows that a case has already, under the name that it has now; empty where it has to be run. A row is
  /// its case's only where the files have the same content; what was made from another content of these files
  /// goes.
  mutating func claim(
    _ entry: CaseList.Entry, _ identity: () -> CaseIdentity?
  ) throws -> [Row] {
    guard !unclaimed.isEmpty else { return [] }
    let identity = identity()
    let same = unclaimed.sorted().filter { index in
      identity.map { rows[index].identity?.hasContent(of: $0) == true } ?? false
    }
    // The same scan may be there under several names.
    let base = same.first { Self.base(of: rows[$0].name) == entry.name } ?? same.first
    let claimed = same.filter { index in
      base.map { Self.base(of: rows[index].name) == Self.base(of: rows[$0].name) } ?? false
    }
    for index in claimed {
      rows[index].name =
        entry.name
        + rows[index].name.dropFirst(
          Self.base(of: rows[index].name).count)
      // The same content, wherever it lay then.
      rows[index].identity = identity
      unclaimed.remove(index)
    }
    resumption.kept += claimed.count
    let stale = unclaimed.filter { Self.base(of: rows[$0].name) == entry.name }.sorted()
    for index in stale {
      guard let known = rows[index].identity, known.files.map(\.path) != entry.fileNames else {
        continue
      }
      throw InputError.resume(
        path,
        problem: "has a case \(DisplayText.quoted(entry.name)) made from "
          + "\(known.files.map { DisplayText.quoted($0.path) }.joined(separator: ", ")), not from "
          + "\(entry.fileNames.map { DisplayText.quoted($0) }.joined(separator: ", "))")
    }
    resumption.changed += stale.count
    let kept = claimed.map { rows[$0] }
    remove(stale)
    return kept
  }

  private mutating func remove(_ indices: [Int]) {
    guard !indices.isEmpty else { return }
    let gone = Set(indices)
    var moved: Set<Int> = []
    var left: [Row] = []
    for (index, row) in rows.enumerated() where !gone.contains(index) {
      if unclaimed.contains(index) { moved.insert(left.count) }
      left.append(row)
    }
    rows = left
    unclaimed = moved
  }

  /// A case's name without the place in a batch, `name[3]`.
  static func base(of name: String) -> String {
    guard name.hasSuffix("]"), let bracket = name.lastIndex(of: "["),
      Int(name[name.index(after: bracket)...].dropLast()) != nil
    else { return name }
    return String(name[..<bracket])
  }

  mutating func append(_ row: Row) throws {
    rows.append(row)
    guard ContinuousClock.now - lastSave > .seconds(Self.secondsBetweenSaves) else { return }
    try save()
  }

  /// Writes both files.
  mutating func save(extra: [(String, JSONValue)] = []) throws {
    lastSave = .now
    if part != nil, let json = try Self.checkedSidecar(Self.sidecar(of: path), inputs: inputs) {
      try checkShare(json)
    }
    try NPYArray(
      shape: [rows.count, rows.first?.values.count ?? 0], values: rows.flatMap(\.values)
    ).write(to: path, inputs: inputs)
    try Self.writeSidecar(
      of: path, origin: origin, cases: rows.map { ($0.name, $0.identity) },
      extra: extra + (part.map { [("share", $0.json)] } ?? []), inputs: inputs)
  }

  /// Writes what stands beside an array.
  static func writeSidecar(
    of path: String, origin: Origin, cases: [(name: String, identity: CaseIdentity?)],
    extra: [(String, JSONValue)] = [], inputs: [MappedFile.Identity]
  ) throws {
    var object = JSONObject([
      ("nnrun_version", .string(NNRun.version)), ("kind", .string(origin.kind)),
      ("model_id", .string(origin.modelID)), ("input_policy", .string(origin.inputPolicy)),
      ("cases", JSONValue(cases.map(\.name))),
    ])
    if let pooling = origin.pooling { object["pooling"] = JSONValue(pooling) }
    for (key, value) in extra { object[key] = value }
    object["inputs"] = .array(cases.map { $0.identity?.json ?? .null })
    var file = try AtomicFile(path: sidecar(of: path), replacing: true, inputs: inputs)
    try file.write(Array((JSONValue.object(object).prettyText + "\n").utf8))
    try file.commit()
  }
}
