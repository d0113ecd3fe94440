// SPDX-License-Identifier: Apache-2.0
public import ArgumentParser
import CaseCommands
import CommandLineInterface
import FileIO
import Pipeline
import Preprocessing
public import SWTFormat
import SWTRuntime

/// The cases a command works on, and how.
struct CaseArguments: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "NIfTI scans (one file per channel, joined by commas), folders of scans named case_0000.nii.gz, "
        + "folders of DICOM files, a .csv of cases, or preprocessed arrays (.npy), which are run exactly as given.",
      valueName: "input"), completion: .file())
  var inputs: [String] = []
  @Option(name: .customShort("i"), help: "An input, as nnU-Net spells it.", completion: .file())
  var moreInputs: [String] = []
  @Flag(
    help: "Take cases from stdin, one JSON object a line: {\"case\": …, \"images\": [file, …]}.")
  var stdin = false
  @Flag(help: "Look for scans in the folders below, too.")
  var recursive = false
  @Option(
    help: ArgumentHelp(
      "Folders are in BIDS: the suffix of every channel, e.g. T1w,FLAIR.", valueName: "suffixes"))
  var bids: String?
  @OptionGroup var dicom: DICOMArguments
  @Option(help: "How the network sees a scan: whole, sliding-window or center-crop.")
  var inputPolicy: InputPolicy?
  @Flag(help: "Turn scans to lie as the training scans, where the model says how those lie.")
  var reorient = false
  @OptionGroup var memory: MemoryArgument
  @OptionGroup var shares: ShareArguments
  @Flag(help: "Tell errors only.")
  var quiet = false
  @Flag(
    help: "Also tell the paths of DICOM files that cannot be read; they may hold people's names.")
  var verbose = false
  @Option(help: "A file that gets every message, too.", completion: .file())
  var log: String?

  func validate() throws {
    guard stdin == (inputs + moreInputs).isEmpty else {
      throw ValidationError(
        stdin ? "--stdin and inputs exclude each other" : "name an input, or use --stdin")
    }
    if log?.isEmpty == true { throw ValidationError("--log names no file") }
    guard !recursive || bids == nil else {
      throw ValidationError("--bids looks into all folders: leave out --recursive")
    }
    guard !stdin || !shares.isGiven else {
      throw ValidationError("--share is of no use with --stdin: name this machine's cases only")
    }
    if (inputs + moreInputs).contains("-") {
      throw ValidationError("'-' is no input — use --stdin for cases from stdin")
    }
  }

  /// What tells people how the work goes.
  func reporter() throws -> Reporter {
    Reporter(
      name: NNRun.tool.name, isQuiet: quiet, isVerbose: verbose,
      log: try log.map { try LogFile(path: $0, beginning: Reporter.line(NNRun.tool.name)) })
  }

  /// The log, which no result may replace.
  var logIdentity: [MappedFile.Identity] {
    [log.flatMap { MappedFile.identity(ofFileAt: $0) }].compactMap { $0 }
  }

  /// The cases that the inputs name; `nil` where they come from stdin.
  func list(for model: Model, _ reporter: Reporter) throws -> CaseList? {
    guard !stdin else {
      try dicom.tellConvention(for: nil, of: model.description.preprocessing, reporter)
      return nil
    }
    let inputs = inputs + moreInputs
    if let path = inputs.first(where: { $0.lowercased().hasSuffix(".swt") }) {
      throw InputError.modelAsScan(path)
    }
    let channels = model.description.preprocessing.channels.map(\.name)
    let list = try CaseList(
      inputs: inputs, channels: channels, layout: layout(channels), dicom: dicom.choice)
    list.notes.forEach(reporter.note)
    try dicom.tellConvention(for: list, of: model.description.preprocessing, reporter)
    guard let share = try shares.resolved() else { return list }
    let part = list.taking(share)
    reporter.note(
      "share \(share.text): \(part.entries.count) of \(list.entries.count) cases")
    return part
  }

  /// What reads the cases of stdin.
  func lines(for model: Model) -> CaseLines {
    CaseLines(
      channels: model.description.preprocessing.channels.map(\.name), dicom: dicom.choice)
  }

  /// The options that decide which cases there are and how they are run, as they are written.
  var spelled: [String] {
    var words: [String] = recursive ? ["--recursive"] : []
    if let bids { words += ["--bids", bids] }
    words += dicom.spelled
    if let inputPolicy { words += ["--input-policy", inputPolicy.rawValue] }
    if reorient { words.append("--reorient") }
    return words
  }

  private func layout(_ channels: [String]) throws -> ScanFolder.Layout {
    guard let bids else { return recursive ? .recursive : .flat }
    let suffixes = bids.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard suffixes.count == channels.count, Set(suffixes).count == suffixes.count,
      suffixes.allSatisfy({ !$0.isEmpty })
    else { throw InputError.suffixes(suffixes.count, channels: channels) }
    return .bids(suffixes: suffixes)
  }

  /// A pipeline for `model`; a note is told where the model's policy is overridden.
  ///
  /// - Parameter pooling: what pooled features are; by default what the classifier reads, where its logits are
  ///   asked for, else the mean of the last stage.
  func pipeline(
    _ model: Model, outputs: SessionOutputs, pooling: [Classifier.Pooling]? = nil, threads: Int?,
    precision: Precision = .f32, makesMaps: Bool = false, _ reporter: Reporter
  ) throws -> EncoderPipeline {
    let stored = model.description.inputPolicy
    if let inputPolicy, inputPolicy != stored {
      reporter.note(
        "input policy '\(inputPolicy.rawValue)' instead of the model's '\(stored.rawValue)'")
    }
    tellFolds(of: model, reporter)
    return EncoderPipeline(
      model: model, policy: inputPolicy, outputs: outputs,
      pooling: pooling ?? (outputs.logits ? model.description.classifier?.pooling : nil),
      threads: threads, precision: precision, memoryLimit: memory.maxMemory,
      turningTo: try orientation(for: model),
      makesMaps: makesMaps)
  }

  /// What scans are turned to, where that is asked for.
  func orientation(for model: Model) throws -> ScanOrientation? {
    guard reorient else { return nil }
    guard let orientation = model.description.preprocessing.trainedOrientation else {
      throw InputError.noOrientation
    }
    return orientation
  }

  /// Says that results are means over a model's folds.
  func tellFolds(of model: Model, _ reporter: Reporter) {
    let folds = model.description.folds.map { DisplayText.escaped($0.name) }
    guard !folds.isEmpty else { return }
    reporter.note("results are means over \(folds.count) folds (\(folds.joined(separator: ", ")))")
  }
}

extension InputPolicy: ExpressibleByArgument {}
