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
    case .ignoresHeadOrigin: "--ignore-origin"
    case .headPrefix: "--head-prefix"
    case .series: "--series"
    case .dicomConvention: "--dicom-convention"
    case .folds: "--cv"
    case .labelColumn: "--label"
    case .groupColumn: "--group"
    }
  }
}
