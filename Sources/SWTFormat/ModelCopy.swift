// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// A model's file written anew under another description, with some of its tensors replaced: a
/// fitted head put on an encoder, or stages that were fine-tuned.
package struct ModelCopy: Sendable {
  private let source: SWTFile
  private let description: ModelDescription
  private let headDataType: TensorDataType
  private let newValues: @Sendable (String) throws -> [Float]?

  /// - Parameters:
  ///   - source: the model.
  ///   - description: what the new file says; its network is that of `source`, its classifier may
  ///     be another.
  ///   - headDataType: how the classifier's matrices are stored; its vectors are `f32`.
  ///   - newValues: a tensor's values by its name in the network, row-major, the same for every fold; `nil`
  ///     for what `source` has. Called on any thread.
  package init(
    of source: SWTFile, description: ModelDescription, headDataType: TensorDataType = .f32,
    newValues: @escaping @Sendable (String) throws -> [Float]?
  ) {
    self.source = source
    self.description = description
    self.headDataType = headDataType
    self.newValues = newValues
  }

  /// Writes the file, atomically.
  ///
  /// - Throws: `SWTError`, also where a tensor has neither new values nor old ones of its shape, or
  ///   what `newValues` throws.
  package func write(
    to path: String, replacing: Bool, inputs: [MappedFile.Identity] = [],
    threads: Int = ProcessorCount.available
  ) throws -> SWTWriter.Summary {
    try SWTWriter.write(
      description, tensors: tensors, to: path, replacing: replacing,
      inputs: inputs + [source.identity], threads: threads)
  }

  private var tensors: [SWTWriter.Tensor] {
    let prefixes = description.folds.isEmpty ? [""] : description.folds.map(\.prefix)
    return prefixes.flatMap { prefix in
      let network = source.tensors.filter {
        $0.name.hasPrefix(prefix) && !$0.name.hasPrefix(prefix + Classifier.tensorPrefix)
      }
      return network.map {
        tensor(
          String($0.name.dropFirst(prefix.count)), of: prefix, shape: $0.shape, layout: $0.layout,
          dataType: $0.dataType)
      }
        + (description.classifier?.tensors ?? []).map { name, shape in
          tensor(
            name, of: prefix, shape: shape, layout: .rowMajor,
            dataType: shape.count > 1 ? headDataType : .f32)
        }
    }
  }

  private func tensor(
    _ name: String, of prefix: String, shape: [Int], layout: TensorLayout, dataType: TensorDataType
  ) -> SWTWriter.Tensor {
    let fullName = prefix + name
    return SWTWriter.Tensor(name: fullName, shape: shape, layout: layout, dataType: dataType) {
      buffer in
      let entry = source.entry(named: fullName)
      let values = try newValues(name) ?? entry.map { source.values(of: $0) }
      guard let values else { throw SWTError(.missingTensor(name: fullName)) }
      guard values.count == buffer.count else {
        throw SWTError(.tensorShape(name: fullName, found: [values.count], expected: shape))
      }
      _ = buffer.update(from: values)
    }
  }
}
