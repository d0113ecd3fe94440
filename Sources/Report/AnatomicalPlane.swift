// SPDX-License-Identifier: Apache-2.0
/// One of the three planes in which radiologists look at a body, and how it lies on the screen: the
/// patient's right is on the left, and what is anterior or superior is on top.
package enum AnatomicalPlane: CaseIterable, Sendable {
  case axial, coronal, sagittal

  package var name: String {
    switch self {
    case .axial: "axial"
    case .coronal: "coronal"
    case .sagittal: "sagittal"
    }
  }

  /// The direction from the left edge of the screen to the right one, as a letter.
  var towardsRight: Character {
    switch self {
    case .axial, .coronal: "L"
    case .sagittal: "P"
    }
  }

  /// The direction from the upper edge of the screen to the lower one.
  var towardsBottom: Character {
    switch self {
    case .axial: "P"
    case .coronal, .sagittal: "I"
    }
  }

  /// The opposite of a direction: left and right, anterior and posterior, superior and inferior.
  static func opposite(_ letter: Character) -> Character {
    let pairs: [Character: Character] = [
      "L": "R", "R": "L", "A": "P", "P": "A", "S": "I", "I": "S",
    ]
    return pairs[letter] ?? letter
  }
}
