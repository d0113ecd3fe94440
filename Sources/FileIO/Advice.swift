// SPDX-License-Identifier: Apache-2.0
/// What to do about a failure: words, with settings in them that each surface calls by its own names.
///
/// ```swift
/// let advice: Advice = "use \(.replacesOutput) to replace it"
/// advice.text { $0.option }  // "use --force to replace it"
/// ```
package struct Advice: Equatable, Sendable, ExpressibleByStringInterpolation {
  fileprivate enum Piece: Equatable, Sendable {
    case words(String)
    case setting(Setting)
  }

  private let pieces: [Piece]

  /// Collects words and settings.
  package struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var pieces: [Piece] = []

    /// Starts with nothing.
    package init(literalCapacity: Int, interpolationCount: Int) {}

    /// Adds words.
    package mutating func appendLiteral(_ literal: String) { pieces.append(.words(literal)) }

    /// Adds a value's text.
    package mutating func appendInterpolation(_ value: some CustomStringConvertible) {
      pieces.append(.words("\(value)"))
    }

    package mutating func appendInterpolation(_ setting: Setting) {
      pieces.append(.setting(setting))
    }
  }

  /// Advice in plain words.
  package init(stringLiteral value: String) { pieces = [.words(value)] }

  /// Advice with values or settings in it.
  package init(stringInterpolation: StringInterpolation) { pieces = stringInterpolation.pieces }

  /// The advice with settings under the names that `name` gives.
  package func text(naming name: (Setting) -> String) -> String {
    pieces.map { piece in
      switch piece {
      case .words(let words): words
      case .setting(let setting): name(setting)
      }
    }.joined()
  }

  private init(_ pieces: [Piece]) { self.pieces = pieces }

  package static func + (first: Advice, second: Advice) -> Advice {
    Advice(first.pieces + second.pieces)
  }
}
