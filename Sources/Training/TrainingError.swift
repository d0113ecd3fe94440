// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// Why nothing can be learned from these cases.
package enum TrainingError: Error, Equatable, Sendable {
  /// The labels have one class only, or none.
  case classes([String])
  /// More folds than groups.
  case folds(Int, groups: Int)
  /// A class with fewer than two groups, which cannot be in training and test at once.
  case groups(className: String, count: Int)
  /// A case is there more than once.
  case duplicateCase(String)
  /// A case lacks something, or is missing on one side.
  case missing(case: String, problem: String)
  /// Features do not belong to the table, or to the model.
  case features(problem: String)
  /// A classifier cannot be judged so.
  case classifier(problem: String)
  /// A table cannot be used.
  case table(path: String, problem: String)
  /// A table lacks the column of labels or groups.
  case column(path: String, name: String, setting: Setting)
  /// A step of augmentation cannot be done.
  case augmentation(problem: String)
  /// Batches or their specification cannot be used.
  case batches(problem: String)
  /// The state of an interrupted run cannot be taken up, or stands where one is to be written.
  case state(path: String, StateProblem)
  /// Where features are to be kept something else is.
  case foreignCache(path: String)
  /// A feature is no finite number.
  case nonFinite(case: String, feature: Int)
  /// Fine-tuning came to numbers that are none.
  case diverged

  /// What is wrong with the state of an interrupted run.
  package enum StateProblem: Sendable {
    /// The file is none, or its numbers cannot be this run's.
    case foreign
    /// It is of a run of other cases, options or model, or of another version.
    case ofAnotherRun
    /// Nobody asked to go on with it.
    case unfinished
  }
}

extension TrainingError: Failure {
  package var kind: FailureKind {
    if case .foreignCache = self { .cannotCreate } else { .badInput }
  }

  /// What is wrong, where, and what to do.
  package var description: String { message() }

  package var report: FailureReport {
    switch self {
    case .classes(let names):
      .init(
        names.count == 1
          ? "all cases have the label \(DisplayText.quoted(names[0]))" : "no case has a label",
        advice: "a classifier needs two classes or more")
    case .folds(let folds, let groups):
      .init(
        "\(folds) folds need as many groups, but there are \(groups)",
        advice: "give a smaller \(.folds)")
    case .groups(let name, let count):
      .init(
        "class \(DisplayText.quoted(name)) has \(count) group\(count == 1 ? "" : "s"), too few for "
          + "cross-validation",
        advice: "add cases of two patients or more, or leave the class out")
    case .duplicateCase(let name):
      .init(
        "case \(DisplayText.quoted(name)) is there twice", advice: "give every scan its own name")
    case .missing(let name, let problem): "case \(DisplayText.quoted(name)) \(problem)"
    case .features(let problem): "the features do not fit: \(problem)"
    case .classifier(let problem): "the model's classifier cannot be judged so: \(problem)"
    case .table(let path, let problem): "\(DisplayText.quoted(path)): \(problem)"
    case .column(let path, let name, let setting):
      .init(
        "\(DisplayText.quoted(path)) has no column \(DisplayText.quoted(name))",
        advice: "name one with \(setting)")
    case .augmentation(let problem): "\(DisplayText.escaped(problem))"
    case .batches(let problem): "the batches do not fit: \(DisplayText.escaped(problem))"
    case .state(let path, .foreign):
      .init(
        "\(DisplayText.quoted(path)) is no state of fine-tuning",
        advice: "move it away, or name another output")
    case .state(let path, .ofAnotherRun):
      .init(
        "\(DisplayText.quoted(path)) belongs to another run",
        advice: "remove it to begin anew, or name another output")
    case .state(let path, .unfinished):
      .init(
        "\(DisplayText.quoted(path)) is what an interrupted run came to",
        advice: "go on with \(.resume), or remove it to begin anew")
    case .foreignCache(let path):
      .init(
        "\(DisplayText.quoted(path)) holds no features that nntrain has kept",
        advice: "name another file with \(.featureCache)")
    case .nonFinite(let name, let feature):
      .init(
        "feature \(feature) of case \(DisplayText.quoted(name)) is no finite number",
        advice: "leave the case out")
    case .diverged:
      .init(
        "the network's features became infinite in training",
        advice: "give a smaller \(.learningRate)")
    }
  }
}
