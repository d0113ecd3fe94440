// SPDX-License-Identifier: Apache-2.0
/// What is odd about a stack but not wrong.
struct StackWarnings {
  let lines: [String]

  /// Only where a stack is all of its series do instance numbers tell that some are missing.
  init(_ slices: [Slice], name: String, isWholeSeries: Bool) {
    var lines: [String] = []
    let numbers = Set(slices.compactMap(\.instanceNumber))
    if isWholeSeries, numbers.count == slices.count, let last = numbers.max() {
      // Only gaps within the numbers tell of a slice that is missing at an end.
      let missing = (min(1, numbers.min() ?? 1)...last).lazy.filter { !numbers.contains($0) }
      let shown = missing.prefix(4).map { "\($0)" }
      if last - numbers.count < 10_000, !shown.isEmpty {
        lines.append(
          "series \(name): instances \(shown.prefix(3).joined(separator: ", "))"
            + (shown.count > 3 ? ", …" : "") + " are missing: was all of it exported?")
      }
    }
    if slices.count == 1, slices[0].thickness == nil {
      lines.append("series \(name): one slice without thickness, taken as 1 mm")
    }
    if slices[0].series.modality == "PT" {
      lines.append(
        "series \(name): PET as it is stored, not as SUV: training on SUV needs converted scans")
    }
    if slices.contains(where: \.hasBurnedInText) {
      lines.append("series \(name): text is burned into the pixels, and shows in pictures of them")
    }
    self.lines = lines
  }
}
