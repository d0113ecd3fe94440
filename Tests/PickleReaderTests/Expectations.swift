// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What PyTorch says of one tensor.
struct Expectations {
  var name: String
  var type: String
  var shape: [Int]
  var values: [Double]

  private struct Item: Decodable {
    var type: String
    var shape: [Int]
    var values: [String]
  }

  static func read(path: String) throws -> [Expectations] {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    return try JSONDecoder().decode([String: Item].self, from: data).map { name, item in
      Expectations(
        name: name, type: item.type, shape: item.shape,
        values: item.values.map { Double($0) ?? .infinity })
    }
  }
}
