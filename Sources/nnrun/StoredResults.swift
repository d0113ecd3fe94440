// SPDX-License-Identifier: Apache-2.0
import FileIO
import NPY
import Pipeline
import SWTFormat

/// Rows of numbers that a run has written: an array with a `.json` beside it.
struct StoredResults {
  let origin: ResultFile.Origin
  let rows: [ResultFile.Row]
  /// Which of several shares this is, and the names of all cases; `nil` where it was a run over all.
  let part: CaseList.Part?
  /// The classes that logits stand for.
  let classNames: [String]?

  /// Reads the array beside a `.json` that has been read.
  init(arrayAt path: String, _ json: JSONValue) throws {
    origin = ResultFile.Origin(
      kind: json["kind"]?.string ?? "", modelID: json["model_id"]?.string ?? "",
      inputPolicy: json["input_policy"]?.string ?? "",
      pooling: json["pooling"]?.array?.map { $0.string ?? "" })
    part = CaseList.Part(json: json["share"])
    classNames = json["classes"]?.array?.compactMap(\.string)
    let array = try NPYArray(contentsOf: path)
    let names = json["cases"]?.array?.compactMap(\.string) ?? []
    guard array.shape.count == 2, array.shape[0] == names.count else {
      throw InputError.results(
        path, problem: "has shape \(array.shape) but its .json names \(names.count) cases")
    }
    let identities = json["inputs"]?.array ?? []
    rows = names.indices.map { index in
      ResultFile.Row(
        name: names[index],
        identity: identities.count == names.count ? CaseIdentity(json: identities[index]) : nil,
        values: Array(array.values[index * array.shape[1]..<(index + 1) * array.shape[1]]))
    }
  }

  /// Reads what a run has written.
  init(contentsOf path: String) throws {
    let sidecar = ResultFile.sidecar(of: path)
    let bytes = try MappedFile(path: sidecar).bytes
    guard let json = try? JSONParser.parse(bytes), json["nnrun_version"]?.string != nil,
      json["kind"]?.string != nil
    else { throw InputError.results(sidecar, problem: "was not written by nnrun") }
    try self.init(arrayAt: path, json)
  }
}

extension CaseList.Part {
  /// As results carry it: the share, and all cases of which it is one.
  var json: JSONValue {
    [
      "number": .integer(share.number), "count": .integer(share.count),
      "cohort": JSONValue(cohort),
    ]
  }

  init?(json: JSONValue?) {
    guard let number = json?["number"]?.integer, let count = json?["count"]?.integer,
      let share = Share(number: number, count: count),
      let cohort = json?["cohort"]?.array?.compactMap(\.string)
    else { return nil }
    self.init(share: share, cohort: cohort)
  }
}
