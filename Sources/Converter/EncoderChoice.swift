// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import PickleReader

/// Which of the encoders in a state dict is meant: student or teacher, online or averaged.
struct EncoderChoice {
  /// The encoder to take; `nil` where the keys name none.
  private(set) var location: EncoderLocation?
  private(set) var warnings: [String] = []

  /// More encoders than this are not compared.
  private static let comparedLimit = 8

  /// - Parameters:
  ///   - prefix: the user's word; must be one of those there.
  ///   - hint: the file's own word (nnssl's `key_to_encoder`); taken where it fits.
  init(
    keys: [String], tensors: [String: TensorView], prefix: String?, hint: String?
  ) throws {
    let all = EncoderLocation.all(in: keys)
    if let prefix {
      guard let match = all.first(where: { $0.isNamed(prefix) }) else {
        throw ConversionError(
          .options(
            problem: "there is no encoder under \(DisplayText.quoted(prefix))",
            advice: "\(.prefix) is one of: \(Self.list(all))"))
      }
      location = match
      return
    }
    if let hint, let match = all.first(where: { $0.isNamed(hint) }) {
      location = match
      return
    }
    var distinct: [EncoderLocation] = []
    for candidate in all.sorted(by: { $0.prefix.count < $1.prefix.count }) {
      let isKnown = try distinct.contains { known in
        try all.count <= Self.comparedLimit
          && (Self.areEqual(known, candidate, keys: keys, tensors: tensors))
      }
      if !isKnown { distinct.append(candidate) }
    }
    let trained = distinct.filter { !AveragedWeights.isNamed([$0.prefix]) }
    guard let first = distinct.first else { return }
    let root = distinct.first { $0.networkPrefix == "" || $0.prefix.isEmpty }
    guard let choice = distinct.count == 1 ? first : trained.count == 1 ? trained[0] : root else {
      throw ConversionError(
        .options(
          problem: "there are several encoders",
          advice: "give \(.prefix), one of: \(Self.list(distinct))"))
    }
    location = choice
    let others = distinct.filter { $0 != choice }
    if !others.isEmpty {
      warnings.append(
        "the encoder under \(DisplayText.quoted(choice.prefix)) is taken; there are others, which "
          + "--prefix takes: \(Self.list(others))")
    }
  }

  /// Whether one encoder is another name for the other: the same parameters with the same numbers.
  private static func areEqual(
    _ first: EncoderLocation, _ second: EncoderLocation, keys: [String],
    tensors: [String: TensorView]
  ) throws -> Bool {
    guard first.naming == second.naming else { return false }
    var compared = 0
    for key in keys where key.hasPrefix(second.prefix) && !key.hasPrefix(first.prefix) {
      let name = key.dropFirst(second.prefix.count)
      guard
        name.hasPrefix("stages.") || name.hasPrefix("stem.")
          || (second.naming.family != nil
            && second.naming.canonicalName(String(name)).hasPrefix("encoder."))
      else { continue }
      guard let a = tensors[first.prefix + name], let b = tensors[key] else { return false }
      do {
        guard try a.hasSameBytes(as: b) else { return false }
      } catch { throw ConversionError(error, file: "weights") }
      compared += 1
    }
    return compared > 0
  }

  private static func list(_ locations: [EncoderLocation]) -> String {
    locations.isEmpty ? "none" : DisplayText.list(locations.map(\.prefix))
  }
}
