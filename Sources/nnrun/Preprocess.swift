import ArgumentParser
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
    abstract: "Write what nnU-Net's preprocessing makes of a scan, or what the network gets.")

  @OptionGroup var model: ModelArgument
  @OptionGroup var cases: CaseArguments
  @Option(
    name: .shortAndLong,
    help: "The .npy to write, [C, z, y, x]; for several cases a folder.", completion: .file())
  var output: String?
  @Flag(help: "Write what the network gets: the input policy's windows, [N, C, z, y, x].")
  var asFed = false
  @Option(
    help: "A PNG that shows the scan and what the network sees of it, side by side.",
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
    let loaded = try model.load()
    let pipeline = cases.pipeline(loaded, outputs: SessionOutputs(), threads: model.threads)
    let list = try CaseList(
      inputs: cases.inputs, channelCount: loaded.description.preprocessing.channels.count)
    guard !list.isArrays else { throw InputError.arrays }
    let isSingle = list.entries.count == 1
    guard preview == nil || isSingle else { throw InputError.severalPreviews }
    if let output, !isSingle { try Folder.make(output) }
    let inputs = model.identities + list.identities
    var failed = 0
    var reports: [JSONValue] = []
    for entry in list.entries {
      let target = isSingle ? output : output.map { "\($0)/\(entry.name).npy" }
      do {
        let image = try prepare(entry, pipeline, target: target, inputs: inputs)
        reports.append(report(entry, image, pipeline))
      } catch {
        guard !isSingle else { throw error }
        failed += 1
        NNRun.tool.report(error, about: "case \(DisplayText.quoted(entry.name))")
        reports.append([
          "case": .string(entry.name), "error": .string(CommandLineTool.message(of: error)),
        ])
      }
    }
    if json {
      let report: JSONValue = [
        "nnrun_version": .string(NNRun.version), "model_id": .string(loaded.modelID),
        "cases": .array(reports),
      ]
      try StandardOutput.writeLine(report.prettyText)
    }
    guard failed == 0 else { throw CasesFailed(failed: failed, total: list.entries.count) }
  }

  private func prepare(
    _ entry: CaseList.Entry, _ pipeline: EncoderPipeline, target: String?,
    inputs: [MappedFile.Identity]
  ) throws -> PreparedImage {
    var scan = try pipeline.readTelling(entry.files)
    // The picture needs the scan as well as what becomes of it.
    let original = preview == nil ? nil : scan.channels
    let image = try pipeline.prepare(scan.takeChannels())
    if let preview, let original {
      try PreviewPicture(
        scan: original, orientation: scan.geometry.arrayOrientation, image: image,
        framing: pipeline.framing(of: image.shape),
        preprocessing: pipeline.model.description.preprocessing, title: entry.name
      ).picture().write(to: preview, inputs: inputs)
    }
    guard let target else { return image }
    guard asFed else {
      try NPYArray(shape: image.shape, values: image.values).write(to: target, inputs: inputs)
      return image
    }
    let framing = pipeline.framing(of: image.shape)
    let count = framing.inputShape.reduce(1, *)
    let (total, overflow) = count.multipliedReportingOverflow(by: 4 * framing.windowCount)
    guard !overflow, total <= pipeline.memoryLimit ?? .max else {
      throw InputError.windows(framing.windowCount, framing.inputShape)
    }
    var values = [Float](repeating: 0, count: count * framing.windowCount)
    values.withUnsafeMutableBufferPointer { values in
      for index in 0..<framing.windowCount {
        framing.copyWindow(
          index, of: image.values,
          into: UnsafeMutableBufferPointer(rebasing: values[index * count..<(index + 1) * count]))
      }
    }
    try NPYArray(shape: [framing.windowCount] + framing.inputShape, values: values)
      .write(to: target, inputs: inputs)
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
