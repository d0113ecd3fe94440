internal import CKernels
internal import SWTFormat

/// The sizes of one convolution with nnU-Net's padding, `(kernel − 1) / 2` zeros on every side.
struct ConvolutionGeometry: Sendable, Equatable {
  var inputChannels: Int
  var outputChannels: Int
  var kernel: Extent3
  var stride: Extent3
  var input: Extent3

  var padding: Extent3 { kernel.combined(with: kernel) { size, _ in (size - 1) / 2 } }

  var output: Extent3 {
    let span = input.combined(with: padding) { $0 + 2 * $1 }.combined(with: kernel, -)
    return span.combined(with: stride) { $0 / $1 + 1 }
  }

  /// Multiplications and additions of the plain algorithm.
  var flops: Double {
    2 * Double(output.count) * Double(kernel.count) * Double(inputChannels)
      * Double(outputChannels)
  }
}

extension ConvolutionGeometry {
  /// The geometry of one of the network's convolutions.
  init(_ block: ConvolutionBlock, input: Extent3) {
    self.init(
      inputChannels: block.inputChannels, outputChannels: block.outputChannels,
      kernel: Extent3(block.kernelSize), stride: Extent3(block.stride), input: input)
  }
}

/// What a convolution reads.
enum ConvolutionSource: Sendable, Equatable {
  /// The caller's array, `[channels][z][y][x]`.
  case networkInput
  /// Another layer's output.
  case feature(Feature)
}

/// A way to compute a convolution, made for one layer and one input shape.
///
/// The output is raw: no bias, no norm, no nonlinearity. Its statistics are taken while it is written.
protocol ConvolutionAlgorithm: Sendable {
  /// For people: which algorithm it is.
  var name: String { get }
  /// Scratch floats that every thread needs.
  var workspaceCount: Int { get }
  /// Bytes of weights in a form of its own, beside the file's.
  var weightByteCount: Int { get }
  /// Scratch floats that all threads share.
  var scratchCount: Int { get }
  /// The same with the same weights, for an input of another size.
  func resized(to input: Extent3) throws(RuntimeError) -> any ConvolutionAlgorithm
  /// Makes ready what does not depend on the input; once, before the first run.
  func prepare()
  /// Parts of the output whose statistics are taken each by itself.
  var momentGroups: Int { get }
  /// Convolves `source` into `output`, and makes `moments`, `[output block][group]`, its statistics.
  func run(
    _ source: ConvolutionSource, into output: Activation,
    moments: UnsafeMutablePointer<nn_moments>?, context: RunContext)
}

extension ConvolutionAlgorithm {
  var weightByteCount: Int { 0 }
  var scratchCount: Int { 0 }
  func prepare() {}
}

/// What a step has at hand while a session runs.
struct RunContext {
  /// The caller's input, `[channels][z][y][x]`; valid during the run only.
  let input: UnsafePointer<Float>
  let arena: Arena
  let team: ThreadTeam
  /// Scratch memory: `workspaceStep` floats for every worker.
  let workspace: ArenaRange
  let workspaceStep: Int
  /// Scratch memory that all threads share, of the step that runs.
  var scratch = ArenaRange(offset: 0, count: 0)

  func workspace(of worker: Int) -> UnsafeMutablePointer<Float> {
    arena[workspace] + worker * workspaceStep
  }
}
