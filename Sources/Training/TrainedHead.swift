// SPDX-License-Identifier: Apache-2.0
package import FileIO
package import NPY
package import SWTFormat

/// A fitted head as files hold it: put on its encoder, or alone for `nnconvert attach`.
package struct TrainedHead: Sendable {
  /// What a model file says of it.
  package let classifier: Classifier
  private let inputPolicy: InputPolicy?
  private let weight: Matrix
  private let bias: [Double]
  private let distance: ForeignDistance
  private let standardization: Standardization
  /// New values of the encoder, where it was trained too.
  private let encoder: [String: [Float]]

  package init(_ training: HeadTraining) {
    self.init(
      classes: training.cohort.classes, weight: training.weight, bias: training.bias,
      pooling: training.chosenCandidate.pooling, inputPolicy: training.chosenCandidate.policy,
      temperature: training.temperature,
      threshold: training.judgement.foreignness?.threshold ?? .nan,
      distance: training.distance, standardization: training.standardization)
  }

  /// - Parameters:
  ///   - pooling: what the columns of the features are; `nil` for the last stage's mean.
  ///   - inputPolicy: under which they were computed; `nil` for the model's.
  ///   - threshold: the squared distance beyond which a scan is foreign.
  ///   - standardization: of the features in which distances are.
  init(
    classes: [String], weight: Matrix, bias: [Double], pooling: [Classifier.Pooling]?,
    inputPolicy: InputPolicy? = nil, temperature: Double, threshold: Double,
    distance: ForeignDistance,
    standardization: Standardization, encoder: [String: [Float]] = [:]
  ) {
    self.inputPolicy = inputPolicy
    self.weight = weight
    self.bias = bias
    self.distance = distance
    self.standardization = standardization
    self.encoder = encoder
    let width = weight.columns
    let limit = Classifier.OutOfDistribution.fullLimit
    classifier = Classifier(
      classNames: classes, inputFeatures: width, hasBias: true, activation: .softmax,
      sourceSHA256: "", pooling: pooling, temperature: temperature,
      // Where a fold's cases do not spread, nothing tells how far is far.
      outOfDistribution: threshold.isFinite && threshold > 0
        ? Classifier.OutOfDistribution(
          threshold: threshold,
          precision: width <= limit ? .full : .lowRank(distance.rank))
        : nil)
  }

  /// Writes the model with this head on it, atomically.
  ///
  /// - Parameter dicomConvention: by which its cases were read from DICOM, where it is not the model's own.
  package func write(
    onto model: SWTFile, provenance: TrainingProvenance, dicomConvention: String?, to path: String,
    replacing: Bool,
    inputs: [MappedFile.Identity]
  ) throws {
    var description = model.description
    description.classifier = classifier
    if let inputPolicy { description.inputPolicy = inputPolicy }
    description.provenance.training = provenance
    if let dicomConvention {
      // What the model says of its training scans is not so of these.
      description.preprocessing.orientation = nil
      description.preprocessing.dicomConvention = dicomConvention
    }
    let values = tensors
    _ = try ModelCopy(of: model, description: description) { values[$0] }
      .write(to: path, replacing: replacing, inputs: inputs)
  }

  private var tensors: [String: [Float]] {
    guard classifier.outOfDistribution != nil else { return linear.merging(encoder) { $1 } }
    let (means, form) = distance.stored(
      standardization, fullLimit: Classifier.OutOfDistribution.fullLimit)
    var result = linear.merging(encoder) { $1 }
    result[Classifier.meanName] = means.values.map { Float($0) }
    switch form {
    case .full(let precision):
      result[Classifier.precisionName] = precision.values.map { Float($0) }
    case .lowRank(let scale, let directions):
      result[Classifier.scaleName] = scale.map { Float($0) }
      result[Classifier.directionsName] = directions.values.map { Float($0) }
    }
    return result
  }

  private var linear: [String: [Float]] {
    [
      Classifier.weightName: weight.values.map { Float($0) },
      Classifier.biasName: bias.map { Float($0) },
    ]
  }

  /// The head alone: `coef` and `intercept` as scikit-learn names them, with what else it is.
  ///
  /// - Parameters:
  ///   - modelID: the model that made the features, where that is known.
  ///   - inputPolicy: the policy under which they were made.
  package func npz(modelID: String?, inputPolicy: String?) -> NPZArchive {
    var archive = NPZArchive()
    archive.add(
      "coef", shape: [weight.rows, weight.columns], weight.values)
    archive.add("intercept", shape: [bias.count], bias)
    archive.add("classes", texts: classifier.classNames)
    archive.add("temperature", shape: [], [classifier.temperature ?? 1])
    if let pooling = classifier.pooling {
      archive.add("pooling", texts: pooling.map(\.text))
    }
    if let modelID { archive.add("model_id", text: modelID) }
    if let inputPolicy { archive.add("input_policy", text: inputPolicy) }
    return archive
  }
}

extension TrainingProvenance {
  /// What a file says of a fitted head.
  package init(
    _ training: HeadTraining, settings: CrossValidation.Settings, seed: UInt64,
    parentModelID: String?
  ) {
    self.init(
      parentModelID: parentModelID, method: "head", casesPerClass: training.cohort.casesPerClass,
      groups: training.cohort.groupNames.count, folds: settings.folds, seed: Int(clamping: seed),
      hyperparameters: JSONObject([
        ("c", .number(training.crossValidation.choice.c)),
        ("c_chosen", .bool(settings.cs.count > 1)),
        ("class_weights", .string(settings.classWeights.rawValue)),
        ("pooling", .string(training.chosenCandidate.name)),
        ("pooling_chosen", .bool(training.candidates.count > 1)),
      ]), metrics: training.judgement.figures)
  }
}
