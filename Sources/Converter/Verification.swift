// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import Network
internal import PickleReader
package import SWTFormat

/// Checks a model file: every hash, every padding byte, and on request every number against the
/// checkpoint it came from.
package struct Verification: Sendable {
  /// A tensor that differs from its source.
  package struct Difference: Sendable {
    /// The tensor's name.
    package var name: String
    /// The largest absolute difference; `nil` where shapes differ.
    package var largest: Float?
    /// `nil` where the checkpoint has no such tensor.
    package var checkpointShape: [Int]?
    package var shape: [Int]
  }

  /// The model's id.
  package let modelID: String
  /// The narrower number types in which tensors are stored: comparisons round their sources.
  package var narrowTypes: [TensorDataType] {
    TensorDataType.allCases.filter { type in
      type != .f32 && model.tensors.contains { $0.dataType == type }
    }
  }
  /// The stages that `nntrain` trained: they are no longer the checkpoint's.
  package var trainedStages: [Int] { model.description.provenance.training?.trainedStages ?? [] }
  /// How many tensors were checked.
  package let tensorCount: Int
  private let model: SWTFile

  /// Opens a model and checks the hash of its header and of every tensor.
  ///
  /// - Throws: `ConversionError` where it cannot be opened, is damaged or not supported.
  package init(path: String) throws(ConversionError) {
    do {
      model = try SWTFile(modelAt: path, verifyingTensors: true)
    } catch { throw ConversionError(error, file: path) }
    modelID = model.modelID
    tensorCount = model.tensors.count
  }

  /// The tensors that are not those of the checkpoint: equal bit for bit, or for narrowed types
  /// equal to the source rounded to that type. A head is not in the checkpoint and is left out, and so are
  /// stages that were fine-tuned.
  ///
  /// - Throws: `ConversionError` where the checkpoint cannot be opened or read.
  package func differences(
    against checkpointPath: String, options: ConversionOptions = ConversionOptions()
  ) throws(ConversionError) -> [Difference] {
    do {
      if !Folder.exists(checkpointPath), let file = try? MappedFile(path: checkpointPath),
        FileKind.sniff(file.bytes) == .swt
      {
        throw ConversionError(
          .options(
            problem: "\(DisplayText.quoted(checkpointPath)) is a model, not the checkpoint of one",
            advice: "compare two models with nnconvert diff"))
      }
      let folds = model.description.folds
      var source = options
      if !folds.isEmpty {
        let names = folds.map(\.name).joined(separator: ",")
        guard [nil, names, Checkpoint.allTrainedFolds].contains(options.fold) else {
          throw ConversionError(
            .options(
              problem: "the model holds the folds \(names), which are compared together",
              advice: "leave out \(.fold)"))
        }
        source.fold = names
      }
      let weights = FoldedWeights(
        try Checkpoint.openFolds(path: checkpointPath, options: source))
      let head = Set(Graph(model.description).parameters(of: .head).map(\.name))
      return try model.tensors.compactMap { entry in
        let fold = folds.firstIndex { entry.name.hasPrefix($0.prefix) }
        let name = String(entry.name.dropFirst(fold.map { folds[$0].prefix.count } ?? 0))
        guard !head.contains(name), !isTrained(name) else { return nil }
        let source = weights[entry.name]
        var difference = Difference(
          name: entry.name, checkpointShape: source?.shape, shape: entry.shape)
        guard let source, source.shape == entry.shape else { return difference }
        let expected = try source.values()
        let stored = model.values(of: entry)
        var largest: Float = 0
        for (stored, value) in zip(stored, expected) {
          let rounded = entry.dataType.rounded(value)
          guard stored.bitPattern != rounded.bitPattern else { continue }
          largest = max(largest, abs(stored - rounded), .leastNonzeroMagnitude)
        }
        difference.largest = largest
        return largest == 0 ? nil : difference
      }
    } catch { throw ConversionError(error, file: checkpointPath) }
  }

  private func isTrained(_ name: String) -> Bool {
    trainedStages.contains { stage in
      name.hasPrefix("encoder.stages.\(stage).") || stage == 0 && name.hasPrefix("encoder.stem.")
    }
  }
}
