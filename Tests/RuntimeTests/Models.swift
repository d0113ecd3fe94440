// SPDX-License-Identifier: Apache-2.0
import Network
import SWTFormat
import TestSupport

@testable import SWTRuntime

/// Models for tests; their files are gone when they are made, the mappings stay.
enum Models {
  /// A model of a description with random numbers.
  static func random(_ description: ModelDescription, seed: UInt64) throws -> Model {
    let folder = try TemporaryFolder()
    let tensors = Graph(description).parameters.enumerated().map { index, parameter in
      SWTWriter.Tensor(parameter, dataType: .f32) { values in
        var numbers = TestNumbers(seed: seed &* 1000 &+ UInt64(index))
        let isVariance = parameter.name.hasSuffix("running_var")
        // Sums of any number of inputs stay of the size of one.
        let scale =
          parameter.role == .perChannel
          ? 1 : 1.7 / Float(parameter.elementCount / parameter.shape[0]).squareRoot()
        for place in values.indices {
          values[place] = isVariance ? 0.5 + abs(numbers.next()) : numbers.next() * scale
        }
      }
    }
    let path = folder.file("m.swt")
    _ = try SWTWriter.write(description, tensors: tensors, to: path, replacing: false)
    return try Model(contentsOf: path)
  }

  /// A description with an architecture, and nothing else that matters here.
  static func description(
    _ architecture: NetworkArchitecture, classes: Int = 0
  ) -> ModelDescription {
    let ones = [Double](repeating: 1, count: architecture.dimension)
    return ModelDescription(
      architecture: architecture, part: architecture.decoder == nil ? .encoder : .network,
      classifier: classes == 0
        ? nil
        : Classifier(
          classNames: (0..<classes).map { "class\($0)" },
          inputFeatures: architecture.featuresPerStage.last ?? 0, hasBias: true,
          activation: .softmax, sourceSHA256: ""),
      preprocessing: PreprocessingDescription(
        transposeForward: [0, 1, 2], transposeBackward: [0, 1, 2], spacing: ones,
        patchSize: ones.map { _ in 8 },
        channels: (0..<architecture.inputChannels).map {
          PreprocessingDescription.Channel(
            name: "\($0)", normalizationScheme: "ZScoreNormalization", useMaskForNorm: false)
        },
        resamplingData: PreprocessingDescription.Resampling(
          function: "resample_data_or_seg_to_shape", keywords: JSONObject()),
        preprocessorName: "DefaultPreprocessor", imageReaderWriter: "SimpleITKIO"),
      labels: LabelDescription(labels: [LabelDescription.Label(name: "background", values: [0])]),
      provenance: Provenance(sourceSHA256: "", sourceKind: "test", nnconvertVersion: "0"))
  }

  /// A plain or residual network of some stages, with a decoder.
  static func architecture(
    _ networkClass: NetworkArchitecture.NetworkClass, features: [Int], channels: Int = 1,
    kernelSize: [Int] = [3, 3, 3], norm: NetworkArchitecture.Normalization.Kind = .instance
  ) -> NetworkArchitecture {
    let ones = kernelSize.map { _ in 1 }
    let twos = kernelSize.map { $0 == 1 ? 1 : 2 }
    let isResidual = networkClass != .plainConvUNet
    return NetworkArchitecture(
      networkClass: networkClass, dimension: kernelSize.count, inputChannels: channels,
      stemChannels: isResidual ? features[0] : nil,
      stages: features.enumerated().map { index, features in
        NetworkArchitecture.Stage(
          features: features, kernelSize: kernelSize, stride: index == 0 ? ones : twos, blocks: 2)
      },
      block: isResidual ? .basic : .convolution, convolutionBias: true,
      normalization: NetworkArchitecture.Normalization(kind: norm, eps: 1e-5, affine: true),
      nonlinearity: NetworkArchitecture.Nonlinearity(kind: .leakyReLU, negativeSlope: 0.01),
      decoder: NetworkArchitecture.Decoder(
        stages: features.dropLast().reversed().map { features in
          NetworkArchitecture.Decoder.Stage(
            features: features, kernelSize: kernelSize, upsampling: twos, convolutions: 2)
        }, segmentationHeads: 3, upsamplingBias: true, segmentationBias: true))
  }
}
