// SPDX-License-Identifier: Apache-2.0
public import DICOM

extension EncoderPipeline {
  /// Reads series of a folder of DICOM files, in the order in which training saw voxels.
  ///
  /// - Parameters:
  ///   - folder: one study, or one file.
  ///   - series: the names of the series, one per channel in the order of `channel_names`; none where
  ///     the study holds one volume and the model takes one channel.
  ///   - convention: instead of what the model says.
  /// - Throws: `PipelineError`, also where the voxels alone take too much.
  public func read(
    dicom folder: String, series: [String] = [], convention: DICOMConvention? = nil
  ) throws(PipelineError) -> Case {
    try noted(reader.read(folder: folder, series: series, convention: convention))
  }

  /// Reads series that `DICOMSeries.all(in:)` found, in the order in which training saw voxels.
  ///
  /// - Parameters:
  ///   - series: one per channel in the order of `channel_names`.
  ///   - convention: instead of what the model says.
  /// - Throws: `PipelineError`, also where the voxels alone take too much.
  public func read(
    _ series: [DICOMSeries], convention: DICOMConvention? = nil
  ) throws(PipelineError) -> Case {
    try noted(reader.read(DICOMSource(series: series, convention: convention)))
  }
}
