// SPDX-License-Identifier: Apache-2.0
package import FileIO
internal import NPY
package import SWTFormat

/// Features of cases as `nnrun features` writes them: an array `[cases, features]`, and beside it a
/// `.json` that names the cases and what made them.
package struct FeatureFile: Sendable {
  package let features: Matrix
  /// The rows' cases; `nil` where no `.json` stands beside the array.
  package let cases: [String]?
  package let modelID: String?
  package let inputPolicy: String?
  /// What the columns are, where the `.json` says so; `nnrun` leaves out the mean of the last stage.
  package let pooling: [Classifier.Pooling]?
  /// Of the array, and of the `.json`.
  package let identities: [MappedFile.Identity]

  /// - Throws: `NPYError`, `FileError`, or `TrainingError.features`.
  package init(path: String) throws {
    let array: NPYArray
    do { array = try NPYArray(contentsOf: path) } catch {
      // What the operating system refused names the file already.
      if case .file = error { throw error }
      throw TrainingError.features(problem: "\(DisplayText.quoted(path)): \(error)")
    }
    guard array.shape.count == 2, array.shape[0] > 0, array.shape[1] > 0 else {
      throw TrainingError.features(
        problem: "\(DisplayText.quoted(path)) has shape \(array.shape) instead of [cases, features]"
      )
    }
    features = Matrix(
      rows: array.shape[0], columns: array.shape[1], values: array.values.map(Double.init))
    let sidecar =
      (path.lowercased().hasSuffix(".npy") ? String(path.dropLast(4)) : path) + ".json"
    identities = [path, sidecar].compactMap { MappedFile.identity(ofFileAt: $0) }
    guard MappedFile.identity(ofFileAt: sidecar) != nil else {
      (cases, modelID, inputPolicy, pooling) = (nil, nil, nil, nil)
      return
    }
    let json: JSONValue
    do { json = try JSONParser.parse(MappedFile(path: sidecar).bytes) } catch let error as JSONError
    {
      throw TrainingError.features(problem: "\(DisplayText.quoted(sidecar)): \(error)")
    }
    guard let names = json["cases"]?.array?.compactMap(\.string), names.count == array.shape[0]
    else {
      throw TrainingError.features(
        problem: "\(DisplayText.quoted(sidecar)) does not name the array's \(array.shape[0]) cases")
    }
    cases = names
    modelID = json["model_id"]?.string
    inputPolicy = json["input_policy"]?.string
    pooling = try json["pooling"].map { list in
      let entries =
        list.array?.compactMap { $0.string.flatMap(Classifier.Pooling.init(text:)) } ?? []
      guard (1...64).contains(entries.count), entries.count == list.array?.count,
        Set(entries).count == entries.count
      else {
        throw TrainingError.features(
          problem:
            "\(DisplayText.quoted(sidecar)): its pooling is no list of different entries such as "
            + "3:mean and 3:max")
      }
      return entries
    }
  }

  /// The rows of the table's cases, in its order.
  ///
  /// - Throws: `TrainingError` where a case is missing or there twice, or where rows without names are
  ///   not as many as cases.
  package func rows(of cases: [String]) throws(TrainingError) -> Matrix {
    guard let own = self.cases else {
      guard cases.count == features.rows else {
        throw .features(
          problem: "\(features.rows) rows without names for \(cases.count) cases of the table")
      }
      return features
    }
    var position: [[UInt8]: Int] = [:]
    for (index, name) in own.enumerated() {
      guard position.updateValue(index, forKey: Array(name.utf8)) == nil else {
        throw .duplicateCase(name)
      }
    }
    var rows: [Int] = []
    for name in cases {
      guard let row = position.removeValue(forKey: Array(name.utf8)) else {
        throw .missing(case: name, problem: "has no features")
      }
      rows.append(row)
    }
    guard position.isEmpty else {
      let name = own.first { position[Array($0.utf8)] != nil } ?? ""
      throw .missing(case: name, problem: "has features but is not in the table")
    }
    return features.selecting(rows: rows)
  }
}
