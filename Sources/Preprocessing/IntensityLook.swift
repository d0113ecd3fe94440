// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// Whether a channel's voxels can be those of a scan at all.
enum IntensityLook {
  /// From which share of one value on a scan is called mostly padding.
  static let paddingShare = 0.95

  /// One warning for all channels, or `nil`.
  ///
  /// - Parameter path: of the first file; `nil` for channels in memory.
  static func warning(_ channels: [Volume], path: String?) -> ScanWarning? {
    let problems = channels.enumerated().compactMap { index, channel -> String? in
      guard let problem = problem(of: channel) else { return nil }
      return channels.count == 1 ? problem : "channel \(index) \(problem)"
    }
    guard !problems.isEmpty else { return nil }
    let subject = path.map { "\(DisplayText.quoted($0)): " } ?? "the scan "
    return .intensities("\(subject)\(problems.joined(separator: "; ")); is this the right scan?")
  }

  private static func problem(of channel: Volume) -> String? {
    let values = channel.values
    // Padding lies in the corners.
    let (depth, height, width) = (channel.shape[0], channel.shape[1], channel.shape[2])
    let corners = [0, depth - 1].flatMap { z in
      [0, height - 1].flatMap { y in
        [0, width - 1].map { x in values[(z * height + y) * width + x] }
      }
    }
    let counts = Dictionary(corners.map { ($0, 1) }, uniquingKeysWith: +)
    guard let (padding, _) = counts.max(by: { $0.value < $1.value }) else { return nil }
    let count = values.withUnsafeBufferPointer { values in
      values.reduce(into: 0) { if $1 == padding { $0 += 1 } }
    }
    let text = padding == padding.rounded() && abs(padding) < 1e9 ? "\(Int(padding))" : "\(padding)"
    if count == values.count {
      return padding == 0 ? "is empty: all voxels are 0" : "is constant: all voxels are \(text)"
    }
    let share = Double(count) / Double(values.count)
    guard share >= paddingShare else { return nil }
    let tenths = min(Int(share * 1000), 999)
    return "is mostly padding: \(tenths / 10).\(tenths % 10) % of its voxels are \(text)"
  }
}
