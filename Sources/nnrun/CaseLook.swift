// SPDX-License-Identifier: Apache-2.0
import CaseCommands
import Pipeline
import Preprocessing
import Report
import SWTFormat
import SWTRuntime

/// What people are shown of a case that has run. Its voxels are gone by then, so that it is read again.
struct CaseLook {
  private let reader: CaseReader
  private let thumbnails: CaseThumbnails

  init(_ pipeline: EncoderPipeline) {
    reader = pipeline.reader
    thumbnails = CaseThumbnails(pipeline.reader)
  }

  /// A small picture of a scan; `nil` of arrays.
  func thumbnail(_ entry: CaseList.Entry) throws -> Picture? { try thumbnails.picture(of: entry) }

  /// A case with its class activation maps.
  func mapped(
    _ outcome: CaseRunner.Outcome, _ maps: ActivationMaps, logits: [Float],
    _ classifier: Classifier
  ) throws -> MappedCase {
    let scan = try reader.read(outcome.entry)
    guard let channel = scan.channels.first, let place = scan.place else {
      throw PipelineError(.noPlace)
    }
    return MappedCase(
      name: outcome.name, maps: maps, logits: logits, classifier,
      volume: OrientedVolume(channel, place), place: place, isCT: thumbnails.isCT)
  }
}
