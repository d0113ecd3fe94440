// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// One file: its data set, and where the pixels lie in it.
struct DICOMFile {
  /// The file's own bytes or, where it is deflated, what they hold.
  let bytes: Bytes
  let dataSet: DataSet
  let pixels: PixelLocation?
  let syntax: Result<TransferSyntax, DICOMError>

  /// Whether it lists other files and is no image itself (DICOMDIR).
  var isDirectory: Bool { dataSet.text(.sopClassUID) == "1.2.840.10008.1.3.10" }

  /// Parses a file; `nil` where it is no DICOM.
  init?(_ file: Bytes) throws(DICOMError) {
    let uid: String
    var start = 0
    if file.hasBytes(Array("DICM".utf8), at: 128) {
      var parser = DataSetParser(file)
      let meta: DataSet
      (meta, start) = try parser.metaGroup(from: 132)
      guard let named = try meta.uid(.transferSyntaxUID) else {
        throw DICOMError(.syntax, "names no transfer syntax \(DICOMTag.transferSyntaxUID)")
      }
      uid = named
    } else if let raw = Self.syntaxWithoutPreamble(file) {
      uid = raw.rawValue
    } else {
      return nil
    }
    let known = TransferSyntax(rawValue: uid)
    let unread = UnreadSyntax(uid: uid)
    guard known != nil || unread.hasReadableElements else { throw unread.error }
    syntax = known.map { .success($0) } ?? .failure(unread.error)
    if known == .deflated {
      bytes = try DeflatedDataSet(file, from: start).inflated()
      start = 0
    } else {
      bytes = file
    }
    var parser = DataSetParser(bytes)
    dataSet = try parser.dataSet(
      from: start, (known ?? .explicitLittleEndian).encoding)
    pixels = parser.pixels
  }

  /// Whether a file without preamble and meta group looks like a data set, and of which kind.
  private static func syntaxWithoutPreamble(_ file: Bytes) -> TransferSyntax? {
    guard file.littleEndian(UInt16.self, at: 0) == 8,
      let length: UInt32 = file.littleEndian(at: 4)
    else { return nil }
    if DataSetParser.hasRepresentation(file, at: 4) { return .explicitLittleEndian }
    return Int(length) < file.count ? .implicitLittleEndian : nil
  }
}
