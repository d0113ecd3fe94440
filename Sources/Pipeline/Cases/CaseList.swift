// SPDX-License-Identifier: Apache-2.0
internal import DICOM
package import FileIO

/// What a command was asked to work on, before any of it is opened: cases under names of their own.
package struct CaseList: Sendable {
  /// Where the voxels of a case come from.
  package enum Source: Sendable, Equatable {
    /// One file per channel.
    case scan(files: [String])
    /// An array file, which may hold several cases.
    case array(path: String)
    /// Series of a study.
    case dicom(DICOMSource)
    /// What was named is no case.
    case unusable(CaseListError)
  }

  /// A case with its name.
  package struct Entry: Sendable, Equatable {
    package let name: String
    package let source: Source
    /// What a table says of it besides, by column: label, patient, age, …
    package let fields: [String: String]

    package init(name: String, source: Source, fields: [String: String] = [:]) {
      self.name = name
      self.source = source
      self.fields = fields
    }
  }

  package let entries: [Entry]
  /// Whether one file, or one scan, was named by itself: its result is a file, not a folder or a list.
  package let isSingle: Bool
  /// What the user should know, one line each.
  package let notes: [String]
  /// What this is of all cases; `nil` where it is all of them.
  package private(set) var part: Part?

  /// A share of the cases.
  package struct Part: Sendable, Equatable {
    package let share: Share
    /// The names of all cases, in the order of one run over them.
    package let cohort: [String]

    package init(share: Share, cohort: [String]) {
      self.share = share
      self.cohort = cohort
    }
  }

  /// What one of several machines does.
  package func taking(_ share: Share) -> CaseList {
    let names = entries.map(\.name)
    return CaseList(
      entries: share.places(of: names).map { entries[$0] }, isSingle: false, notes: notes,
      part: Part(share: share, cohort: names))
  }

  private init(entries: [Entry], isSingle: Bool, notes: [String], part: Part) {
    self.entries = entries
    self.isSingle = isSingle
    self.notes = notes
    self.part = part
  }

  /// Sorts out arguments: files, comma-joined channels, folders and tables of cases.
  ///
  /// - Parameters:
  ///   - channels: the names of the model's channels.
  ///   - layout: how folders are laid out.
  ///   - dicom: what the user says about DICOM.
  ///   - used: columns of tables that the caller reads itself.
  package init(
    inputs: [String], channels: [String], layout: ScanFolder.Layout = .flat,
    dicom: DICOMChoice = DICOMChoice(), used: [String] = []
  ) throws(CaseListError) {
    var found: [Found] = []
    var notes: [String] = []
    var isSingle = inputs.count == 1
    for input in inputs {
      if try !ScanFolder(path: input, layout: layout).holdsScans,
        let studies = try DICOMCases(
          path: input, channels: channels, choice: dicom, isOnly: isSingle,
          countedFrom: found.count { $0.entry.isDICOM } + 1)
      {
        isSingle = isSingle && studies.found.count == 1
        found += studies.found
      } else if Folder.exists(input) {
        isSingle = false
        found += try ScanFolder(path: input, layout: layout).cases(channels: channels)
      } else if input.lowercased().hasSuffix(".csv") {
        isSingle = false
        let table = try CaseTable(path: input, channels: channels, dicom: dicom, used: used)
        notes += table.notes
        found += table.entries.map { Found(entry: $0, isNamed: true) }
      } else if input.lowercased().hasSuffix(".npy") {
        found.append(Found(path: input, source: .array(path: input)))
      } else {
        // A file's name may hold commas itself.
        let exists = MappedFile.identity(ofFileAt: input) != nil
        let files = exists ? [input] : input.split(separator: ",").map(String.init)
        if files.count > 1,
          let source = try DICOMSource(paths: files, channels: channels, choice: dicom)
        {
          found.append(
            Found(entry: Entry(name: source.name, source: .dicom(source)), isNamed: true))
        } else {
          found.append(Found(path: files.first ?? input, source: .scan(files: files)))
        }
      }
    }
    guard !found.isEmpty else { throw .empty }
    guard dicom.series.isEmpty || found.contains(where: { $0.entry.isDICOM }) else {
      throw .noSeries
    }
    guard Set(found.compactMap(\.entry.isArray)).count <= 1 else { throw .mixed }
    entries = try Self.named(found)
    self.isSingle = isSingle
    self.notes = notes
  }

  /// A case before all names are known.
  struct Found {
    let entry: Entry
    /// Whether the user gave the name; otherwise it follows from the path.
    let isNamed: Bool
    let path: String

    init(entry: Entry, isNamed: Bool, path: String = "") {
      self.entry = entry
      self.isNamed = isNamed
      self.path = path
    }

    /// A case that is known by its first file.
    init(path: String, source: Source) {
      self.init(
        entry: Entry(name: ScanName(path: path).caseName, source: source), isNamed: false,
        path: path)
    }
  }

  /// The cases under names that tell them apart, whatever folders and tables they come from.
  private static func named(_ found: [Found]) throws(CaseListError) -> [Entry] {
    let unnamed = found.indices.filter { !found[$0].isNamed }
    guard let names = CaseNames.distinct(unnamed.map { found[$0].path }) else {
      let paths = Dictionary(grouping: unnamed.map { found[$0].path }) { $0 }
      let twice = paths.first { $0.value.count > 1 }?.key ?? found[0].path
      throw .sameName(twice, place: "the inputs")
    }
    var entries = found.map(\.entry)
    for (index, name) in zip(unnamed, names) {
      entries[index] = Entry(
        name: name, source: entries[index].source, fields: entries[index].fields)
    }
    var seen: Set<String> = []
    for entry in entries where !seen.insert(entry.name).inserted {
      throw .sameName(entry.name, place: "the inputs")
    }
    return entries
  }

  /// Whether the inputs are arrays, run as they are given.
  package var isArrays: Bool { entries.contains { $0.isArray == true } }

  /// Files that outputs must not overwrite.
  package var identities: [MappedFile.Identity] {
    entries.flatMap(\.files).compactMap { MappedFile.identity(ofFileAt: $0) }
  }
}

extension CaseList.Source {
  /// What a line or row names: an array, DICOM, or one file per channel.
  init(files: [String], channels: [String], dicom: DICOMChoice) {
    if files.count == 1, files[0].lowercased().hasSuffix(".npy") {
      self = .array(path: files[0])
      return
    }
    do throws(CaseListError) {
      let source = try DICOMSource(paths: files, channels: channels, choice: dicom)
      self = source.map { .dicom($0) } ?? .scan(files: files)
    } catch { self = .unusable(error) }
  }
}

extension CaseList.Entry {
  /// `nil` for what is no case.
  package var isArray: Bool? {
    switch source {
    case .scan, .dicom: false
    case .array: true
    case .unusable: nil
    }
  }

  /// What identities and messages call the files: of a DICOM series its UID.
  package var fileNames: [String] {
    if case .dicom(let source) = source { source.series.map(\.name) } else { files }
  }

  /// Whether it is a study, be it usable or not.
  package var isDICOM: Bool {
    switch source {
    case .dicom, .unusable(.dicom): true
    default: false
    }
  }

  package var files: [String] {
    switch source {
    case .scan(let files): files
    case .array(let path): [path]
    case .dicom(let source): source.series.flatMap(\.paths)
    case .unusable: []
    }
  }
}
