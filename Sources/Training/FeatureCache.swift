// SPDX-License-Identifier: Apache-2.0
internal import FileIO
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
  /// By the SHA-256 of a case's files, one after the other.
  private var rows: [String: [Float]] = [:]
  private var order: [String] = []
  private var lastSave = ContinuousClock.now
  private static let secondsBetweenSaves = 15

  /// Opens a cache; one of another model, policy or pooling is begun anew.
  package init(
    path: String, modelID: String, inputPolicy: String, pooling: [Classifier.Pooling], width: Int
  ) {
    self.path = path
    self.modelID = modelID
    self.inputPolicy = inputPolicy
    self.pooling = pooling.map(\.text)
    self.width = width
    guard let file = try? MappedFile(path: sidecar),
      let json = try? JSONParser.parse(file.bytes), json["model_id"]?.string == modelID,
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

  private var sidecar: String { path + ".json" }

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
      .write(to: path)
    let json: JSONValue = [
      "model_id": .string(modelID), "input_policy": .string(inputPolicy),
      "pooling": JSONValue(pooling),
      "sha256": JSONValue(order),
    ]
    do throws(FileError) {
      var file = try AtomicFile(path: sidecar, replacing: true)
      try file.write(Array((json.prettyText + "\n").utf8))
      try file.commit()
    } catch { throw .file(error) }
  }
}
