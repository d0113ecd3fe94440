import FileIO

/// Why inputs cannot be used.
enum InputError: Error, CustomStringConvertible {
  case model(String, problem: String)
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

  var description: String {
    switch self {
    case .rank(let path, let shape, let dimension):
      "\(DisplayText.quoted(path)) has shape \(shape) — this network takes "
        + (dimension == 3 ? "[C, z, y, x] or [N, C, z, y, x]" : "[C, y, x] or [N, C, y, x]")
    case .empty: "the input holds no case"
    case .shapesDiffer(let first, let firstShape, let second, let secondShape):
      "\(DisplayText.quoted(first)) has shape \(firstShape) but \(DisplayText.quoted(second)) "
        + "\(secondShape) — maps of different sizes do not fit one array, run them one by one"
    case .mixed: "arrays (.npy) and scans are given together — run them one after the other"
    case .arrays: "arrays (.npy) are run as they are given — name a scan"
    case .severalPreviews: "--preview shows one case — name one"
    case .windows(let count, let shape):
      "\(count) windows of \(shape) do not fit into memory — leave out --as-fed"
    case .model(let path, let problem), .folder(let path, let problem),
      .table(let path, let problem):
      "\(DisplayText.quoted(path)): \(problem)"
    case .line(let problem):
      "a line of stdin is no case: \(problem) — write {\"case\": \"a\", \"images\": [\"a.nii.gz\"]}"
    case .stagesOfScan(let problem):
      "stages other than pooled need the input policy 'whole' and a 3-D network, or a .npy input "
        + "— \(problem)"
    case .resume(let path, let problem):
      "\(DisplayText.quoted(path)) \(problem) — leave out --skip-done to start again"
    }
  }

  /// Whether the command line is at fault, not a file.
  var isUsage: Bool {
    switch self {
    case .mixed, .arrays, .severalPreviews, .stagesOfScan: true
    default: false
    }
  }
}
