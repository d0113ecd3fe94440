import FileIO
import NPY
import SWTFormat

/// Rows of numbers, one per case, as `.npy` with a `.json` beside it that names the cases and what
/// made them; ready for scikit-learn, and for going on after an interruption.
struct ResultFile {
  /// What the rows are made with; rows made otherwise do not go into one file.
  struct Origin: Equatable {
    /// `pooled` or `logits`.
    let kind: String
    let modelID: String
    let inputPolicy: String
  }

  let path: String
  let origin: Origin
  /// Files that must not be overwritten.
  let inputs: [MappedFile.Identity]
  private(set) var names: [String] = []
  private(set) var rows: [[Float]] = []
  private var lastSave = ContinuousClock.now

  private static let secondsBetweenSaves = 15

  /// Starts a file, or goes on with the one that is there.
  init(
    path: String, origin: Origin, inputs: [MappedFile.Identity], isResumed: Bool
  ) throws {
    self.path = path
    self.origin = origin
    self.inputs = inputs
    let sidecar = Self.sidecar(of: path)
    guard isResumed, MappedFile.identity(ofFileAt: sidecar) != nil else { return }
    let json: JSONValue
    do { json = try JSONParser.parse(MappedFile(path: sidecar).bytes) } catch let error as JSONError
    {
      throw InputError.resume(sidecar, problem: "is no JSON of ours: \(error)")
    }
    let found = Origin(
      kind: json["kind"]?.string ?? "", modelID: json["model_id"]?.string ?? "",
      inputPolicy: json["input_policy"]?.string ?? "")
    guard found == origin else {
      throw InputError.resume(
        sidecar,
        problem: "was made with model \(found.modelID.prefix(12)), policy '\(found.inputPolicy)', "
          + "kind '\(found.kind)', not with \(origin.modelID.prefix(12)), '\(origin.inputPolicy)', "
          + "'\(origin.kind)'")
    }
    let array = try NPYArray(contentsOf: path)
    let names = json["cases"]?.array?.compactMap(\.string) ?? []
    guard array.shape.count == 2, array.shape[0] == names.count else {
      throw InputError.resume(
        path, problem: "has shape \(array.shape) but its .json names \(names.count) cases")
    }
    self.names = names
    rows = names.indices.map {
      Array(array.values[$0 * array.shape[1]..<($0 + 1) * array.shape[1]])
    }
  }

  static func sidecar(of path: String) -> String {
    (path.lowercased().hasSuffix(".npy") ? String(path.dropLast(4)) : path) + ".json"
  }

  mutating func append(_ name: String, _ row: [Float]) throws {
    names.append(name)
    rows.append(row)
    guard ContinuousClock.now - lastSave > .seconds(Self.secondsBetweenSaves) else { return }
    try save()
  }

  /// Writes both files.
  mutating func save(extra: [(String, JSONValue)] = []) throws {
    lastSave = .now
    try NPYArray(shape: [rows.count, rows.first?.count ?? 0], values: rows.flatMap { $0 })
      .write(to: path, inputs: inputs)
    try Self.writeSidecar(of: path, origin: origin, cases: names, extra: extra, inputs: inputs)
  }

  /// Writes what stands beside an array.
  static func writeSidecar(
    of path: String, origin: Origin, cases: [String], extra: [(String, JSONValue)] = [],
    inputs: [MappedFile.Identity]
  ) throws {
    var object = JSONObject([
      ("nnrun_version", .string(NNRun.version)), ("kind", .string(origin.kind)),
      ("model_id", .string(origin.modelID)), ("input_policy", .string(origin.inputPolicy)),
      ("cases", JSONValue(cases)),
    ])
    for (key, value) in extra { object[key] = value }
    var file = try AtomicFile(path: sidecar(of: path), replacing: true, inputs: inputs)
    try file.write(Array((JSONValue.object(object).prettyText + "\n").utf8))
    try file.commit()
  }
}
