// SPDX-License-Identifier: Apache-2.0
import FileIO
import NPY
import SWTFormat
import TestSupport

@testable import Training

/// A set of features with what scikit-learn makes of it, from `Tests/Fixtures/training/head`.
struct HeadGolden: Sendable {
  let cohort: Cohort
  let features: Matrix
  let json: JSONValue

  static let names = ["breast_cancer", "c1_all", "c1_pooled", "wine"]

  init(_ name: String, _ index: Int) throws {
    let folder = "\(Fixtures.folder)/training/head/\(name)"
    let table = try MappedFile(path: "\(folder)/cases.csv").bytes.utf8 ?? ""
    let rows = table.split(separator: "\n").dropFirst().map {
      $0.split(separator: ",").map(String.init)
    }
    cohort = try Cohort(
      cases: rows.map { $0[0] }, labels: rows.map { $0[1] }, groups: rows.map { $0[2] })
    let array = try NPYArray(contentsOf: "\(folder)/features.npy")
    features = Matrix(
      rows: array.shape[0], columns: array.shape[1], values: array.values.map(Double.init))
    let all = try JSONParser.parse(MappedFile(path: "\(folder)/golden.json").bytes)
    json = all.array?[index] ?? .null
  }

  var settings: CrossValidation.Settings {
    var settings = CrossValidation.Settings()
    settings.folds = json["k"]?.integer ?? 0
    settings.classWeights = json["balanced"]?.bool == true ? .balanced : .none
    return settings
  }

  var everything: CrossValidation.Candidate {
    CrossValidation.Candidate(name: "all", columns: Array(0..<features.columns))
  }

  func numbers(_ key: String) -> [Double] { Self.numbers(json[key] ?? .null) }

  /// The numbers of nested arrays, in order.
  static func numbers(_ value: JSONValue) -> [Double] {
    value.array?.flatMap(numbers) ?? value.double.map { [$0] } ?? []
  }
}
