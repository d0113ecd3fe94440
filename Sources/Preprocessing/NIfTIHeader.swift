internal import FileIO

/// What a NIfTI-1 or NIfTI-2 header says, checked.
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

  static let largestByteCount = 544

  let isBigEndian: Bool
  let dataType: DataType
  /// `[x, y, z, t]`, with 1 for axes that are not there.
  let sizes: [Int]
  /// Whether `dim[0]` says 2.
  let isTwoDimensional: Bool
  /// `pixdim` of x, y, z as positive numbers, in the header's unit.
  let spacing: [Double]
  /// Millimetres in the header's unit of length, where it names one.
  let unit: Double
  let dataOffset: Int
  let slope: Double
  let intercept: Double
  /// The 3×3 parts of the sform and the qform, row by row, where there are any.
  let sform: [[Double]]?
  let qform: [[Double]]?

  /// What orientation is read from: the sform before the qform, as nibabel has it.
  var affine: [[Double]]? { sform ?? qform }

  init(_ bytes: Bytes, path: String) throws(PreprocessingError) {
    func refuse(_ problem: String) -> PreprocessingError { .format(path: path, problem: problem) }
    let little: Int32? = bytes.littleEndian(at: 0)
    guard let little else { throw refuse("ends within its header") }
    let isSecond: Bool
    switch (little, little.byteSwapped) {
    case (348, _), (_, 348): isSecond = false
    case (540, _), (_, 540): isSecond = true
    default: throw refuse(Self.foreignFormat(bytes))
    }
    let isBigEndian = little != 348 && little != 540
    guard bytes.count >= (isSecond ? 540 : 348) else { throw refuse("ends within its header") }
    let magic = bytes.slice(at: isSecond ? 4 : 344, count: 3)?.array ?? []
    let text = String(decoding: magic, as: UTF8.self)
    guard text == (isSecond ? "n+2" : "n+1") else {
      throw refuse(
        text.hasPrefix("ni")
          ? "is the header of an .hdr/.img pair — convert it to one .nii file"
          : "has no NIfTI magic (ANALYZE 7.5?) — convert it to .nii")
    }
    func integer<I: FixedWidthInteger & BitwiseCopyable>(_ type: I.Type, _ offset: Int) -> I {
      let value: I = bytes.littleEndian(at: offset) ?? 0
      return isBigEndian ? value.byteSwapped : value
    }
    func number(_ first: Int, _ second: Int, _ index: Int = 0) -> Double {
      isSecond
        ? Double(bitPattern: integer(UInt64.self, second + 8 * index))
        : Double(Float(bitPattern: integer(UInt32.self, first + 4 * index)))
    }
    func size(_ index: Int) -> Int {
      isSecond
        ? Int(integer(Int64.self, 16 + 8 * index)) : Int(integer(Int16.self, 40 + 2 * index))
    }
    let rank = size(0)
    guard (2...7).contains(rank) else { throw refuse("dim[0] is \(rank), not 2 to 7") }
    var sizes = [1, 1, 1, 1]
    for axis in 1...rank {
      let size = size(axis)
      guard (1...1_000_000).contains(size), axis <= 4 || size == 1 else {
        throw refuse("dim[\(axis)] is \(size) — only images with up to 4 axes are read")
      }
      if axis <= 4 { sizes[axis - 1] = size }
    }
    let code = Int(isSecond ? integer(Int16.self, 12) : integer(Int16.self, 70))
    guard let dataType = DataType(rawValue: code) else {
      throw refuse("datatype \(code)\(Self.name(ofDataType: code)) is not supported — convert it")
    }
    let bits = Int(isSecond ? integer(Int16.self, 14) : integer(Int16.self, 72))
    guard bits == 0 || bits == 8 * dataType.byteCount else {
      throw refuse("bitpix \(bits) does not fit datatype \(code)")
    }
    let offset = isSecond ? Double(integer(Int64.self, 168)) : number(108, 0)
    let least = isSecond ? 544.0 : 352.0
    guard offset == 0 || (offset >= least && offset <= 1e9 && offset == offset.rounded()) else {
      throw refuse("vox_offset is \(offset), not \(Int(least)) or more")
    }
    var spacing: [Double] = []
    for axis in 1...3 {
      let value = abs(number(76, 104, axis))
      // The reference readers take 1 mm where the file gives none.
      spacing.append(value.isFinite && value > 0 ? value : 1)
    }
    let slope = number(112, 176)
    let intercept = number(116, 184)
    let isScaled = slope.isFinite && slope != 0
    guard !isScaled || intercept.isFinite else { throw refuse("scl_inter is \(intercept)") }
    let (qformCode, sformCode) =
      isSecond
      ? (Int(integer(Int32.self, 344)), Int(integer(Int32.self, 348)))
      : (Int(integer(Int16.self, 252)), Int(integer(Int16.self, 254)))
    let units = isSecond ? Int(integer(Int32.self, 500)) : Int(integer(UInt8.self, 123))
    self.isBigEndian = isBigEndian
    self.dataType = dataType
    self.sizes = sizes
    isTwoDimensional = rank == 2
    self.spacing = spacing
    dataOffset = offset == 0 ? Int(least) : Int(offset)
    self.slope = isScaled ? slope : 1
    self.intercept = isScaled ? intercept : 0
    unit = [1: 1000, 3: 0.001][units & 7] ?? 1
    sform =
      sformCode > 0
      ? (0..<3).map { row in (0..<3).map { number(280 + 16 * row, 400 + 32 * row, $0) } } : nil
    qform =
      qformCode > 0
      ? Self.matrix(
        quaternion: (0..<3).map { number(256, 352, $0) }, spacing: spacing,
        isLeftHanded: number(76, 104) < 0) : nil
  }

  /// The rotation that `quatern_b, c, d` stand for, with the z axis turned where `pixdim[0]` says so.
  private static func matrix(
    quaternion: [Double], spacing: [Double], isLeftHanded: Bool
  ) -> [[Double]] {
    let (b, c, d) = (quaternion[0], quaternion[1], quaternion[2])
    let a = max(0, 1 - (b * b + c * c + d * d)).squareRoot()
    let rotation = [
      [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
      [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
      [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
    ]
    let scales = [spacing[0], spacing[1], isLeftHanded ? -spacing[2] : spacing[2]]
    return rotation.map { row in zip(row, scales).map { $0 * $1 } }
  }

  private static func name(ofDataType code: Int) -> String {
    switch code {
    case 32, 1792, 2048: " (complex)"
    case 128, 2304: " (RGB)"
    case 1536: " (float128)"
    default: ""
    }
  }

  private static func foreignFormat(_ bytes: Bytes) -> String {
    let advice = "— convert it to .nii.gz (SimpleITK, dcm2niix)"
    if bytes.hasBytes([0x89, 0x50, 0x4E, 0x47]) { return "is a PNG image \(advice)" }
    if bytes.hasBytes([0x49, 0x49, 0x2A, 0]) || bytes.hasBytes([0x4D, 0x4D, 0, 0x2A]) {
      return "is a TIFF image \(advice)"
    }
    if bytes.hasBytes(Array("NRRD".utf8)) { return "is a NRRD image \(advice)" }
    if bytes.hasBytes(Array("ObjectType".utf8)) { return "is a MetaImage \(advice)" }
    if bytes.hasBytes(Array("DICM".utf8), at: 128) { return "is a DICOM file \(advice)" }
    return "is no NIfTI image \(advice)"
  }
}
