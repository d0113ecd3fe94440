import FileIO
import NPY
import SWTRuntime

/// An array that a command was given, as one or several cases.
struct InputArrays {
  /// One network input.
  struct Case {
    /// Its file, with its number where the file holds several.
    let name: String
    /// `[channels, z, y, x]`, or `[channels, y, x]` for a 2-D network.
    let shape: [Int]
    let values: ArraySlice<Float>
  }

  let cases: [Case]
  /// Whether any file has a batch axis, or there are several files.
  let isBatch: Bool
  /// What outputs must not overwrite.
  let identities: [MappedFile.Identity]

  /// Reads `.npy` files for a network of `dimension` axes. The rank decides whether a file has a
  /// leading batch axis.
  init(paths: [String], dimension: Int) throws {
    var cases: [Case] = []
    var isBatch = paths.count > 1
    for path in paths {
      let array = try NPYArray(contentsOf: path)
      switch array.shape.count {
      case dimension + 1:
        cases.append(Case(name: path, shape: array.shape, values: array.values[...]))
      case dimension + 2:
        isBatch = true
        let shape = Array(array.shape.dropFirst())
        let count = shape.reduce(1, *)
        for index in 0..<array.shape[0] {
          cases.append(
            Case(
              name: "\(path)[\(index)]", shape: shape,
              values: array.values[index * count..<(index + 1) * count]))
        }
      default: throw InputError.rank(path: path, shape: array.shape, dimension: dimension)
      }
    }
    guard !cases.isEmpty else { throw InputError.empty }
    self.cases = cases
    self.isBatch = isBatch
    identities = paths.compactMap { MappedFile.identity(ofFileAt: $0) }
  }

  /// The one shape that all cases have.
  func commonShape() throws -> [Int] {
    for item in cases where item.shape != cases[0].shape {
      throw InputError.shapesDiffer(cases[0].name, cases[0].shape, item.name, item.shape)
    }
    return cases[0].shape
  }
}

/// Why inputs cannot be used.
enum InputError: Error, CustomStringConvertible {
  case rank(path: String, shape: [Int], dimension: Int)
  case empty
  case shapesDiffer(String, [Int], String, [Int])

  var description: String {
    switch self {
    case .rank(let path, let shape, let dimension):
      "\(DisplayText.quoted(path)) has shape \(shape) — this network takes "
        + (dimension == 3 ? "[C, z, y, x] or [N, C, z, y, x]" : "[C, y, x] or [N, C, y, x]")
    case .empty: "the input holds no case"
    case .shapesDiffer(let first, let firstShape, let second, let secondShape):
      "\(DisplayText.quoted(first)) has shape \(firstShape) but \(DisplayText.quoted(second)) "
        + "\(secondShape) — maps of different sizes do not fit one array, run them one by one"
    }
  }
}
