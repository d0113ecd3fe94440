// SPDX-License-Identifier: Apache-2.0
public import ArgumentParser
import CommandLineInterface
import Converter
import FileIO
public import SWTFormat

extension ModelDescription.Part: ExpressibleByArgument {}
extension TensorDataType: ExpressibleByArgument {}
extension InputPolicy: ExpressibleByArgument {}
extension Classifier.Activation: ExpressibleByArgument {}
extension Transformer.TokenOrder: ExpressibleByArgument {}

/// Options about a checkpoint that stands as input.
struct CheckpointOptions: ParsableArguments {
  @Option(help: "Use these plans instead of the checkpoint's own.", completion: .file())
  var plans: String?
  @Option(help: "The configuration in the plans, e.g. 3d_fullres.")
  var configuration: String?
  @Option(
    name: .customLong("dataset-json"),
    help: "Use this dataset.json instead of the checkpoint's own.", completion: .file())
  var datasetJSON: String?
  @Option(help: "Which of several model folders: Trainer__Plans__configuration.")
  var modelFolder: String?
  @Option(
    name: [.long, .customShort("f")],
    help: "Which fold of a model folder: a number, or all; several as 0,1,2 or all-trained.")
  var fold: String?
  @Option(
    name: [.long, .customLong("chk", withSingleDash: true)],
    help: "Which checkpoint of a fold: final, best, latest, or a file's name.")
  var checkpoint = "final"
  @Option(help: "Where in the file the weights lie, e.g. teacher, where there are several.")
  var weightsKey: String?
  @Option(help: "What stands before the encoder's names, e.g. student., where there are several.")
  var prefix: String?
  @Option(help: "Spacing z,y,x in mm to resample scans to, for plans that name none.")
  var spacing: Spacing?
  @Option(help: "How many heads a Primus has, where nothing in its checkpoint says it.")
  var heads: Int?
  @Option(help: "In which order a Primus was trained with its tokens: whd (nnU-Net today) or hwd.")
  var tokenOrder: Transformer.TokenOrder?
  @Option(help: "Size z,y,x to convert a Primus for: its position embedding is resampled.")
  var inputSize: InputSize?
  @Flag(help: "Keep unknown Python objects outside the weights as inert values.")
  var tolerateUnknownObjects = false

  func apply(to options: inout ConversionOptions) {
    options.plansPath = plans
    options.configuration = configuration
    options.datasetPath = datasetJSON
    options.modelFolder = modelFolder
    options.fold = fold
    options.checkpoint = checkpoint
    options.weightsKey = weightsKey
    options.prefix = prefix
    options.spacing = spacing?.millimetres
    options.heads = heads
    options.tokenOrder = tokenOrder
    options.inputSize = inputSize?.sizes
    options.toleratesUnknownObjects = tolerateUnknownObjects
  }
}

/// Where x, y and z of an array point: a letter each of L or R, P or A, S or I.
struct Orientation: ExpressibleByArgument {
  let letters: String

  init?(argument: String) {
    letters = argument.uppercased()
    let directions = [Set("LR"), Set("PA"), Set("SI")]
    guard letters.count == 3,
      directions.allSatisfy({ pair in letters.filter(pair.contains).count == 1 })
    else { return nil }
  }
}

/// Three sizes in voxels, separated by commas or `x`.
struct InputSize: ExpressibleByArgument {
  let sizes: [Int]

  init?(argument: String) {
    let parts = argument.split { $0 == "," || $0 == "x" || $0 == "×" }
    sizes = parts.compactMap { Int($0) }.filter { (1...4096).contains($0) }
    guard parts.count == 3, sizes.count == 3 else { return nil }
  }
}

/// Two or three numbers, lengths in mm, separated by commas or `x`.
struct Spacing: ExpressibleByArgument {
  let millimetres: [Double]

  init?(argument: String) {
    let parts = argument.split { $0 == "," || $0 == "x" || $0 == "×" }
    millimetres = parts.compactMap { Double($0) }
    guard (2...3).contains(parts.count), millimetres.count == parts.count else { return nil }
  }
}

/// Options about a linear head.
struct HeadOptions: ParsableArguments {
  @Option(help: "Name of the linear layer in the head's file, where there are several.")
  var headPrefix: String?
  @Option(help: "Names of the classes, separated by commas.")
  var classNames: String?
  @Option(help: "What turns logits into probabilities (default: softmax, one output: sigmoid).")
  var activation: Classifier.Activation?
  @Flag(help: "Take a head although its file names another model or input policy.")
  var ignoreOrigin = false

  func apply(to options: inout ConversionOptions) {
    options.headPrefix = headPrefix
    options.classNames =
      classNames?.split(separator: ",", omittingEmptySubsequences: false).map(String.init) ?? []
    options.activation = activation
    options.ignoresHeadOrigin = ignoreOrigin
  }
}

/// Options about the output.
struct OutputOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: "The .swt file to write.", completion: .file())
  var output: String
  @Flag(help: "Replace an existing output.")
  var force = false
  @Flag(help: "Keep NaN and infinity in the weights.")
  var allowNonfinite = false
  @Flag(help: "Say nothing but errors.")
  var quiet = false
  @Flag(help: "Report as JSON.")
  var json = false

  func validate() throws { try Self.check(output, ending: ".swt") }

  /// Refuses what is no name for a file with that ending.
  static func check(_ path: String, ending: String) throws {
    guard let problem = OutputName.problem(path, ending: ending), !Folder.exists(path) else {
      return
    }
    throw ValidationError(
      "output \(DisplayText.quoted(path)) \(problem)")
  }

  func apply(to options: inout ConversionOptions) {
    options.replacesOutput = force
    options.allowsNonFinite = allowNonfinite
  }

  /// Reports what was written.
  func report(_ report: ConversionReport) throws {
    if !quiet { report.warnings.forEach(Reporter(name: NNConvert.tool.name).warn) }
    try ReportWriter(isJSON: json, isQuiet: quiet).write(report, output: output)
  }
}
