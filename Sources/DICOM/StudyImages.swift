// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// The images of one series.
struct SeriesImages: Sendable {
  let header: SeriesHeader
  var slices: [Slice] = []
  var errors: [DICOMError] = []
  var hasOnlyScreenshots: Bool {
    errors.allSatisfy { $0.reason == .colour || $0.reason == .float }
      && slices.allSatisfy { $0.orientation == nil && $0.position == nil }
  }
}

/// Gathers a folder's images by series, leaving out copies, localizers and screenshots.
struct StudyImages {
  private struct ImageName: Hashable {
    let instance: String
    let frame: Int
  }

  private enum Image {
    case slice(Slice)
    case refused(RefusedImage)

    var isLocalizer: Bool {
      switch self {
      case .slice(let slice): slice.isLocalizer
      case .refused(let image): image.isLocalizer
      }
    }
    var header: SeriesHeader {
      switch self {
      case .slice(let slice): slice.series
      case .refused(let image): image.series
      }
    }
  }

  private let files: FolderFiles
  private var images: [Image] = []
  private var seen: [ImageName: Slice] = [:]
  private var copies: Set<Int> = []
  private var otherFiles = 0
  private var setAside: [String] = []

  init(_ files: FolderFiles) { self.files = files }

  mutating func add(_ content: FileContent, file: Int) throws(DICOMError) {
    switch content {
    case .notDICOM, .noImage: otherFiles += 1
    case .refused(let image): images.append(.refused(image))
    case .image(let slices):
      for slice in slices {
        if let instance = slice.instance {
          let name = ImageName(instance: instance, frame: slice.frame)
          if let other = seen[name] {
            try addCopy(slice, of: other)
            continue
          }
          seen[name] = slice
        }
        images.append(.slice(slice))
      }
    }
  }

  /// Drops an image that is there already; refuses another one of the same name.
  private mutating func addCopy(_ slice: Slice, of other: Slice) throws(DICOMError) {
    if slice.describesSameImage(as: other), try values(of: slice) == values(of: other) {
      copies.insert(slice.file)
      return
    }
    images.append(
      .refused(
        RefusedImage(
          series: slice.series, file: slice.file, instance: slice.instance,
          isLocalizer: slice.isLocalizer,
          error: DICOMError(.position, "is another image under the UID of one that is there"))))
  }

  private func values(of slice: Slice) throws(DICOMError) -> [Float] {
    let place = files.place(slice.file, instance: slice.instance)
    do throws(DICOMError) {
      let stored = try slice.pixels.stored(in: files.dataSetBytes(slice.file))
      return [Float](unsafeUninitializedCapacity: slice.format.pixelCount) { output, initialized in
        stored.write(
          slice.format, slope: slice.slope, intercept: slice.intercept, to: output,
          at: StoredPixels.Target(start: 0, columnStride: 1, rowStride: slice.format.columns))
        initialized = output.count
      }
    } catch { throw error.at(place) }
  }

  /// The series that are left when localizers, then screenshots, stand back for others.
  mutating func withoutScreenshots() -> [SeriesImages] {
    let others = images.filter { !$0.isLocalizer }
    if !others.isEmpty, others.count < images.count {
      setAside.append("\(images.count - others.count) localizer images")
    }
    var series: [String: SeriesImages] = [:]
    for image in others.isEmpty ? images : others {
      var group = series[image.header.uid] ?? SeriesImages(header: image.header)
      switch image {
      case .slice(let slice): group.slices.append(slice)
      case .refused(let image):
        group.errors.append(image.error.at(files.place(image.file, instance: image.instance)))
      }
      series[image.header.uid] = group
    }
    let rest = series.values.filter { !$0.hasOnlyScreenshots }
    guard !rest.isEmpty else { return Array(series.values) }
    if rest.count < series.count {
      setAside.append("\(series.count - rest.count) series of pictures without positions")
    }
    return rest
  }

  /// What was left out, one line each.
  var notices: [String] {
    var parts = setAside
    if !copies.isEmpty { parts.append("\(copies.count) copies") }
    if otherFiles > 0 { parts.append("\(otherFiles) files that are no DICOM images") }
    return parts.isEmpty ? [] : ["left out: \(parts.joined(separator: ", "))"]
  }
}
