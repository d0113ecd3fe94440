// SPDX-License-Identifier: Apache-2.0
import FileIO
import PickleReader
import TestSupport
import Testing

/// Files that PyTorch itself wrote (scripts/lib/fixtures/make_pickles.py), in every form it has.
@Suite struct DialectTests {
  static let names = [
    "protocol_2", "protocol_3", "protocol_4", "protocol_5", "legacy", "legacy_protocol_4",
    "deflated", "stored_again", "without_crc",
  ]

  private func read(_ name: String) throws -> PickleValue {
    try TorchFile(MappedFile(path: "\(Fixtures.folder)/dialects/\(name).pth").bytes).root
  }

  /// A tensor's row-major bytes as numbers, whatever its type.
  private func numbers(_ tensor: TensorView) throws -> [Double] {
    if tensor.elementType == .float64 {
      let bytes = try tensor.rowMajorBytes()
      return (0..<tensor.elementCount).map {
        Double(bitPattern: bytes.littleEndian(UInt64.self, at: 8 * $0) ?? 0)
      }
    }
    if tensor.elementType.isFloatingPoint { return try tensor.values().map(Double.init) }
    let bytes = try tensor.rowMajorBytes()
    return (0..<tensor.elementCount).map { index in
      let at = index * tensor.elementType.byteCount
      return switch tensor.elementType {
      case .int64: Double(bytes.littleEndian(Int64.self, at: at) ?? 0)
      case .int32: Double(bytes.littleEndian(Int32.self, at: at) ?? 0)
      case .int16: Double(bytes.littleEndian(Int16.self, at: at) ?? 0)
      case .int8: Double(bytes.littleEndian(Int8.self, at: at) ?? 0)
      default: Double(bytes.byte(at: at) ?? 0)
      }
    }
  }

  @Test(arguments: names)
  func everyTensorHasPyTorchsValues(name: String) throws {
    let root = try read(name)
    let expected = try Expectations.read(path: "\(Fixtures.folder)/dialects/expected.json")
    #expect(expected.count > 20)
    for item in expected {
      let tensor = try #require(root[item.name]?.tensor, "\(item.name)")
      #expect(tensor.elementType.rawValue == item.type, "\(item.name)")
      #expect(tensor.shape == item.shape, "\(item.name)")
      let found = try numbers(tensor)
      #expect(found.count == item.values.count, "\(item.name)")
      for (a, b) in zip(found, item.values) {
        #expect(a == b && a.sign == b.sign || a.isNaN && b.isNaN, "\(item.name): \(a), not \(b)")
      }
    }
  }

  @Test(arguments: names)
  func everythingElseIsRead(name: String) throws {
    let root = try read(name)
    guard case .array(let array)? = root["numpy"]?.kind else {
      Issue.record("numpy is no array")
      return
    }
    #expect(array.numbers == [0, 1, 2, 3])
    guard case .array(let fortran)? = root["fortran"]?.kind else {
      Issue.record("fortran is no array")
      return
    }
    #expect(fortran.shape == [2, 3])
    guard case .double(0.5)? = root["number"]?.kind else {
      Issue.record("a numpy number is no number")
      return
    }
    guard case .device("cuda:1")? = root["device"]?.kind else {
      Issue.record("device is no device")
      return
    }
    #expect(root["size"]?.elements.map(\.integer) == [1, 2])
  }

  @Test(arguments: names)
  func aViewKnowsWhetherItIsContiguous(name: String) throws {
    let root = try read(name)
    for key in ["plain", "row", "scalar", "empty", "single"] {
      #expect(root[key]?.tensor?.isContiguous == true, "\(key)")
    }
    for key in ["transposed", "sliced", "expanded", "channels_last", "channels_last_3d"] {
      #expect(root[key]?.tensor?.isContiguous == false, "\(key)")
    }
  }

  @Test func viewsOfOneStorageShareIt() throws {
    let root = try read("protocol_2")
    let keys = ["plain", "transposed", "row"].compactMap { root[$0]?.tensor?.storage.key }
    #expect(Set(keys).count == 1)
    #expect(root["plain"]?.tensor?.identity != root["transposed"]?.tensor?.identity)
  }
}
