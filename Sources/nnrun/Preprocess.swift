// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CaseCommands
import CommandLineInterface
import FileIO
import NPY
import Pipeline
import Preprocessing
import Report
import SWTFormat
import SWTRuntime

struct Preprocess: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write what nnU-Net's preprocessing makes of a scan, or what the network gets.",
    discussion: """
      Examples:
        nnrun preprocess model.swt scan.nii.gz -o array.npy --preview look.png
        nnrun preprocess model.swt folder/ --preview sheet.png
      """)

  @OptionGroup var model: ModelArgument
  @OptionGroup var cases: CaseArguments
  @Option(
    name: .shortAndLong,
    help: "The .npy to write, [C, z, y, x]; for a folder, a table or several cases a folder.",
    completion: .file())
  var output: String?
  @Flag(help: "Write what the network gets: the input policy's windows, [N, C, z, y, x].")
  var asFed = false
  @Option(
    help:
      "A PNG that shows the scan and what the network sees of it; of several cases a slice of each.",
    completion: .file())
  var preview: String?
  @Flag(help: "Report sizes, spacing and crop as JSON.")
  var json = false

  func validate() throws {
    guard output != nil || preview != nil else {
      throw ValidationError("name what to write: --output, --preview or both")
    }
    guard !cases.stdin else { throw ValidationError("--stdin goes with classify and features") }
  }

  func run() throws {
    let interruption = Interruption()
    let reporter = try cases.reporter()
    let loaded = try model.load()
    let pipeline = try cases.pipeline(
      loaded, outputs: SessionOutputs(), threads: model.threads, reporter)
    guard let list = try cases.list(for: loaded, reporter) else { return }
    guard !list.isArrays else { throw InputError.arrays }
    let output = output.map { ShareArguments.path($0, list.part?.share) }
    let inputs = model.identities + cases.logIdentity + list.identities
    if let preview { try OutputFile.check(preview, ending: ".png", inputs: inputs) }
    // Of several cases a slice each.
    var sheet = preview == nil || list.entries.count == 1 ? nil : ContactSheet()
    if let output {
      if list.isSingle {
        try OutputFile.check(output, ending: ".npy", inputs: inputs)
      } else {
        try OutputFile.makeFolder(output)
      }
    }
    let isCT =
      loaded.description.preprocessing.channels.first?.normalizationScheme == "CTNormalization"
    var failed = 0
    var reports: [JSONValue] = []
    for entry in list.entries {
      guard !interruption.hasCome else { break }
      do {
        let target = try output.map { output in
          guard !list.isSingle else { return output }
          let path = "\(output)/\(entry.name).npy"
          try Folder.make(parentsOf: path, below: output)
          return path
        }
        if case .unusable(let error) = entry.source { throw error }
        let scan = try pipeline.readTelling(entry, reporter)
        if sheet != nil, let channel = scan.channels.first {
          sheet?.add(entry.name, OrientedVolume(channel, scan.place), isCT: isCT)
        }
        guard target != nil || json || sheet == nil else { continue }
        let image = try prepare(
          scan, of: entry, pipeline, target: target, preview: sheet == nil ? preview : nil,
          inputs: inputs)
        reports.append(report(entry, image, pipeline))
      } catch {
        guard !list.isSingle else { throw error }
        failed += 1
        reporter.report(error, about: "case \(DisplayText.quoted(entry.name))")
        reports.append([
          "case": .string(entry.name), "error": .string(CommandLineTool.message(of: error)),
        ])
      }
    }
    pipeline.tellOrientations(reporter)
    if let preview, let sheet, !sheet.isEmpty {
      if sheet.isFull { reporter.note("the picture shows the first \(sheet.count) cases") }
      try sheet.picture().write(to: preview, inputs: inputs)
    }
    if json {
      let report: JSONValue = [
        "nnrun_version": .string(NNRun.version), "model_id": .string(loaded.modelID),
        "cases": .array(reports),
      ]
      try StandardOutput.writeLine(report.prettyText)
    }
    if interruption.hasCome {
      reporter.warn(
        "interrupted after \(reports.count) of \(list.entries.count) cases — run the others by themselves"
      )
      interruption.die()
    }
    guard failed == 0 else { throw CasesFailed(failed: failed, total: list.entries.count) }
  }

  private func prepare(
    _ scan: consuming Case, of entry: CaseList.Entry, _ pipeline: EncoderPipeline, target: String?,
    preview: String?, inputs: [MappedFile.Identity]
  ) throws -> PreparedImage {
    // The picture needs the scan as well as what becomes of it.
    let original = preview == nil ? [] : scan.channels
    let held = original.reduce(0) { $0 + $1.values.count * MemoryLayout<Float>.stride }
    let (framing, orientation) = (scan.framing, scan.place?.arrayOrientation)
    let image = try pipeline.prepare(scan, held: held)
    if let preview {
      try PreviewPicture(
        scan: original, orientation: orientation, image: image,
        framing: framing,
        preprocessing: pipeline.model.description.preprocessing, title: entry.name
      ).picture().write(to: preview, inputs: inputs)
    }
    guard let target else { return image }
    guard asFed else {
      try NPYArray(shape: image.shape, values: image.values).write(to: target, inputs: inputs)
      return image
    }
    // One window after the other: all of them may be many times the image.
    var windows = try NPYStream(path: target, shape: framing.inputShape, inputs: inputs)
    let window = UnsafeMutableBufferPointer<Float>.allocate(
      capacity: framing.inputShape.reduce(1, *))
    window.initialize(repeating: 0)
    defer { window.deallocate() }
    for index in 0..<framing.windowCount {
      framing.copyWindow(index, of: image.values, into: window)
      try windows.append(UnsafeBufferPointer(window))
    }
    try windows.commit()
    return image
  }

  private func report(
    _ entry: CaseList.Entry, _ image: PreparedImage, _ pipeline: EncoderPipeline
  ) -> JSONValue {
    let geometry = image.geometry
    let framing = pipeline.framing(of: image.shape)
    return [
      "case": .string(entry.name), "shape": JSONValue(geometry.shape),
      "spacing": JSONValue(geometry.spacing),
      "original_shape": JSONValue(geometry.originalShape),
      "original_spacing": JSONValue(geometry.originalSpacing),
      "crop_box": .array(geometry.cropBox.map { JSONValue([$0.lowerBound, $0.upperBound]) }),
      "input_policy": .string(pipeline.policy.rawValue),
      "windows": .integer(framing.windowCount), "window_shape": JSONValue(framing.inputShape),
    ]
  }
}
