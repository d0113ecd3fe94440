// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// How a file's elements and pixels are coded.
enum TransferSyntax: String, Sendable {
  case implicitLittleEndian = "1.2.840.10008.1.2"
  case explicitLittleEndian = "1.2.840.10008.1.2.1"
  case deflated = "1.2.840.10008.1.2.1.99"
  case explicitBigEndian = "1.2.840.10008.1.2.2"
  case runLength = "1.2.840.10008.1.2.5"
  case jpegLossless = "1.2.840.10008.1.2.4.57"
  case jpegLosslessFirstOrder = "1.2.840.10008.1.2.4.70"

  var isEncapsulated: Bool {
    switch self {
    case .runLength, .jpegLossless, .jpegLosslessFirstOrder: true
    case .implicitLittleEndian, .explicitLittleEndian, .deflated, .explicitBigEndian: false
    }
  }

  var encoding: ElementEncoding {
    ElementEncoding(
      isExplicit: self != .implicitLittleEndian, isBigEndian: self == .explicitBigEndian)
  }
}

/// A transfer syntax whose pixels are not read.
struct UnreadSyntax: Sendable {
  let uid: String

  /// Whether its elements are explicit little endian, as those of all compressed pixels are.
  var hasReadableElements: Bool {
    uid.hasPrefix("1.2.840.10008.1.2.4.") || uid == "1.2.840.10008.1.2.7"
  }

  /// What is wrong and which command unpacks it.
  var error: DICOMError {
    DICOMError(.syntax, "its pixels are \(name) (\(uid)), which is not read", advice: advice)
  }

  private var name: String {
    switch uid.dropFirst("1.2.840.10008.1.2.4.".count) {
    case "50": "JPEG, lossy"
    case "51": "JPEG extended, lossy"
    case "80": "JPEG-LS"
    case "81": "JPEG-LS, near-lossless"
    case "90": "JPEG 2000"
    case "91": "JPEG 2000, perhaps lossy"
    case "92", "93": "JPEG 2000 of several components"
    case "94", "95": "on a JPIP server"
    case "201", "202": "HTJ2K"
    case "203": "HTJ2K, perhaps lossy"
    default:
      uid.contains(".1.2.4.1") && hasReadableElements ? "video" : "of an unknown transfer syntax"
    }
  }

  private var advice: Advice {
    if uid.hasSuffix(".50") || uid.hasSuffix(".51") {
      return "unpack each file with 'dcmdjpeg IN OUT' (dcmtk)"
    }
    if uid.hasSuffix(".94") || uid.hasSuffix(".95") { return "fetch the pixels from the server" }
    return "unpack each file with 'gdcmconv --raw IN OUT' (libgdcm-tools)"
  }
}
