// SPDX-License-Identifier: Apache-2.0
public import ArgumentParser
package import CommandLineInterface
public import DICOM
package import Pipeline
package import SWTFormat

/// Which series of DICOM studies are scans, and how training saw such scans.
package struct DICOMArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A series of a DICOM study: its UID, or CHANNEL=UID for every channel.", valueName: "series"))
  package var series: [String] = []
  @Option(
    help: ArgumentHelp(
      "What made the training scans from DICOM: as-scanned (SimpleITK), dcm2niix or dicom2nifti.",
      valueName: "convention"))
  package var dicomConvention: DICOMConvention?

  package init() {}

  /// What is said, for a list of cases.
  package var choice: DICOMChoice {
    DICOMChoice(series: series, convention: dicomConvention)
  }

  /// As they are written.
  package var spelled: [String] {
    var words: [String] = []
    for name in series { words += ["--series", name] }
    if let name = dicomConvention?.name { words += ["--dicom-convention", name] }
    return words
  }

  /// Says that the model's own convention is overridden; refuses where cases are DICOM and there is none at all.
  ///
  /// - Parameter list: `nil` where cases come line by line: each says what it is then.
  package func tellConvention(
    for list: CaseList?, of preprocessing: PreprocessingDescription, _ reporter: Reporter
  ) throws {
    guard list?.entries.contains(where: \.isDICOM) ?? (dicomConvention != nil) else { return }
    let convention = try DICOMConvention(chosen: dicomConvention, for: preprocessing)
    guard let dicomConvention,
      let own = try? DICOMConvention(chosen: nil, for: preprocessing), own != dicomConvention
    else { return }
    reporter.note(
      convention == dicomConvention
        ? "--dicom-convention instead of what the model says of its training scans"
        : "--dicom-convention changes nothing: the model's reader turns every scan to RAS")
  }
}

extension DICOMConvention: ExpressibleByArgument {
  /// One of `names`.
  public init?(argument: String) { self.init(name: argument) }
  /// As help shows them.
  public static var allValueStrings: [String] { names }
}
