// SPDX-License-Identifier: Apache-2.0
import FileIO
import SWTFormat
import TestSupport
import Testing

@testable import Training

/// The head against scikit-learn: see `scripts/lib/fixtures/head.py`.
@Suite struct HeadTests {
  @Test(arguments: HeadGolden.names, [0, 1, 2])
  func foldsAreThoseOfStratifiedGroupKFold(name: String, index: Int) throws {
    let golden = try HeadGolden(name, index)
    let folds = try golden.cohort.folds(golden.settings.folds)
    #expect(folds == golden.json["folds"]?.array?.compactMap(\.integer))
  }

  @Test(arguments: HeadGolden.names, [0, 1])
  func fitsAreThoseOfLogisticRegression(name: String, index: Int) throws {
    let golden = try HeadGolden(name, index)
    let models = HeadModel.fit(
      features: golden.features, labels: golden.cohort.labels,
      classCount: golden.cohort.classes.count, cs: [0.01, 1, 100],
      classWeights: golden.settings.classWeights)
    for (key, model) in zip(["0.01", "1", "100"], models) {
      let expected = HeadGolden.numbers(golden.json["fits"]?[key] ?? .null)
      let found = Softmax.probabilities(model.logits(golden.features)).values
      #expect(Difference(found, expected).absolute < 1e-5, "C \(key)")
    }
  }

  /// Where one starts does not matter: a path over several strengths ends where each alone does.
  @Test func aPathEndsWhereSingleFitsDo() throws {
    let golden = try HeadGolden("c1_pooled", 0)
    let cs = [1e-3, 1, 100]
    func fit(_ cs: [Double]) -> [HeadModel] {
      HeadModel.fit(
        features: golden.features, labels: golden.cohort.labels, classCount: 3, cs: cs,
        classWeights: .none)
    }
    for (c, model) in zip(cs, fit(cs)) {
      let (path, alone) = (model.logits(golden.features), fit([c])[0].logits(golden.features))
      #expect(Difference(path.values, alone.values).absolute < 1e-6)
    }
  }

  /// Each with another mix of class weights and folds; all together would take minutes in debug.
  @Test(arguments: [
    ("breast_cancer", 0), ("c1_all", 1), ("c1_pooled", 1), ("wine", 0), ("wine", 2),
  ])
  func everythingTogetherIsWhatScikitLearnGives(name: String, index: Int) throws {
    let golden = try HeadGolden(name, index)
    let head = try HeadTraining(
      features: golden.features, candidates: [golden.everything], cohort: golden.cohort,
      settings: golden.settings, seed: 0)
    #expect(head.crossValidation.choice.c == golden.json["c"]?.double)
    #expect(head.crossValidation.nestedChoices.map(\.c) == golden.numbers("nested_c"))
    let losses = head.crossValidation.options.map(\.logLoss)
    #expect(Difference(losses, golden.numbers("losses")).absolute < 1e-4)
    #expect(
      Difference(head.judgement.probabilities.values, golden.numbers("probabilities")).absolute
        < 1e-4)
    let metrics = golden.json["metrics"] ?? .null
    for (found, key) in [
      (head.judgement.metrics.area, "auc"),
      (head.judgement.metrics.balancedAccuracy, "balanced_accuracy"),
      (head.judgement.metrics.logLoss, "log_loss"), (head.judgement.metrics.brier, "brier"),
    ] {
      #expect(
        Difference([found], HeadGolden.numbers(metrics[key] ?? .null)).absolute < 1e-4, "\(key)")
    }
    #expect(
      head.judgement.metrics.confusion.joined().map(Double.init)
        == HeadGolden.numbers(metrics["confusion"] ?? .null))
    #expect(Difference([head.temperature], golden.numbers("temperature")).absolute < 1e-4)
    // Two classes: the goldens' one logit is the difference of our two.
    let isBinary = golden.cohort.classes.count == 2
    let columns = golden.features.columns
    let weight =
      isBinary ? (0..<columns).map { head.weight[1, $0] - head.weight[0, $0] } : head.weight.values
    let expected = golden.numbers("weight")
    let scale = expected.map(abs).max() ?? 0
    #expect(Difference(weight, expected).absolute < 1e-4 * scale)
    let standardized = head.standardization.apply(to: golden.features)
    #expect(
      Difference([head.distance.shrinkage], golden.numbers("shrinkage")).absolute < 1e-9)
    let distances = golden.numbers("distances")
    #expect(
      Difference(head.distance.squares(standardized), distances).absolute
        < 1e-8 * (distances.max() ?? 0))
  }

  /// Against SciPy's bounded minimum, at the bounds and near them too: see `scripts/lib/fixtures/make_temperature.py`.
  @Test func theTemperatureIsTheBestOfItsRange() throws {
    let sets = try JSONParser.parse(
      MappedFile(path: "\(Fixtures.folder)/training/temperature.json").bytes
    ).array
    #expect(sets?.count == 27)
    for set in sets ?? [] {
      let values = HeadGolden.numbers(set["logits"] ?? .null)
      let labels = set["labels"]?.array?.compactMap(\.integer) ?? []
      let logits = Matrix(
        rows: labels.count, columns: values.count / labels.count, values: values)
      let expected = try #require(set["temperature"]?.double)
      let found = Temperature.fit(logits: logits, labels: labels)
      #expect(Difference([found / expected], [1]).absolute < 1e-6)
    }
  }

  /// Logits that are all alike fit as well at every temperature.
  @Test func whereTheTemperatureDoesNotMatterItIsOne() {
    #expect(Temperature.fit(logits: Matrix(rows: 4, columns: 2), labels: [0, 1, 0, 1]) == 1)
  }

  /// scikit-learn's `_is_constant_feature`: what rounding makes of equal numbers, however small they are.
  @Test func smallFeaturesAreNotConstant() {
    let features = Matrix(
      rows: 4, columns: 5,
      values: [
        1e-14, 5, 1, 1e10, 0, 2e-14, 5, 1 + Double.ulpOfOne, 1e10 + 1e-3, 0, 3e-14, 5, 1,
        1e10 - 1e-3,
        0, 0, 5, 1, 1e10, 0,
      ])
    let standardization = Standardization(features)
    #expect(standardization.constantFeatures == [1, 2, 4])
    let expected = [1.118033988749895e-14, 1, 1, 7.06718356e-4, 1]
    #expect(
      Difference(zip(standardization.scale, expected).map { $0 / $1 }, [1, 1, 1, 1, 1]).absolute
        < 1e-4)
  }

  @Test(arguments: [1024, 10])
  func theStoredDistanceIsTheFittedOne(fullLimit: Int) throws {
    let golden = try HeadGolden("c1_all", 0)
    let standardization = Standardization(golden.features)
    let distance = ForeignDistance(
      features: standardization.apply(to: golden.features), labels: golden.cohort.labels,
      classCount: 3)
    let expected = distance.squares(standardization.apply(to: golden.features))
    let (means, form) = distance.stored(standardization, fullLimit: fullLimit)
    let found = (0..<golden.features.rows).map { row in
      (0..<3).map { label in
        let difference = (0..<golden.features.columns).map {
          golden.features[row, $0] - means[label, $0]
        }
        return square(difference, form)
      }.min() ?? .nan
    }
    #expect(Difference(found, expected).absolute < 1e-6)
  }

  /// As `spec/swt.md` defines it.
  private func square(_ difference: [Double], _ form: ForeignDistance.StoredForm) -> Double {
    switch form {
    case .full(let precision):
      let vector = Matrix(rows: 1, columns: difference.count, values: difference)
      return vector.times(transposed: precision).times(transposed: vector)[0, 0]
    case .lowRank(let scale, let directions):
      let scaled = zip(difference, scale).map(*)
      let vector = Matrix(rows: 1, columns: scaled.count, values: scaled)
      let part = vector.times(transposed: directions).values.reduce(0) { $0 + $1 * $1 }
      return scaled.reduce(0) { $0 + $1 * $1 } - part
    }
  }

  /// A problem so large that Newton's equations are solved by conjugate gradients.
  @Test func manyUnknownsGiveTheSame() {
    let random = CounterRandom(seed: 3, stream: [])
    let (rows, columns) = (60, 40)
    let features = Matrix(
      rows: rows, columns: columns, values: (0..<rows * columns).map { random.unit(at: $0) - 0.5 })
    let labels = (0..<rows).map { $0 % 3 }
    func minimum(_ limit: Int) -> [Double] {
      var parameters = Matrix(rows: 3, columns: columns + 1)
      LogisticProblem(
        features: features, labels: labels, classCount: 3, c: 2,
        weights: [Double](repeating: 1, count: rows), directLimit: limit
      ).minimize(&parameters)
      return parameters.values
    }
    #expect(Difference(minimum(0), minimum(1000)).absolute < 1e-8)
  }
}
