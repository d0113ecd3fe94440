// SPDX-License-Identifier: Apache-2.0
/// How the scans of a run lie, counted, for one warning in the end.
///
/// nnU-Net's plain readers ignore direction, so that a scan that lies otherwise than those trained on goes to
/// the network on its side or mirrored. Scans that all lie alike are right more often than not.
package struct OrientationTally: Sendable {
  /// How training scans lie, where the model says.
  private let trained: ScanOrientation?
  private var counts: [ScanOrientation: Int] = [:]

  package init(trained: ScanOrientation?) { self.trained = trained }

  /// Counts a scan as the network gets it; scans that the reader turns always lie alike.
  package mutating func add(_ geometry: ScanGeometry) {
    guard !geometry.reader.reorients, let orientation = geometry.arrayOrientation else { return }
    counts[orientation, default: 0] += 1
  }

  /// Counts what another pipeline of the run has counted.
  package mutating func add(_ other: OrientationTally) {
    counts.merge(other.counts, uniquingKeysWith: +)
  }

  /// What a person should know; `nil` where all scans lie as they should.
  package var warning: ScanWarning? {
    let others = counts.filter { $0.key != trained }
    guard trained == nil ? counts.count > 1 : !others.isEmpty else { return nil }
    let listed = others.sorted { ($1.value, $0.key.description) < ($0.value, $1.key.description) }
      .map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    let total = counts.values.reduce(0, +)
    return .orientations(
      trained.map {
        "\(others.values.reduce(0, +)) of \(total) scans do not lie as the training scans (\($0)): \(listed)"
      } ?? "\(total) scans lie in \(counts.count) ways: \(listed)")
  }
}
