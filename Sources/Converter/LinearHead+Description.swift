// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import SWTFormat

extension LinearHead {
  /// What the model file says of the head.
  func description(_ options: ConversionOptions) throws -> Classifier {
    let names = options.classNames.isEmpty ? fittedClassNames : options.classNames
    guard names.isEmpty || names.count == classes else {
      throw ConversionError(
        .options(
          problem: "there are \(names.count) class names but the head has "
            + (classes == 1 ? "one output" : "\(classes) outputs"),
          advice: classes == 1
            ? "the output of a binary head stands for its second class: give that name alone"
            : "give one name for each output"))
    }
    guard Set(names).count == names.count, !names.contains("") else {
      throw ConversionError(.options(problem: "there is a class name twice, or an empty one"))
    }
    guard classes > 1 || options.activation != .softmax else {
      throw ConversionError(
        .options(
          problem: "softmax of one output is always 1", advice: "use sigmoid"))
    }
    return Classifier(
      classNames: names.isEmpty ? (0..<classes).map { "class\($0)" } : names,
      inputFeatures: features, hasBias: bias != nil,
      activation: options.activation ?? (classes == 1 ? .sigmoid : .softmax), sourceSHA256: sha256,
      pooling: fitted.pooling, temperature: fitted.temperature)
  }

  /// scikit-learn's `classes_`; its binary classifiers have one output, for the second class.
  private var fittedClassNames: [String] {
    let names = fitted.classNames ?? []
    return classes == 1 && names.count == 2 ? [names[1]] : names
  }
}
