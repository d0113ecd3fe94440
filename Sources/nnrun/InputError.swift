// SPDX-License-Identifier: Apache-2.0
import FileIO
import SWTFormat

/// Why a command cannot do what it is asked to.
enum InputError: Failure {
  case model(String, SWTError)
  case scanAsModel(String)
  case modelAsScan(String)
  case rank(path: String, shape: [Int], dimension: Int)
  case shapesDiffer(String, [Int], String, [Int])
  case arrays
  case severalPreviews
  case suffixes(Int, channels: [String])
  case output(String, problem: String)
  case foreign(String)
  case stagesOfScan(problem: String)
  case resume(String, problem: String)
  case results(String, problem: String)
  case cascade(String)
  case noOrientation
  case logitsOfScan

  var kind: FailureKind {
    switch self {
    case .model(_, let error): error.kind
    case .scanAsModel, .modelAsScan, .arrays, .severalPreviews, .stagesOfScan, .suffixes, .output,
      .cascade, .logitsOfScan:
      .usage
    case .foreign: .cannotCreate
    case .rank, .shapesDiffer, .resume, .results: .badInput
    case .noOrientation: .mismatch
    }
  }

  var description: String { message() }

  var report: FailureReport {
    switch self {
    case .model(let path, let error): error.report.about(DisplayText.quoted(path))
    case .scanAsModel(let path):
      .init(
        "\(DisplayText.quoted(path)) is a scan", advice: "the model comes first, then the scans")
    case .modelAsScan(let path):
      .init("\(DisplayText.quoted(path)) is a model", advice: "name one model, then the scans")
    case .rank(let path, let shape, let dimension):
      .init(
        "\(DisplayText.quoted(path)) has shape \(shape)",
        advice: "this network takes \(Self.axes(dimension))")
    case .shapesDiffer(let first, let firstShape, let second, let secondShape):
      .init(
        "\(DisplayText.quoted(first)) has shape \(firstShape) but \(DisplayText.quoted(second)) "
          + "\(secondShape)",
        advice: "maps of different sizes do not fit one array, run them one by one")
    case .arrays: .init("arrays (.npy) are run as they are given", advice: "name a scan")
    case .severalPreviews: .init("--preview shows one case", advice: "name one")
    case .suffixes(let count, let channels):
      .init(
        "--bids has \(count) suffix\(count == 1 ? "" : "es") for \(channels.count) "
          + "channel\(channels.count == 1 ? "" : "s") "
          + "(\(channels.map(DisplayText.escaped).joined(separator: ", ")))",
        advice: "give one for each, in their order")
    case .output(let path, let problem):
      .init("output \(DisplayText.quoted(path)) \(problem)", advice: "name another output")
    case .foreign(let path):
      .init(
        "\(DisplayText.quoted(path)) is there and is no result of nnrun",
        advice: "name another output, which gets a .json of its name beside it")
    case .stagesOfScan(let problem):
      .init(
        "stages other than pooled need the input policy 'whole' and a 3-D network, or a .npy input",
        advice: "\(problem)")
    case .logitsOfScan:
      .init(
        "--logits-map writes a window's logits, of a .npy input",
        advice: "segment --save-probabilities goes over whole scans")
    case .cascade(let problem): .init(problem)
    case .noOrientation:
      .init(
        "the model does not say how its training scans lie, so --reorient has nothing to turn to",
        advice: "convert it again with nnconvert convert --orientation")
    case .results(let path, let problem):
      .init(
        "\(DisplayText.quoted(path)) \(problem)", advice: "name the shares of one run, each once")
    case .resume(let path, let problem):
      .init(
        "\(DisplayText.quoted(path)) \(problem)",
        advice: "leave out --skip-done to start again")
    }
  }

  private static func axes(_ dimension: Int) -> String {
    dimension == 3 ? "[C, z, y, x] or [N, C, z, y, x]" : "[C, y, x] or [N, C, y, x]"
  }
}
