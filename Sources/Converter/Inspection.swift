// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import Network
internal import PickleReader
package import SWTFormat

/// What a file is and what is in it, read from its headers only.
package struct Inspection: Sendable {
  /// A tensor by its canonical name.
  package struct Tensor: Sendable {
    /// Its canonical name.
    package var name: String
    /// Its logical shape, as in PyTorch.
    package var shape: [Int]
    /// Its number type in the file, such as `f32`.
    package var elementType: String
  }

  /// For people: what kind of file it is.
  package var kind: String
  /// The file's length in bytes.
  package var byteCount: Int
  /// What the model is, as far as the file says; the decoder included where it has one.
  package var description: ModelDescription?
  /// The model id of a `.swt` file.
  package var modelID: String?
  /// The tensors under their canonical names.
  package var tensors: [Tensor]
  /// Bytes of the optimizer's state, which a conversion drops.
  package var optimizerByteCount: Int
  /// Python names in the file's pickle, all on the list of harmless ones.
  package var pickleGlobals: [String]
  /// What the user should know.
  package var warnings: [String]
  /// Why the file cannot be converted; `nil` where it can, or is a `.swt` file.
  package var obstacle: ConversionError?

  /// Inspects a checkpoint, a model folder, an exported zip or a `.swt` file.
  ///
  /// - Throws: `ConversionError` where it cannot be opened or is none of these.
  package init(
    path: String, options: ConversionOptions = ConversionOptions()
  ) throws(ConversionError) {
    do {
      if !Folder.exists(path) {
        let file: MappedFile
        do { file = try MappedFile(path: path) } catch { throw ConversionError(error) }
        if FileKind.sniff(file.bytes) == .swt {
          let model = try SWTFile(file: file)
          try model.checkTensors()
          try self.init(model: model)
          return
        }
      }
      try self.init(try Checkpoint.openFolds(path: path, options: options), options: options)
    } catch { throw ConversionError(error, file: path) }
  }

  private init(model: SWTFile) throws {
    kind = "SWT \(model.formatVersion.major).\(model.formatVersion.minor) model"
    byteCount = model.byteCount
    description = model.description
    modelID = model.modelID
    tensors = model.tensors.map {
      Tensor(name: $0.name, shape: $0.shape, elementType: $0.dataType.rawValue)
    }
    optimizerByteCount = 0
    pickleGlobals = []
    warnings = []
  }

  private init(_ checkpoints: [Checkpoint], options: ConversionOptions) throws {
    let checkpoint = checkpoints[0]
    let weights = FoldedWeights(checkpoints)
    kind = checkpoint.kind + (checkpoints.count > 1 ? ", \(checkpoints.count) folds" : "")
    byteCount = checkpoints.reduce(0) { $0 + $1.source.count }
    tensors = weights.names.compactMap { name in
      weights[name].map {
        Tensor(name: name, shape: $0.shape, elementType: $0.elementType.rawValue)
      }
    }
    optimizerByteCount = checkpoint.optimizerByteCount
    pickleGlobals = checkpoint.pickleGlobals
    warnings = checkpoint.warnings
    do {
      let checked = try CheckedNetwork(checkpoint, options: options)
      warnings = checked.warnings
      for fold in checkpoints.dropFirst() {
        try CheckedNetwork.requireFit(of: fold, to: checked.network, options: options)
      }
    } catch {
      obstacle = ConversionError(error, file: "weights")
    }
    // What the plans say is worth knowing even where the weights do not fit them.
    if let network = try? PlannedNetwork(checkpoint, options: options, warn: { _ in }) {
      description = network.description(
        of: checkpoint, part: network.architecture.decoder == nil ? .encoder : .network)
    }
  }

  /// Numbers in all tensors together.
  package var parameterCount: Int { Self.count(tensors) }
  /// Numbers in the encoder's tensors.
  package var encoderParameterCount: Int {
    guard let description else {
      return Self.count(tensors.filter { $0.name.hasPrefix("encoder.") })
    }
    return Graph(description).parameters(of: .encoder).reduce(0) { $0 + $1.elementCount }
  }

  private static func count(_ tensors: [Tensor]) -> Int {
    // Saturating: expanded tensors may claim more elements than an Int holds in all.
    tensors.reduce(0) { sum, tensor in
      let (total, overflow) = sum.addingReportingOverflow(tensor.shape.reduce(1, *))
      return overflow ? Int.max : total
    }
  }
}
