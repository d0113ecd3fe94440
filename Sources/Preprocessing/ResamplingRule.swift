// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// A resampling function of the plans with its keywords, checked when the preprocessor is made.
struct ResamplingRule: Sendable {
  private enum Function: String {
    case spline = "resample_data_or_seg_to_shape"
    case torch = "resample_torch_fornnunet"
    case torchSimple = "resample_torch_simple"
    case none = "no_resampling_hack"
  }

  private let function: Function
  private let order: Int
  private let axisOrder: Int
  private let forceSeparateZ: Bool?
  private let threshold: Double

  init(
    _ resampling: PreprocessingDescription.Resampling, field: String, isSegmentation: Bool = false
  ) throws(PreprocessingError) {
    guard let function = Function(rawValue: resampling.function) else {
      throw PreprocessingError(.unsupported(field: field, value: resampling.function))
    }
    self.function = function
    let keywords = resampling.keywords
    func refuse(_ key: String) -> PreprocessingError {
      PreprocessingError(
        .unsupported(
          field: "\(field)_kwargs.\(key)", value: keywords[key]?.prettyText ?? "missing"))
    }
    guard keywords["is_seg"]?.bool ?? false == isSegmentation else { throw refuse("is_seg") }
    if isSegmentation, keywords["memefficient_seg_resampling"]?.bool == true {
      throw refuse("memefficient_seg_resampling")
    }
    if let mode = keywords["mode"], mode.string != "linear" { throw refuse("mode") }
    if let mode = keywords["aniso_axis_mode"], mode.string != "nearest-exact" {
      throw refuse("aniso_axis_mode")
    }
    order = function == .spline ? keywords["order"]?.integer ?? 3 : 1
    axisOrder = function == .spline ? keywords["order_z"]?.integer ?? 0 : 0
    guard [0, 1, 3].contains(order) else { throw refuse("order") }
    guard [0, 1, 3].contains(axisOrder) else { throw refuse("order_z") }
    // Where the keyword is missing, nnU-Net's own default counts: the spline functions say False.
    if let force = keywords["force_separate_z"] {
      guard force.isNull || force.bool != nil else { throw refuse("force_separate_z") }
      forceSeparateZ = force.bool
    } else {
      forceSeparateZ = function == .torch ? nil : false
    }
    threshold = keywords["separate_z_anisotropy_threshold"]?.double ?? 3
  }

  /// How to resample a channel, or `nil` where it stays as it is.
  func resampling(
    from shape: [Int], to newShape: [Int], spacing: [Double], newSpacing: [Double], threads: Int
  ) -> VolumeResampling? {
    guard function != .none, shape != newShape else { return nil }
    let separate =
      function == .torchSimple ? nil : separateAxis(spacing: spacing, newSpacing: newSpacing)
    return VolumeResampling(
      shape: shape, newShape: newShape, axis: separate ?? 0, order: order,
      axisOrder: separate == nil ? order : axisOrder,
      clipping: function != .spline ? .none : separate == nil ? .volume : .plane,
      grid: function == .spline ? .scipy : .torch, threads: threads)
  }

  /// Whether sizes change at all.
  var keepsShape: Bool { function == .none }

  /// `determine_do_sep_z_and_axis`.
  private func separateAxis(spacing: [Double], newSpacing: [Double]) -> Int? {
    func coarsest(_ spacing: [Double]) -> [Int] {
      let largest = spacing.max() ?? 1
      return spacing.indices.filter { largest / spacing[$0] == 1 }
    }
    func isAnisotropic(_ spacing: [Double]) -> Bool {
      (spacing.max() ?? 1) / (spacing.min() ?? 1) > threshold
    }
    let axes: [Int]
    if let forceSeparateZ {
      axes = forceSeparateZ ? coarsest(spacing) : []
    } else if isAnisotropic(spacing) {
      axes = coarsest(spacing)
    } else if isAnisotropic(newSpacing) {
      axes = coarsest(newSpacing)
    } else {
      axes = []
    }
    return axes.count == 1 ? axes.first : nil
  }
}
