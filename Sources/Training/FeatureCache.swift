// SPDX-License-Identifier: Apache-2.0
package import FileIO
package import NPY
package import SWTFormat

/// Features of scans that were computed before: an array with a `.json` beside it that tells by which
/// model, under which input policy, what columns are, and of which files' content.
package struct FeatureCache {
  private let path: String
  private let modelID: String
  private let inputPolicy: String
  private let pooling: [String]
  private let width: Int
  private let inputs: [MappedFile.Identity]
  /// By the SHA-256 of a case's files, one after the other.
  private var rows: [String: [Float]] = [:]
  private var order: [String] = []
  private var lastSave = ContinuousClock.now
  private static let secondsBetweenSaves = 15

  /// Opens a cache; one of another model, policy, pooling or version of the program is begun anew.
  ///
  /// - Parameter inputs: files that must not be replaced.
  package init(
    path: String, modelID: String, inputPolicy: String, pooling: [Classifier.Pooling], width: Int,
    inputs: [MappedFile.Identity]
  ) {
    self.path = path
    self.modelID = modelID
    self.inputPolicy = inputPolicy
    self.pooling = pooling.map(\.text)
    self.width = width
    self.inputs = inputs
    guard let json = Self.description(ofCacheAt: path), json["model_id"]?.string == modelID,
      json[Self.versionKey]?.string == ProductVersion.current,
      json["input_policy"]?.string == inputPolicy,
      json["pooling"]?.array?.compactMap(\.string) == self.pooling,
      let array = try? NPYArray(contentsOf: path),
      let names = json["sha256"]?.array?.compactMap(\.string),
      array.shape == [names.count, width]
    else { return }
    for (index, name) in names.enumerated() where rows[name] == nil {
      rows[name] = Array(array.values[index * width..<(index + 1) * width])
      order.append(name)
    }
  }

  private static let versionKey = "nntrain_version"

  private static func sidecar(of path: String) -> String { path + ".json" }

  /// What the `.json` of a cache says; `nil` where there is none, or that of something else.
  private static func description(ofCacheAt path: String) -> JSONValue? {
    guard let file = try? MappedFile(path: sidecar(of: path)),
      let json = try? JSONParser.parse(file.bytes), json["model_id"]?.string != nil,
      json["sha256"]?.array != nil, json["pooling"]?.array != nil
    else { return nil }
    return json
  }

  /// Plans to write a cache's files.
  ///
  /// - Throws: `FileError`, or `TrainingError.foreignCache` where something else would be replaced.
  package static func plan(_ path: String, in outputs: inout PlannedOutputs) throws {
    for file in [path, sidecar(of: path)] {
      try outputs.add(file)
      guard MappedFile.identity(ofFileAt: file) == nil || description(ofCacheAt: path) != nil else {
        throw TrainingError.foreignCache(path: file)
      }
    }
  }

  package subscript(key: String) -> [Float]? { rows[key] }

  package mutating func add(_ row: [Float], for key: String) throws(NPYError) {
    precondition(row.count == width)
    if rows.updateValue(row, forKey: key) == nil { order.append(key) }
    guard ContinuousClock.now - lastSave > .seconds(Self.secondsBetweenSaves) else { return }
    try save()
  }

  /// Writes both files.
  package mutating func save() throws(NPYError) {
    lastSave = .now
    try NPYArray(shape: [order.count, width], values: order.flatMap { rows[$0] ?? [] })
      .write(to: path, inputs: inputs)
    let json: JSONValue = [
      Self.versionKey: .string(ProductVersion.current), "model_id": .string(modelID),
      "input_policy": .string(inputPolicy),
      "pooling": JSONValue(pooling),
      "sha256": JSONValue(order),
    ]
    do throws(FileError) {
      var file = try AtomicFile(
        path: Self.sidecar(of: path), replacing: true, inputs: inputs)
      try file.write(Array((json.prettyText + "\n").utf8))
      try file.commit()
    } catch { throw .file(error) }
  }
}
