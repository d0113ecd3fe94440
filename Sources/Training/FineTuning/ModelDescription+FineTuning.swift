// SPDX-License-Identifier: Apache-2.0
package import SWTFormat

extension ModelDescription {
  /// Checks that there is a backward pass for the encoder.
  ///
  /// - Throws: `TrainingError.features` with the network's name.
  package func checkTrainable() throws(TrainingError) {
    guard architecture.networkClass.isFamily else { return }
    throw .features(
      problem:
        "the encoder is a \(architecture.networkClass.rawValue), of which no stage can be trained "
        + "here")
  }
}
