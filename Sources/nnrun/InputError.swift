import FileIO
import SWTFormat

/// Why inputs cannot be used.
enum InputError: Failure {
  case model(String, SWTError)
  case rank(path: String, shape: [Int], dimension: Int)
  case empty
  case shapesDiffer(String, [Int], String, [Int])
  case mixed
  case arrays
  case severalPreviews
  case windows(Int, [Int])
  case folder(String, problem: String)
  case table(String, problem: String)
  case line(String)
  case stagesOfScan(problem: String)
  case resume(String, problem: String)

  var kind: FailureKind {
    switch self {
    case .model(_, let error): error.kind
    case .mixed, .arrays, .severalPreviews, .stagesOfScan: .usage
    default: .badInput
    }
  }

  var description: String { message() }

  var report: FailureReport {
    switch self {
    case .model(let path, let error): error.report.about(DisplayText.quoted(path))
    case .rank(let path, let shape, let dimension):
      .init(
        "\(DisplayText.quoted(path)) has shape \(shape)",
        advice: "this network takes \(Self.axes(dimension))")
    case .empty: "the input holds no case"
    case .shapesDiffer(let first, let firstShape, let second, let secondShape):
      .init(
        "\(DisplayText.quoted(first)) has shape \(firstShape) but \(DisplayText.quoted(second)) "
          + "\(secondShape)",
        advice: "maps of different sizes do not fit one array, run them one by one")
    case .mixed:
      .init("arrays (.npy) and scans are given together", advice: "run them one after the other")
    case .arrays: .init("arrays (.npy) are run as they are given", advice: "name a scan")
    case .severalPreviews: .init("--preview shows one case", advice: "name one")
    case .windows(let count, let shape):
      .init("\(count) windows of \(shape) do not fit into memory", advice: "leave out --as-fed")
    case .folder(let path, let problem), .table(let path, let problem):
      "\(DisplayText.quoted(path)): \(problem)"
    case .line(let problem):
      .init(
        "a line of stdin is no case: \(problem)",
        advice: "write {\"case\": \"a\", \"images\": [\"a.nii.gz\"]}")
    case .stagesOfScan(let problem):
      .init(
        "stages other than pooled need the input policy 'whole' and a 3-D network, or a .npy input",
        advice: "\(problem)")
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
