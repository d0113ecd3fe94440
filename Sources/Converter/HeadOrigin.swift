// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import SWTFormat

/// What a head's file says of the features it was trained on: the `model_id` and `input_policy` that
/// `nnrun features` writes beside them.
struct HeadOrigin: Equatable {
  var modelID: String?
  var inputPolicy: String?

  /// The policy that `nnrun features` names for arrays, about which nothing is known.
  private static let asGiven = "as-given"

  /// Refuses a head whose features came from another model, or were made under another policy.
  ///
  /// - Parameter modelID: the encoder's, where it is known.
  func check(modelID: String?, inputPolicy: InputPolicy) throws {
    let advice: Advice = "make the features with this model, or use \(.ignoresHeadOrigin)"
    if let own = self.modelID, let modelID, own != modelID {
      throw ConversionError(
        .head(
          problem: "it was trained on features of model \(own.prefix(64)), not of \(modelID)",
          advice: advice))
    }
    if let own = self.inputPolicy, own != Self.asGiven, own != inputPolicy.rawValue {
      throw ConversionError(
        .head(
          problem:
            "it was trained on features of input policy '\(own.prefix(64))', but the model has "
            + "'\(inputPolicy.rawValue)'",
          advice: advice))
    }
  }
}
