// SPDX-License-Identifier: Apache-2.0
internal import Preprocessing
internal import SWTFormat
internal import SWTRuntime

extension EncoderPipeline {
  /// What running a case would take.
  ///
  /// - Throws: `PipelineError` where the network cannot take its size; not for memory.
  public func estimate(_ scan: borrowing Case) throws(PipelineError) -> CaseEstimate {
    try estimate(scan.geometry, policy: policy, framing: scan.framing)
  }

  /// What running a case takes that was prepared ahead.
  package func estimate(_ ready: PreparedCase) throws(PipelineError) -> CaseEstimate {
    try estimate(
      ready.image.geometry, policy: policy, framing: framing(of: ready.image.shape))
  }

  /// Refuses a case that takes more memory than it may.
  package func check(_ estimate: CaseEstimate) throws(PipelineError) {
    guard let limit = reader.memory.limit, estimate.peakByteCount > limit else { return }
    var fitting: [InputPolicy] = []
    for policy in InputPolicy.allCases where policy != self.policy {
      let framing = InputFraming(
        policy, imageShape: estimate.geometry.shape, model: model.description)
      // A policy under which the network cannot run does not fit.
      if let other = try? self.estimate(estimate.geometry, policy: policy, framing: framing),
        other.peakByteCount <= limit
      {
        fitting.append(policy)
      }
    }
    throw PipelineError(
      .memory(
        needed: estimate.peakByteCount, limit: limit, policy: policy, fitting: fitting))
  }

  /// Of a case of that geometry, under any policy.
  func estimate(
    _ geometry: PreparedGeometry, policy: InputPolicy, framing: InputFraming
  ) throws(PipelineError) -> CaseEstimate {
    do throws(RuntimeError) {
      return CaseEstimate(
        geometry: geometry, policy: policy, framing: framing,
        program: try program(for: framing.inputShape, outputs: sessionOutputs(framing)),
        modelByteCount: model.byteCount, tellsNonzero: reader.tellsNonzero,
        mapByteCount: makesMaps ? MapSums.byteCount(model, geometry) : 0)
    } catch { throw PipelineError(.runtime(error)) }
  }

  /// Refuses an array file that takes more memory than it may while it is read.
  package func checkArray(byteCount: Int) throws(PipelineError) {
    try reader.memory.check(
      .reading, needed: CaseEstimate.baseByteCount + heldByteCount + byteCount, new: byteCount)
  }
}
