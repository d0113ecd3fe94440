// SPDX-License-Identifier: Apache-2.0
package import FileIO

extension Setting {
  /// The commands' option for it.
  package var option: String {
    switch self {
    case .replacesOutput: "--force"
    case .allowsNonFinite: "--allow-nonfinite"
    case .toleratesUnknownObjects: "--tolerate-unknown-objects"
    case .dataType: "--dtype"
    case .head: "--head"
    case .inputPolicy: "--input-policy"
    case .memoryLimit: "--max-memory"
    case .precision: "--precision"
    case .part: "--part"
    case .ignoresHeadOrigin: "--ignore-origin"
    case .headPrefix: "--head-prefix"
    case .series: "--series"
    case .dicomConvention: "--dicom-convention"
    case .plansPath: "--plans"
    case .configuration: "--configuration"
    case .datasetPath: "--dataset-json"
    case .modelFolder: "--model-folder"
    case .fold: "--fold"
    case .checkpoint: "--checkpoint"
    case .weightsKey: "--weights-key"
    case .prefix: "--prefix"
    case .spacing: "--spacing"
    case .heads: "--heads"
    case .tokenOrder: "--token-order"
    case .inputSize: "--input-size"
    case .folds: "--cv"
    case .labelColumn: "--label"
    case .groupColumn: "--group"
    case .recursive: "--recursive"
    case .resume: "--resume"
    case .learningRate: "--lr"
    case .featureCache: "--cache"
    }
  }
}
