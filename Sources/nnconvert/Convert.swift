// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Converter
import DICOM
import FileIO
import Preprocessing
import SWTFormat

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Convert a checkpoint into a .swt file.",
    discussion: """
      Examples:
        nnconvert convert fold_0/checkpoint_final.pth -o encoder.swt
        nnconvert convert model_folder/ --part network --fold 0 -o network.swt
      """)

  @Argument(
    help:
      "A checkpoint (.pth, v1 .model), a model folder, an exported zip, or a state dict with --plans.",
    completion: .file()
  )
  var input: String
  @Option(help: "What to keep: encoder or network.")
  var part = ModelDescription.Part.encoder
  @Option(help: "How to store the weights: f32, f16 or bf16. Arithmetic is always f32.")
  var dtype = TensorDataType.f32
  @Option(
    help: """
      What of a scan the encoder is run on: whole, sliding-window or center-crop (default: whole, \
      or sliding-window where the network takes one size only).
      """)
  var inputPolicy: InputPolicy?
  @Option(
    help: "A file with a linear head: .pth, .safetensors or scikit-learn's .npz.",
    completion: .file())
  var head: String?
  @Option(help: "How the training scans lie: where x, y and z point, e.g. LPS.")
  var orientation: Orientation?
  @Option(
    help: "A scan that lies as the training scans: its orientation is stored.", completion: .file())
  var like: String?
  @Option(
    help: ArgumentHelp(
      "What made the training scans from DICOM: as-scanned (SimpleITK), dcm2niix or dicom2nifti; runs on DICOM need it.",
      valueName: "convention"))
  var dicomConvention: String?
  @OptionGroup var headOptions: HeadOptions
  @OptionGroup var checkpointOptions: CheckpointOptions
  @OptionGroup var outputOptions: OutputOptions

  func validate() throws {
    guard head != nil || (headOptions.classNames == nil && headOptions.headPrefix == nil) else {
      throw ValidationError("--class-names and --head-prefix need --head")
    }
    guard orientation == nil || like == nil else {
      throw ValidationError("--orientation and --like say the same thing: give one")
    }
    if let dicomConvention, DICOMConvention(name: dicomConvention) == nil {
      throw ValidationError(
        "'\(dicomConvention)' is no DICOM convention: \(DICOMConvention.names.joined(separator: ", "))"
      )
    }
  }

  func run() throws {
    var options = ConversionOptions()
    options.part = part
    options.dataType = dtype
    options.inputPolicy = inputPolicy
    options.headPath = head
    // dicom2nifti gives every scan the same orientation, which is all there is to keep.
    let trained = try like.map { try NIfTIImage.orientation(ofFileAt: $0).description }
    options.orientation =
      orientation?.letters ?? trained ?? (dicomConvention == "dicom2nifti" ? "LAS" : nil)
    options.dicomConvention = dicomConvention == "dicom2nifti" ? nil : dicomConvention
    headOptions.apply(to: &options)
    checkpointOptions.apply(to: &options)
    outputOptions.apply(to: &options)
    let conversion = try Conversion(path: input, options: options)
    var progress = Progress(isShown: !outputOptions.quiet && StandardError.isTerminal)
    let report = try conversion.write(to: outputOptions.output) { progress.show(done: $0, of: $1) }
    progress.clear()
    try outputOptions.report(report)
  }
}
