// SPDX-License-Identifier: Apache-2.0
package import SWTFormat

extension Graph {
  /// Checks that a file's tensors are those that the network reads, no more and no fewer; in a file of
  /// several folds those of each, under its prefix, with one classifier for all.
  ///
  /// - Throws: `SWTError`, naming the tensor that is missing, unexpected, or of another shape or layout.
  package func check(
    _ tensors: [TensorEntry], folds: [ModelDescription.Fold] = []
  ) throws(SWTError) {
    var found: [String: TensorEntry] = [:]
    for tensor in tensors { found[tensor.name] = tensor }
    var classifier: [String: String] = [:]
    for prefix in folds.isEmpty ? [""] : folds.map(\.prefix) {
      for parameter in parameters {
        let name = prefix + parameter.name
        guard let tensor = found.removeValue(forKey: name) else {
          throw SWTError(.missingTensor(name: name))
        }
        guard tensor.shape == parameter.shape else {
          throw SWTError(.tensorShape(name: name, found: tensor.shape, expected: parameter.shape))
        }
        guard tensor.layout == parameter.layout else {
          throw SWTError(
            .tensorLayout(
              name: name, found: tensor.layout.rawValue,
              expected: parameter.layout.rawValue))
        }
        guard parameter.name.hasPrefix(Classifier.tensorPrefix) else { continue }
        guard tensor.sha256 == classifier[parameter.name, default: tensor.sha256] else {
          throw SWTError(
            .field(
              path: "folds", problem: "\(name) is not the other folds', which share one head"))
        }
        classifier[parameter.name] = tensor.sha256
      }
    }
    if let extra = tensors.first(where: { found[$0.name] != nil }) {
      throw SWTError(.unexpectedTensor(name: extra.name))
    }
  }
}

extension SWTFile {
  /// Opens a model: a file that holds exactly the tensors of the network that its header describes.
  ///
  /// - Throws: `SWTError`, naming the field or tensor that is wrong.
  package convenience init(modelAt path: String, verifyingTensors: Bool = false) throws(SWTError) {
    try self.init(contentsOf: path)
    try checkTensors()
    if verifyingTensors { try verify() }
  }

  /// Checks that the file holds the tensors of the network that its header describes.
  ///
  /// - Throws: `SWTError`, naming the tensor.
  package func checkTensors() throws(SWTError) {
    try Graph(description).check(tensors, folds: description.folds)
  }
}
