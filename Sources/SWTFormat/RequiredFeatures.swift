// SPDX-License-Identifier: Apache-2.0
/// What a `.swt` file asks of its reader beyond version 1.0: the bits of the preamble's field of that
/// name. A reader that does not know a bit refuses the file.
package struct RequiredFeatures: OptionSet, Sendable {
  /// The bits as they stand in the preamble.
  package let rawValue: UInt64

  /// Creates a set from its bits.
  package init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Several folds: every tensor's name begins with its fold.
  package static let folds = RequiredFeatures(rawValue: 1 << 0)
  /// A classifier with its own pooling, a temperature, or tensors that tell foreign scans.
  package static let trainedHead = RequiredFeatures(rawValue: 1 << 1)
  /// A network of another family than nnU-Net's U-Nets, named in `architecture.family`.
  package static let families = RequiredFeatures(rawValue: 1 << 2)

  /// What version 1.1 has.
  package static let known: RequiredFeatures = [.folds, .trainedHead, .families]
}

extension ModelDescription {
  /// The features that a file of this description needs, no more.
  package var requiredFeatures: RequiredFeatures {
    var result: RequiredFeatures = []
    if !folds.isEmpty { result.insert(.folds) }
    if classifier?.isTrainedHead == true { result.insert(.trainedHead) }
    if architecture.networkClass.isFamily { result.insert(.families) }
    return result
  }

  /// The lowest minor version that has everything this description says.
  package var minorVersion: UInt16 {
    let isOfVersion0 =
      requiredFeatures.isEmpty && preprocessing.orientation == nil
      && preprocessing.dicomConvention == nil && provenance.training == nil
      && architecture.networkClass != .residualUNet
    return isOfVersion0 ? 0 : 1
  }
}
