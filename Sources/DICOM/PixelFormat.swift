// SPDX-License-Identifier: Apache-2.0
/// How the pixels of an image are stored.
struct PixelFormat: Sendable, Equatable {
  let rows: Int
  let columns: Int
  /// 8, 16 or 32.
  let bitsAllocated: Int
  /// The lowest bits of each pixel; those above mean nothing.
  let bitsStored: Int
  let isSigned: Bool
  let isBigEndian: Bool

  init(_ dataSet: DataSet) throws(DICOMError) {
    func number(_ tag: DICOMTag) -> Int { dataSet.binary(tag, as: UInt16.self).map(Int.init) ?? 0 }
    rows = number(.rows)
    columns = number(.columns)
    bitsAllocated = number(.bitsAllocated)
    bitsStored = number(.bitsStored)
    guard rows > 0, columns > 0 else { throw DICOMError(.size, "has no rows or columns") }
    guard [8, 16, 32].contains(bitsAllocated), (1...bitsAllocated).contains(bitsStored),
      number(.highBit) == bitsStored - 1,
      let sign = dataSet.binary(.pixelRepresentation, as: UInt16.self), sign <= 1
    else {
      throw DICOMError(
        .bits,
        "has \(bitsStored) of \(bitsAllocated) bits up to bit \(number(.highBit)), which is not read"
      )
    }
    isSigned = sign == 1
    isBigEndian = dataSet.isBigEndian
  }

  var pixelCount: Int { rows * columns }
  var frameByteCount: Int { pixelCount * bitsAllocated / 8 }
}
