// SPDX-License-Identifier: Apache-2.0
package import DICOM
internal import FileIO
internal import Preprocessing
package import SWTFormat

extension CaseReader {
  /// Reads a case of a list: files, or series of a study.
  package func read(_ entry: CaseList.Entry) throws(PipelineError) -> Case {
    if case .dicom(let source) = entry.source { return try read(source) }
    return try read(files: entry.files)
  }

  /// Reads series, one per channel, in the order in which the model's training saw voxels; what is too
  /// large is refused before any pixel is read.
  package func read(_ source: DICOMSource) throws(PipelineError) -> Case {
    let byteCount = source.byteCount
    try memory.check(.reading, needed: CaseEstimate.baseByteCount + byteCount, new: byteCount)
    var channels: [Volume] = []
    var affines: [[[Double]]] = []
    var place: ScanGeometry?
    let convention = try convention(of: source)
    for series in source.series {
      let volume = try Self.volume(of: series, convention, threads: threads)
      affines.append(volume.affine)
      place = place ?? geometry(of: volume)
      do throws(PreprocessingError) {
        channels.append(
          try Volume(shape: volume.shape, spacing: volume.spacing, values: volume.values))
      } catch { throw PipelineError(.preprocessing(error)) }
    }
    return try makeCase(
      channels, warnings: warnings(source) + Self.placeWarnings(affines), place: place)
  }

  /// Reads series of one study by their names, or its only volume.
  package func read(
    folder: String, series names: [String], convention: DICOMConvention?
  ) throws(PipelineError) -> Case {
    var series: [DICOMSeries] = []
    var notices: [String] = []
    do throws(DICOMError) {
      let study = try DICOMStudy(StudyFolder(folder), threads: threads)
      for name in names { series.append(try study.series(named: name)) }
      if names.isEmpty { series.append(try study.series()) }
      notices = study.notices
    } catch { throw PipelineError(.dicom(error)) }
    return try read(DICOMSource(series: series, convention: convention, notices: notices))
  }

  /// Results lie where the converter of the convention would have put the scan.
  private func geometry(of volume: DICOMVolume) -> ScanGeometry {
    ScanGeometry(
      shape: volume.shape, spacing: volume.spacing, affine: volume.affine,
      reader: ImageReader(rawValue: model.preprocessing.imageReaderWriter) ?? .simpleITK)
  }

  private func convention(of source: DICOMSource) throws(PipelineError) -> DICOMConvention {
    do throws(DICOMError) {
      return try DICOMConvention(chosen: source.convention, for: model.preprocessing)
    } catch { throw PipelineError(.dicom(error)) }
  }

  private static func volume(
    of series: DICOMSeries, _ convention: DICOMConvention, threads: Int
  ) throws(PipelineError) -> DICOMVolume {
    do throws(DICOMError) { return try series.read(convention, threads: threads) } catch {
      throw PipelineError(.dicom(error))
    }
  }

  private func warnings(_ source: DICOMSource) -> [String] {
    var warnings = source.notices.map { "series \(source.name): \($0)" }
    warnings += source.series.flatMap(\.warnings)
    for (series, channel) in zip(source.series, model.preprocessing.channels)
    where channel.normalizationScheme == "CTNormalization" && series.modality != "CT" {
      warnings.append(
        "series \(series.name): its modality is \(series.modality.map(DisplayText.quoted) ?? "unknown"), "
          + "and the model was trained on CT")
    }
    return warnings
  }

  /// nnU-Net takes voxels as they come where the channels of a case lie apart.
  private static func placeWarnings(_ affines: [[[Double]]]) -> [String] {
    affines.indices.dropFirst().compactMap { index in
      let isSame = zip(affines[index].joined(), affines[0].joined())
        .allSatisfy { abs($0 - $1) <= 1e-3 + 1e-5 * abs($1) }
      return isSame
        ? nil
        : "channel \(index) does not lie where channel 0 lies: the series should be registered"
    }
  }
}

extension CaseList.Entry {
  /// The name of the convention by which a model's cases are read from DICOM; `nil` for other scans, and where the model's
  /// reader turns all.
  package func conventionName(for model: PreprocessingDescription) -> String? {
    guard case .dicom(let source) = self.source else { return nil }
    return (try? DICOMConvention(chosen: source.convention, for: model))?.name
  }
}

extension CaseList {
  /// The name of the convention by which cases are read from DICOM, where it is another than the model's own.
  package func otherConventionName(than model: PreprocessingDescription) -> String? {
    // What is given holds for all.
    let name = entries.lazy.compactMap { $0.conventionName(for: model) }.first
    let own = (try? DICOMConvention(chosen: nil, for: model))?.name
    return name == own ? nil : name
  }
}

extension DICOMConvention {
  /// The order in which a model's training saw voxels.
  package init(
    chosen: DICOMConvention?, for model: PreprocessingDescription
  ) throws(DICOMError) {
    try self.init(
      chosen: chosen,
      reorients: ImageReader(rawValue: model.imageReaderWriter)?.reorients ?? false,
      orientation: model.orientation, name: model.dicomConvention)
  }
}
