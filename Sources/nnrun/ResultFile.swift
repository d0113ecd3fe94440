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
  }

  /// A case's numbers.
  struct Row {
    var name: String
    /// What they were made from; `nil` in files of 0.1.0, which do not say.
    let identity: CaseIdentity?
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
  /// Files that must not be overwritten.
  let inputs: [MappedFile.Identity]
  private(set) var rows: [Row] = []
  private(set) var resumption = Resumption()
  /// Rows that no case of this run has asked for, by what they were made from.
  private var unclaimed: Set<Int> = []
  private var lastSave = ContinuousClock.now

  private static let secondsBetweenSaves = 15

  /// Starts a file, or goes on with the one that is there; refuses a place where it cannot be written.
  init(
    path: String, origin: Origin, inputs: [MappedFile.Identity], isResumed: Bool
  ) throws {
    try OutputFile.check(path, ending: ".npy", inputs: inputs)
    self.path = path
    self.origin = origin
    self.inputs = inputs
    let sidecar = Self.sidecar(of: path)
    guard let json = try Self.checkedSidecar(sidecar, inputs: inputs), isResumed else { return }
    let found = Origin(
      kind: json["kind"]?.string ?? "", modelID: json["model_id"]?.string ?? "",
      inputPolicy: json["input_policy"]?.string ?? "")
    guard found == origin else {
      throw InputError.resume(
        sidecar,
        problem:
          "was made with model \(DisplayText.escaped(String(found.modelID.prefix(12)))), policy "
          + "\(DisplayText.quoted(found.inputPolicy)), kind \(DisplayText.quoted(found.kind)), not with "
          + "\(origin.modelID.prefix(12)), '\(origin.inputPolicy)', '\(origin.kind)'")
    }
    let array = try NPYArray(contentsOf: path)
    let names = json["cases"]?.array?.compactMap(\.string) ?? []
    guard array.shape.count == 2, array.shape[0] == names.count else {
      throw InputError.resume(
        path, problem: "has shape \(array.shape) but its .json names \(names.count) cases")
    }
    let identities = json["inputs"]?.array ?? []
    rows = names.indices.map { index in
      Row(
        name: names[index],
        identity: identities.count == names.count ? CaseIdentity(json: identities[index]) : nil,
        values: Array(array.values[index * array.shape[1]..<(index + 1) * array.shape[1]]))
    }
    unclaimed = Set(rows.indices)
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
    _ entry: CaseList.Entry, _ identity: CaseIdentity?
  ) throws -> [Row] {
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
  private static func base(of name: String) -> String {
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
    try NPYArray(
      shape: [rows.count, rows.first?.values.count ?? 0], values: rows.flatMap(\.values)
    ).write(to: path, inputs: inputs)
    try Self.writeSidecar(
      of: path, origin: origin, cases: rows.map { ($0.name, $0.identity) }, extra: extra,
      inputs: inputs)
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
    for (key, value) in extra { object[key] = value }
    object["inputs"] = .array(cases.map { $0.identity?.json ?? .null })
    var file = try AtomicFile(path: sidecar(of: path), replacing: true, inputs: inputs)
    try file.write(Array((JSONValue.object(object).prettyText + "\n").utf8))
    try file.commit()
  }
}
