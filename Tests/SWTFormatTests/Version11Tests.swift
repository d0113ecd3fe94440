// SPDX-License-Identifier: Apache-2.0
import FileIO
import Network
import TestSupport
import Testing

@testable import SWTFormat

/// What version 1.1 adds, and that nothing of it touches a file that does not need it.
@Suite struct Version11Tests {
  /// A description with two stages (3 and 2 features) and what `edit` adds.
  private static func description(
    _ edit: (inout ModelDescription) -> Void = { _ in }
  ) -> ModelDescription {
    var description = SWTFileTests.description
    description.architecture.stages.append(
      NetworkArchitecture.Stage(features: 2, kernelSize: [3, 3], stride: [2, 2], blocks: 1))
    edit(&description)
    return description
  }

  private static func head(features: Int) -> Classifier {
    Classifier(
      classNames: ["no", "yes"], inputFeatures: features, hasBias: true, activation: .softmax,
      sourceSHA256: "")
  }

  private static let allStages = [0, 1].flatMap { stage in
    Classifier.Pooling.Statistic.allCases.map { Classifier.Pooling(stage: stage, statistic: $0) }
  }

  private static let training = TrainingProvenance(
    parentModelID: "00", method: "head", casesPerClass: [30, 36], groups: 49, folds: 5, seed: 1,
    hyperparameters: JSONObject([("c", .number(0.5))]), metrics: JSONObject([("auc", 0.5)]))

  /// Each description with the minor version and the required features of its file.
  static let descriptions: [(ModelDescription, minor: UInt16, RequiredFeatures)] = [
    (description(), 0, []),
    (description { $0.classifier = head(features: 2) }, 0, []),
    (description { $0.preprocessing.orientation = "LPS" }, 1, []),
    (description { $0.preprocessing.dicomConvention = "dcm2niix" }, 1, []),
    (description { $0.provenance.training = training }, 1, []),
    (
      description {
        $0.classifier = head(features: 20)
        $0.classifier?.pooling = allStages
      }, 1, .trainedHead
    ),
    (
      description {
        $0.classifier = head(features: 2)
        $0.classifier?.temperature = 1.5
      }, 1, .trainedHead
    ),
    (
      description {
        $0.classifier = head(features: 2)
        $0.classifier?.outOfDistribution = Classifier.OutOfDistribution(
          threshold: 5, precision: .full)
      }, 1, .trainedHead
    ),
    (
      description {
        $0.folds = ["0", "3", "all"].map { ModelDescription.Fold(name: $0, sourceSHA256: "") }
      }, 1, .folds
    ),
    (
      description {
        $0.folds = [
          ModelDescription.Fold(name: "1", sourceSHA256: "ab", epoch: 1000),
          ModelDescription.Fold(name: "2", sourceSHA256: "cd"),
        ]
        $0.classifier = head(features: 2)
        $0.classifier?.temperature = 0.5
      }, 1, [.folds, .trainedHead]
    ),
  ]

  private static func write(_ description: ModelDescription, to path: String) throws {
    let prefixes = description.folds.isEmpty ? [""] : description.folds.map(\.prefix)
    let tensors = prefixes.enumerated().flatMap { fold, prefix in
      Graph(description).parameters.map { parameter in
        SWTWriter.Tensor(
          name: prefix + parameter.name, shape: parameter.shape, layout: parameter.layout,
          dataType: .f32
        ) { values in
          for index in values.indices { values[index] = Float(index + 1000 * fold) }
        }
      }
    }
    _ = try SWTWriter.write(description, tensors: tensors, to: path, replacing: false)
  }

  @Test(arguments: descriptions)
  func comesBackFromTheLowestVersionThatHasIt(
    description: ModelDescription, minor: UInt16, features: RequiredFeatures
  ) throws {
    let folder = try TemporaryFolder()
    try Self.write(description, to: folder.file("m.swt"))
    let bytes = try MappedFile(path: folder.file("m.swt")).bytes
    var header = Bytes([])
    let preamble = try Preamble(bytes, header: &header)
    #expect(preamble.minorVersion == minor)
    #expect(preamble.requiredFeatures == features)
    let file = try SWTFile(contentsOf: folder.file("m.swt"), verifyingTensors: true)
    #expect(file.description == description)
    for fold in 0..<max(description.folds.count, 1) {
      for parameter in Graph(description).parameters {
        let entry = try #require(file.entry(named: parameter.name, fold: fold))
        #expect(file.values(of: entry).first == Float(1000 * fold))
      }
    }
    #expect(
      file.entry(
        named: Graph(description).parameters[0].name, fold: max(description.folds.count, 1))
        == nil)
  }

  /// The file that version 0.1.0 wrote of a fixture, and the model id it named.
  private static let oldFile = "\(Fixtures.folder)/swt/plain2d-0.1.0.swt"
  private static let oldID = "3592c85a92984a679d0912745e704d7ce58660f8f1aef393af78212e95ff0f8b"

  @Test func aFileOfVersion010KeepsItsBytes() throws {
    let old = try SWTFile(contentsOf: Self.oldFile, verifyingTensors: true)
    #expect(old.modelID == Self.oldID)
    #expect(old.formatVersion.minor == 0)
    let folder = try TemporaryFolder()
    let copy = ModelCopy(of: old, description: old.description) { _ in nil }
    let summary = try copy.write(to: folder.file("m.swt"), replacing: false)
    #expect(summary.modelID == Self.oldID)
    #expect(
      try MappedFile(path: folder.file("m.swt")).bytes.array
        == MappedFile(path: Self.oldFile).bytes.array)
  }

  @Test func aHeadIsPutIntoACopy() throws {
    let old = try SWTFile(contentsOf: Self.oldFile)
    let widths = old.description.architecture.featuresPerStage
    var description = old.description
    let pooling = widths.indices.map { Classifier.Pooling(stage: $0, statistic: .max) }
    let features = widths.reduce(0, +)
    description.classifier = Self.head(features: features)
    description.classifier?.pooling = pooling
    let folder = try TemporaryFolder()
    let copy = ModelCopy(of: old, description: description) { name in
      switch name {
      case Classifier.weightName: [Float](repeating: 2, count: 2 * features)
      case Classifier.biasName: [3, 4]
      default: nil
      }
    }
    _ = try copy.write(to: folder.file("m.swt"), replacing: false)
    let file = try SWTFile(contentsOf: folder.file("m.swt"), verifyingTensors: true)
    #expect(file.description.classifier?.pooling == pooling)
    #expect(try file.values(of: #require(file.entry(named: Classifier.biasName))) == [3, 4])
    for entry in old.tensors {
      #expect(file.entry(named: entry.name)?.sha256 == entry.sha256)
    }
    let lacking = ModelCopy(of: old, description: description) { _ in nil }
    #expect(throws: SWTError(.missingTensor(name: Classifier.weightName))) {
      try lacking.write(to: folder.file("n.swt"), replacing: false)
    }
  }

  /// The bytes of a file of `description`, its header edited and its features as given.
  private static func bytes(
    of description: ModelDescription, replacing found: String, with replacement: String,
    features: RequiredFeatures
  ) throws -> [UInt8] {
    let folder = try TemporaryFolder()
    try Self.write(description, to: folder.file("m.swt"))
    let whole = try MappedFile(path: folder.file("m.swt")).bytes
    var header = Bytes([])
    _ = try Preamble(whole, header: &header)
    let text = try #require(header.utf8)
    try #require(found.isEmpty || text.contains(found), "\(found) is in the header")
    let edited = Array((found.isEmpty ? text : text.replacing(found, with: replacement)).utf8)
    var preamble = Preamble(headerLength: edited.count, fileLength: whole.count)
    preamble.requiredFeatures = features
    let padding = [UInt8](repeating: 0, count: Preamble.dataAlignment - 128 - edited.count)
    return preamble.bytes(header: edited) + edited + padding
      + whole.array[Preamble.dataAlignment...]
  }

  private static let trained = description {
    $0.classifier = head(features: 20)
    $0.classifier?.pooling = allStages
    $0.classifier?.temperature = 1.5
    $0.classifier?.outOfDistribution = Classifier.OutOfDistribution(threshold: 5, precision: .full)
    $0.folds = ["0", "1"].map { ModelDescription.Fold(name: $0, sourceSHA256: "") }
    $0.preprocessing.orientation = "LPS"
    $0.provenance.training = training
  }

  @Test(arguments: [
    ("\"stage\":1", "\"stage\":2", "stage"),
    ("\"stage\":1,\"statistic\":\"max\"", "\"stage\":1,\"statistic\":\"mean\"", "twice"),
    ("\"statistic\":\"max\"", "\"statistic\":\"median\"", "none of mean, max"),
    ("\"temperature\":1.5", "\"temperature\":0", "temperature"),
    ("\"temperature\":1.5", "\"temperature\":1e400", "number"),
    ("\"input_features\":20", "\"input_features\":2", "input_features"),
    ("\"threshold\":5", "\"threshold\":-5", "threshold"),
    ("\"threshold\":5", "\"rank\":3,\"threshold\":5", "rank"),
    ("\"name\":\"1\"", "\"name\":\"0\"", "twice"),
    ("\"name\":\"1\"", "\"name\":\"../1\"", "number"),
    ("\"name\":\"1\"", "\"name\":\"2\"", "fold_2"),
    ("\"orientation\":\"LPS\"", "\"orientation\":\"LPA\"", "orientation"),
    ("\"orientation\":\"LPS\"", "\"orientation\":\"LPSS\"", "orientation"),
    ("\"metrics\":{", "\"metrics\":[],\"x\":{", "metrics"),
    ("\"dimension\":2", "\"dimension\":2,\"family\":\"Swin\"", "'Swin'"),
    ("\"dimension\":2", "\"dimension\":2,\"family\":\"PlainConvUNet\"", "'PlainConvUNet'"),
  ])
  func aHeaderThatBreaksARuleIsRefused(found: String, replacement: String, word: String) throws {
    let bytes = try Self.bytes(
      of: Self.trained, replacing: found, with: replacement, features: [.folds, .trainedHead])
    let error = #expect(throws: SWTError.self) { try SWTFileTests.open(bytes) }
    #expect(error.map { "\($0)".contains(word) } == true, "\(String(describing: error))")
  }

  @Test(arguments: [
    RequiredFeatures(), .folds, .trainedHead, .families, [.folds, .trainedHead, .families],
    RequiredFeatures(rawValue: 1 << 3), RequiredFeatures(rawValue: 1 << 63 | 3),
  ])
  func otherFeaturesThanTheHeaderNeedsAreRefused(features: RequiredFeatures) throws {
    let bytes = try Self.bytes(of: Self.trained, replacing: "", with: "", features: features)
    #expect(throws: SWTError.self) { try SWTFileTests.open(bytes) }
  }
}
