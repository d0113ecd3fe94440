import FileIO
import SWTFormat

/// What a command was asked to work on, before any of it is opened.
struct CaseList {
  /// One input: a scan of one file per channel, or an array file, which may hold several cases.
  enum Source: Equatable {
    case scan(files: [String])
    case array(path: String)
  }

  /// An input with its name.
  struct Entry: Equatable {
    let name: String
    let source: Source
  }

  let entries: [Entry]

  /// Sorts out arguments: files, comma-joined channels, folders and lists of cases.
  init(inputs: [String], channelCount: Int) throws {
    var entries: [Entry] = []
    for input in inputs {
      if Folder.exists(input) {
        entries += try ScanFolder(path: input).cases(channelCount: channelCount)
      } else if input.lowercased().hasSuffix(".npy") {
        entries.append(Entry(name: input, source: .array(path: input)))
      } else if input.lowercased().hasSuffix(".csv") {
        entries += try CaseTable(path: input).entries
      } else {
        // A file's name may hold commas itself.
        let exists = MappedFile.identity(ofFileAt: input) != nil
        let files = exists ? [input] : input.split(separator: ",").map(String.init)
        entries.append(
          Entry(name: ScanName(path: files.first ?? input).caseName, source: .scan(files: files)))
      }
    }
    guard !entries.isEmpty else { throw InputError.empty }
    let kinds = Set(entries.map(\.isArray))
    guard kinds.count == 1 else { throw InputError.mixed }
    self.entries = entries
  }

  /// Whether the inputs are arrays, run as they are given.
  var isArrays: Bool { entries.contains(where: \.isArray) }

  /// Files that outputs must not overwrite.
  var identities: [MappedFile.Identity] {
    entries.flatMap(\.files).compactMap { MappedFile.identity(ofFileAt: $0) }
  }
}

extension CaseList.Entry {
  var isArray: Bool { if case .array = source { true } else { false } }

  var files: [String] {
    switch source {
    case .scan(let files): files
    case .array(let path): [path]
    }
  }

  /// Reads `{"case": …, "images": […]}`.
  init(line: String) throws {
    let json: JSONValue
    do { json = try JSONParser.parse(Bytes(Array(line.utf8))) } catch {
      throw InputError.line("\(error)")
    }
    let images = json["images"]?.array?.compactMap(\.string) ?? []
    guard !images.isEmpty, images.count == json["images"]?.array?.count else {
      throw InputError.line("\"images\" is no list of files")
    }
    self.init(
      name: json["case"]?.string ?? ScanName(path: images[0]).caseName,
      source: images.count == 1 && images[0].lowercased().hasSuffix(".npy")
        ? .array(path: images[0]) : .scan(files: images))
  }
}

/// A scan's file name in nnU-Net's manner: `case_0000.nii.gz`.
struct ScanName {
  /// The name without folder, ending and channel number.
  let caseName: String
  /// The channel, where the name tells one.
  let channel: Int?
  /// Whether the ending is one of NIfTI's.
  let isNIfTI: Bool

  init(path: String) {
    var name = path.split(separator: "/").last.map(String.init) ?? path
    let ending = [".nii.gz", ".nii"].first { name.lowercased().hasSuffix($0) }
    isNIfTI = ending != nil
    name.removeLast(ending?.count ?? 0)
    let digits = name.suffix(4)
    if name.dropLast(4).hasSuffix("_"), name.count > 5, let number = Int(digits),
      digits.allSatisfy({ $0.isASCII && $0.isNumber })
    {
      channel = number
      name.removeLast(5)
    } else {
      channel = nil
    }
    caseName = name
  }
}
