// SPDX-License-Identifier: Apache-2.0
package import Preprocessing

/// A case that has been read and preprocessed.
package struct PreparedCase: Sendable {
  /// What a person should look at, one line each.
  package let warnings: [String]
  /// Where the voxels of the first file lie; `nil` for channels given in memory.
  package let place: ScanGeometry?
  package let image: PreparedImage
}

extension CaseReader {
  /// Reads and preprocesses a case on one thread, while others hold so much memory.
  ///
  /// - Returns: `nil` where that does not fit beside them, or the case is bad: it is then read when its turn
  ///   comes, and what is wrong is said.
  func prepareAhead(_ entry: CaseList.Entry, held: Int) -> PreparedCase? {
    let reader = CaseReader(self, threads: 1)
    do throws(PipelineError) {
      let scan: Case
      if case .dicom(let source) = entry.source {
        guard memory.allows(held + source.byteCount) else { return nil }
        scan = try reader.read(source)
      } else {
        let sources = try reader.open(files: entry.files)
        guard memory.allows(held + sources.byteCount) else { return nil }
        scan = try reader.read(sources)
      }
      let (warnings, place) = (scan.warnings, scan.place)
      return PreparedCase(
        warnings: warnings, place: place, image: try reader.prepare(scan, held: held))
    } catch { return nil }
  }
}
