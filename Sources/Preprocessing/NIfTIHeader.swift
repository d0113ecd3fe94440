// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// A NIfTI-1, NIfTI-2 or ANALYZE 7.5 header, its fields as they stand in the file.
///
/// What nnU-Net's readers make of them is `ScanLayout`'s matter.
struct NIfTIHeader {
  /// `datatype` codes that are read; complex and colour are not.
  enum DataType: Int {
    case uint8 = 2
    case int16 = 4
    case int32 = 8
    case float32 = 16
    case float64 = 64
    case int8 = 256
    case uint16 = 512
    case uint32 = 768
    case int64 = 1024
    case uint64 = 1280

    var byteCount: Int {
      switch self {
      case .uint8, .int8: 1
      case .int16, .uint16: 2
      case .int32, .uint32, .float32: 4
      case .int64, .uint64, .float64: 8
      }
    }
  }

  /// What the magic says.
  enum Magic {
    /// Header and voxels in one file: "n+1".
    case single
    /// A header whose voxels are elsewhere: "ni1".
    case pair
    /// None: an ANALYZE 7.5 header, known by its size.
    case none
  }

  /// A file may be shorter than a NIfTI-2 header and its extension flag; the header tells.
  static let firstByteCount = 348
  static let largestByteCount = 540

  /// 1 or 2.
  let version: Int
  let magic: Magic
  /// The magic's four bytes.
  let magicBytes: [UInt8]
  let isBigEndian: Bool
  /// `sizeof_hdr`.
  let statedByteCount: Int
  /// `dim`, 8 numbers.
  let dimensions: [Int]
  let intentCode: Int
  let dataType: DataType
  let bitsPerVoxel: Int
  /// `pixdim`, 8 numbers.
  let pixdim: [Double]
  let voxelOffset: Double
  let slope: Double
  let intercept: Double
  let xyztUnits: Int
  let qformCode: Int
  let sformCode: Int
  /// `quatern_b`, `c`, `d`.
  let quaternion: [Double]
  let qoffset: [Double]
  /// `srow_x`, `y`, `z`: 3×3 and what is added.
  let sform: Affine

  /// The header's size in bytes.
  var byteCount: Int { version == 2 ? 540 : 348 }

  /// Whether `bytes` start a NIfTI-2 header.
  static func isSecond(_ bytes: Bytes) -> Bool {
    bytes.hasBytes(Array("n+2\0".utf8), at: 4) || bytes.hasBytes(Array("ni2\0".utf8), at: 4)
  }

  init(_ bytes: Bytes, path: String) throws(PreprocessingError) {
    func refuse(_ problem: String) -> PreprocessingError {
      PreprocessingError(.format(path: path, problem: problem))
    }
    let version = Self.isSecond(bytes) ? 2 : 1
    let magicBytes = bytes.slice(at: version == 2 ? 4 : 344, count: 4)?.array ?? []
    let magic = Self.magic(magicBytes)
    let little: Int32 = bytes.littleEndian(at: 0) ?? 0
    guard magic != .none || little == 348 || little.byteSwapped == 348 else {
      throw refuse(ForeignFormat.problem(of: bytes))
    }
    guard bytes.count >= (version == 2 ? 540 : 348) else { throw refuse("ends within its header") }

    func littleEndian<I: FixedWidthInteger & BitwiseCopyable>(_ type: I.Type, _ offset: Int) -> I {
      bytes.littleEndian(at: offset) ?? 0
    }
    // As both readers do: dim[0] tells the byte order, and the size of the header where that is 0.
    let rank =
      version == 2
      ? (
        little: Int(littleEndian(Int64.self, 16)),
        big: Int(littleEndian(Int64.self, 16).byteSwapped)
      )
      : (
        little: Int(littleEndian(Int16.self, 40)),
        big: Int(littleEndian(Int16.self, 40).byteSwapped)
      )
    let isBigEndian: Bool
    switch (rank.little, rank.big) {
    case (1...7, _): isBigEndian = false
    case (_, 1...7): isBigEndian = true
    default: throw refuse("dim[0] is \(rank.little), not a number of axes from 1 to 7")
    }
    func integer<I: FixedWidthInteger & BitwiseCopyable>(_ type: I.Type, _ offset: Int) -> I {
      isBigEndian ? littleEndian(type, offset).byteSwapped : littleEndian(type, offset)
    }
    /// A number that is a float32 in NIfTI-1 and a float64 in NIfTI-2.
    func number(_ first: Int, _ second: Int, _ index: Int = 0) -> Double {
      version == 2
        ? Double(bitPattern: integer(UInt64.self, second + 8 * index))
        : Double(Float(bitPattern: integer(UInt32.self, first + 4 * index)))
    }
    func code(_ first: Int, _ second: Int) -> Int {
      version == 2 ? Int(integer(Int32.self, second)) : Int(integer(Int16.self, first))
    }
    let dataTypeCode = Int(integer(Int16.self, version == 2 ? 12 : 70))
    guard let dataType = DataType(rawValue: dataTypeCode) else {
      throw refuse(
        "datatype \(dataTypeCode)\(Self.name(ofDataType: dataTypeCode)) is not supported — convert it"
      )
    }
    self.version = version
    self.magic = magic
    self.magicBytes = magicBytes
    self.isBigEndian = isBigEndian
    self.dataType = dataType
    statedByteCount = Int(integer(Int32.self, 0))
    dimensions = (0..<8).map {
      version == 2
        ? Int(integer(Int64.self, 16 + 8 * $0)) : Int(integer(Int16.self, 40 + 2 * $0))
    }
    intentCode = code(68, 504)
    bitsPerVoxel = Int(integer(Int16.self, version == 2 ? 14 : 72))
    pixdim = (0..<8).map { number(76, 104, $0) }
    voxelOffset = version == 2 ? Double(integer(Int64.self, 168)) : number(108, 0)
    slope = number(112, 176)
    intercept = number(116, 184)
    xyztUnits = version == 2 ? Int(integer(Int32.self, 500)) : Int(integer(UInt8.self, 123))
    qformCode = code(252, 344)
    sformCode = code(254, 348)
    quaternion = (0..<3).map { number(256, 352, $0) }
    qoffset = (0..<3).map { number(268, 376, $0) }
    sform = Affine(
      matrix: Matrix3(
        (0..<3).map { row in (0..<3).map { number(280 + 16 * row, 400 + 32 * row, $0) } }),
      offset: (0..<3).map { number(280 + 16 * $0, 400 + 32 * $0, 3) })
  }

  private static func magic(_ bytes: [UInt8]) -> Magic {
    guard bytes.count == 4, bytes[0] == UInt8(ascii: "n"), bytes[3] == 0,
      (UInt8(ascii: "1")...UInt8(ascii: "9")).contains(bytes[2])
    else { return .none }
    return switch bytes[1] {
    case UInt8(ascii: "+"): .single
    case UInt8(ascii: "i"): .pair
    default: .none
    }
  }

  private static func name(ofDataType code: Int) -> String {
    switch code {
    case 32, 1792, 2048: " (complex)"
    case 128, 2304: " (RGB)"
    case 1536: " (float128)"
    default: ""
    }
  }
}
