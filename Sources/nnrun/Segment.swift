// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CommandLineInterface
import FileIO
import Pipeline
import Preprocessing
import SWTFormat
import SWTRuntime

struct Segment: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Segment scans as nnUNetv2_predict does, with the same result.",
    discussion: """
      Writes a label image per case, in nnU-Net's naming and with its header, and one JSON object per \
      case to stdout: voxels, volume, box, centroid and components of every label. Models are converted \
      with 'nnconvert convert --part network'. A cascade's two stages run in one go.

      nnU-Net's spellings are taken, too: -i, -m, -f, -chk, --disable_tta, -step_size, \
      --save_probabilities, --continue_prediction, -prev_stage_predictions.

      Examples:
        nnrun segment network.swt scan.nii.gz -o labels.nii.gz
        nnrun segment network.swt folder/ -o labels/
        nnrun segment --model lowres.swt --model cascade.swt folder/ -o labels/
      """)

  @Option(
    name: [.customLong("model"), .customShort("m")],
    help:
      "A .swt file; twice for a cascade, its first stage first. Without it the first input is the model.",
    completion: .file(extensions: ["swt"]))
  var models: [String] = []
  @OptionGroup var cases: CaseArguments
  @Option(
    name: .shortAndLong,
    help: "A .nii or .nii.gz for one case, else a folder for <case>.nii.gz.", completion: .file())
  var output: String
  @OptionGroup var windows: WindowArguments
  @Option(
    name: [
      .customLong("previous"), .customLong("prev_stage_predictions", withSingleDash: true),
    ],
    help: "For a cascade's second stage: what the first one made, a file or a folder of them.",
    completion: .file())
  var previous: String?
  @Option(
    help: "A postprocessing.json that nnU-Net wrote for this model.",
    completion: .file(extensions: ["json"]))
  var postprocessing: String?
  @Option(help: "Labels to keep, by name, e.g. liver,tumour; the others become background.")
  var labels: String?
  @Flag(
    name: [.customLong("skip-done"), .customLong("continue_prediction"), .customLong("c")],
    help: "Leave out cases whose output is there.")
  var skipDone = false
  @Option(
    help: "A PNG that shows three planes of the only case with the outlines of its labels.",
    completion: .file())
  var preview: String?
  @Option(help: "Threads (default: the processors this process may use).")
  var threads: Int?

  func validate() throws {
    guard models.count <= 2 else { throw ValidationError("--model is given at most twice") }
    guard models.count < 2 || previous == nil else {
      throw ValidationError("--previous is what the first of two models makes: leave one out")
    }
    guard !cases.stdin else { throw ValidationError("--stdin goes with classify and features") }
    guard cases.inputPolicy == nil else {
      throw ValidationError("--input-policy is of no use here: windows always slide")
    }
    if keptLabels?.isEmpty == true { throw ValidationError("--labels names no label") }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads must be 1…1024")
    }
  }

  func run() throws {
    let interruption = Interruption()
    let reporter = try cases.reporter()
    var cases = cases
    var paths = models
    if paths.isEmpty, !cases.inputs.isEmpty { paths = [cases.inputs.removeFirst()] }
    guard !(cases.inputs + cases.moreInputs).isEmpty, !paths.isEmpty else {
      throw ValidationError("name a scan after the model")
    }
    let models = try paths.map { try ModelArgument.load($0) }
    windows.tellCheckpoint(reporter)
    let stages = try SegmentationStages(
      models, options: options(), cases: cases, threads: threads, reporter)
    guard let list = try cases.list(for: models[0], reporter) else { return }
    guard !list.isArrays else { throw InputError.arrays }
    if preview != nil, list.entries.count != 1 { throw InputError.severalPreviews }
    let files = paths + [previous, postprocessing].compactMap { $0 }
    let identities =
      files.compactMap { MappedFile.identity(ofFileAt: $0) } + cases.logIdentity
      + list.identities
    if let preview { try OutputFile.check(preview, ending: ".png", inputs: identities) }
    let outputs = try SegmentationOutputs(
      ShareArguments.path(output, list.part?.share), list: list,
      ending: models[0].description.preprocessing.fileEnding,
      inputs: identities)
    let runner = SegmentationRunner(
      stages: stages, outputs: outputs, previous: previous.map { PreviousSegmentations($0) },
      savesProbabilities: windows.saveProbabilities, preview: preview, skipsDone: skipDone,
      reporter: reporter,
      interruption: interruption)
    try runner.run(list)
  }

  private var keptLabels: [String]? { labels.map { $0.split(separator: ",").map(String.init) } }

  private func options() throws -> SegmentationOptions {
    var options = windows.options
    options.postprocessing = try postprocessing.map { try Postprocessing(contentsOf: $0) }
    options.labels = keptLabels
    return options
  }
}
