// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// nnU-Net's plans: `plans.json`, or the copy inside a checkpoint.
///
/// Source: nnunetv2 `PlansManager`.
struct Plans {
  let root: JSONField

  init(_ json: JSONValue, path: String) { root = JSONField(path: path, value: json) }

  var datasetName: String? { root.value["dataset_name"]?.string }
  var plansName: String? { root.value["plans_name"]?.string }

  /// The names of all configurations.
  var configurationNames: [String] {
    root.value["configurations"]?.object?.members.map(\.key) ?? []
  }

  /// A configuration with everything it inherits (`_internal_resolve_configuration_inheritance`:
  /// shallow, the child's members win).
  func configuration(_ name: String) throws(ConversionError) -> JSONField {
    var chain: [JSONObject] = []
    var visited: [String] = []
    var next: String? = name
    while let current = next {
      guard !visited.contains(current) else {
        throw ConversionError(
          .field(
            path: "\(root.path).configurations.\(current)",
            problem: "inherits from itself: \(visited.joined(separator: " → "))"))
      }
      visited.append(current)
      guard let object = root.value["configurations"]?[current]?.object else {
        let names = configurationNames
        let known = names.isEmpty ? "none" : names.joined(separator: ", ")
        throw ConversionError(
          .field(
            path: "\(root.path).configurations.\(current)",
            problem: "is missing; there are: \(known)"
          ))
      }
      chain.append(object)
      next = object["inherits_from"]?.string
    }
    var resolved = JSONObject()
    for object in chain.reversed() {
      for member in object.members { resolved[member.key] = member.value }
    }
    return JSONField(path: "\(root.path).configurations.\(name)", value: .object(resolved))
  }
}
