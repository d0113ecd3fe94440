// SPDX-License-Identifier: Apache-2.0
package import Preprocessing
public import SWTFormat
package import SWTRuntime

/// What running one case would take, worked out before it is done.
public struct CaseEstimate: Sendable {
  /// What preprocessing makes of it.
  package let geometry: PreparedGeometry
  /// How the network looks at that.
  public let policy: InputPolicy
  /// The windows.
  package let framing: InputFraming
  /// The run over one window.
  package let program: Program
  /// The model file's size; all of it is in memory while the network runs.
  let modelByteCount: Int
  /// Whether the nonzero region is kept beside the image.
  let tellsNonzero: Bool
  /// Bytes that class activation maps take; 0 where none are made.
  let mapByteCount: Int

  /// What the process itself takes.
  package static let baseByteCount = 32_000_000

  /// Multiplications and additions of the plain algorithm, over all windows.
  package var flops: Double { program.flops * Double(framing.windowCount) }

  /// The most bytes that the process holds at one time.
  public var peakByteCount: Int {
    // Where features of the nonzero region are wanted, that region is a channel more.
    let channels = geometry.shape[0] + (tellsNonzero ? 1 : 0)
    let floats =
      (geometry.shape.dropFirst().reduce(1, *) + framing.windowShape.reduce(1, *)) * channels
    let running =
      floats * MemoryLayout<Float>.stride + program.byteCount + modelByteCount
      + mapByteCount
    return Self.baseByteCount + max(preparingByteCount, running)
  }

  /// The most bytes that preparing the case holds, the process left out.
  package var preparingByteCount: Int {
    let cropped = geometry.cropBox.reduce(1) { $0 * $1.count }
    let region =
      tellsNonzero
      ? cropped + (cropped + geometry.shape.dropFirst().reduce(1, *)) * MemoryLayout<Float>.stride
      : 0
    return geometry.peakByteCount + region
  }
}
