// SPDX-License-Identifier: Apache-2.0
package import FileIO
internal import Synchronization

/// The volumes that a folder of DICOM files holds.
package struct DICOMStudy: Sendable {
  /// A volume, or a series that gives none.
  package struct Candidate: Sendable {
    /// The name of the volume, or the UID of the series.
    package let name: String
    package let modality: String?
    package let number: Int?
    package let series: Result<DICOMSeries, DICOMError>
  }

  /// In the order of their names; series that are broken count too, so that none of them makes another
  /// one the only choice.
  package let candidates: [Candidate]
  /// What was left out, one line each.
  package let notices: [String]
  private let folder: StudyFolder
  /// How many volumes a message lists.
  private static let longestList = 50

  /// Reads the headers of all files of a folder and of the folders in it, or of one file.
  ///
  /// - Throws: `DICOMError` where there is no image, or where a file cannot be parsed: it might be a
  ///   slice of any series.
  package init(_ folder: StudyFolder, threads: Int) throws(DICOMError) {
    let files = try FolderFiles(folder)
    var images = StudyImages(files)
    let contents = try Self.contents(of: files, threads: threads)
    for (index, content) in contents.enumerated() { try images.add(content, file: index) }
    let series = images.withoutScreenshots()
    guard !series.isEmpty else {
      throw DICOMError(
        .empty, "holds no DICOM image (\(files.paths.count) files looked at)"
      ).at(folder.place)
    }
    self.folder = folder
    notices = images.notices
    candidates = series.sorted { $0.header.uid < $1.header.uid }.flatMap { series in
      Self.candidates(of: series, files)
    }
  }

  /// The one volume there is, or the one of that name.
  ///
  /// - Throws: what is wrong with it, or a list of what there is.
  package func series(named name: String? = nil) throws(DICOMError) -> DICOMSeries {
    let chosen =
      name.map { name in
        candidates.filter { $0.name == name || $0.name.hasPrefix("\(name)-") }
      } ?? candidates
    if chosen.count == 1 { return try chosen[0].series.get() }
    throw refusal(
      name.map {
        "has \(chosen.isEmpty ? "no" : "several volumes of") series \(DisplayText.escaped($0))"
      }
        ?? "has \(candidates.count) volumes",
      advice: "name one of them with \(.series)")
  }

  /// An error with a list of what there is.
  package func refusal(_ problem: String, advice: Advice) -> DICOMError {
    let list = candidates.prefix(Self.longestList).map(\.line).joined(separator: "; ")
    let rest = candidates.count > Self.longestList ? "; …" : ""
    return DICOMError(.choice, "\(problem): \(list)\(rest)", advice: advice).at(folder.place)
  }

  /// Reads every file's header; an unreadable one fails all.
  private static func contents(
    of files: FolderFiles, threads: Int
  ) throws(DICOMError) -> [FileContent] {
    let count = files.paths.count
    let results = Mutex(
      [Result<FileContent, DICOMError>](repeating: .success(.notDICOM), count: count))
    // Files behind one that cannot be read are left alone: there may be many that take long to refuse.
    let end = Mutex(count)
    let workers = max(1, min(threads, count))
    ParallelLoop.run(workers) { worker in
      for index in stride(from: worker, to: count, by: workers) where index < end.withLock({ $0 }) {
        let result = Result { () throws(DICOMError) in try files.content(index) }
        results.withLock { $0[index] = result }
        if case .failure = result { end.withLock { $0 = min($0, index) } }
      }
    }
    var contents: [FileContent] = []
    for result in results.withLock({ $0 }) { contents.append(try result.get()) }
    return contents
  }

  private static func candidates(of series: SeriesImages, _ files: FolderFiles) -> [Candidate] {
    let uid = series.header.uid
    func candidate(_ name: String, _ result: Result<DICOMSeries, DICOMError>) -> Candidate {
      Candidate(
        name: name, modality: series.header.modality, number: series.header.number,
        series: result.mapError { $0.at(.series(uid)) })
    }
    do throws(DICOMError) {
      if let error = series.errors.first { throw error }
      let parts = try SeriesSplit.parts(of: series.slices)
      return parts.enumerated().map { index, part in
        let name = parts.count == 1 ? uid : "\(uid)-\(index + 1)"
        return candidate(
          name,
          Result { () throws(DICOMError) in
            try DICOMSeries(part.slices, of: files, name: name, split: part.split)
          })
      }
    } catch { return [candidate(uid, .failure(error))] }
  }
}

extension DICOMSeries {
  /// The volumes that a folder of DICOM files holds, in the order of their names; for those that cannot be
  /// read the reason.
  ///
  /// - Throws: `DICOMError` where there is no image, or where a file cannot be parsed: it might be a
  ///   slice of any series.
  public static func all(
    in folder: String
  ) throws(DICOMError) -> [Result<DICOMSeries, DICOMError>] {
    try DICOMStudy(StudyFolder(folder), threads: ProcessorCount.available).candidates.map(\.series)
  }
}

extension DICOMStudy.Candidate {
  /// A line of a list.
  package var line: String {
    var facts = ["\(name):", modality.map(DisplayText.escaped) ?? "no modality"]
    if let number { facts.append("series \(number),") }
    switch series {
    case .success(let series):
      let (shape, spacing) = (series.shape, series.spacing)
      facts.append(
        "\(shape[2]) × \(shape[1]) × \(shape[0]) voxels of "
          + "\(Millimetres.text(spacing[2])) × \(Millimetres.text(spacing[1])) × "
          + "\(Millimetres.text(spacing[0])) mm")
      if let distinction = series.distinction { facts.append("(\(distinction))") }
    case .failure(let error): facts.append("cannot be read: \(error.problem)")
    }
    return facts.joined(separator: " ")
  }
}
