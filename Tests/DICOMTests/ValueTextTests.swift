// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import DICOM

/// Numbers as DICOM's decimal strings have them, and no others that parsers of numbers accept.
struct ValueTextTests {
  @Test(arguments: [
    ("1", 1), ("-1.5", -1.5), ("+2.", 2), (".5", 0.5), ("1e3", 1000), ("-1.25E-02", -0.0125),
    ("1e-999", 0),
  ])
  func decimals(_ text: String, _ value: Double) {
    #expect(ValueText.decimal(Array(text.utf8)[...]) == value)
  }

  @Test(arguments: [
    "", ".", "+", "1,5", "1_0", "nan", "inf", "-infinity", "0x10", "1e", "1e+", "1e1000", "1e999",
    "1 2", "1.5.", "--1", "１",
  ])
  func noDecimals(_ text: String) {
    #expect(ValueText.decimal(Array(text.utf8)[...]) == nil)
  }

  @Test(
    arguments: [
      ("7", 7), ("-12", -12), ("+3", 3), ("1.0", nil), ("1e2", nil), ("", nil),
      ("99999999999999999999", nil),
    ] as [(String, Int?)])
  func integers(_ text: String, _ value: Int?) {
    #expect(ValueText.integer(Array(text.utf8)[...]) == value)
  }

  @Test func valuesAreTrimmedOfBlanksAndNULs() {
    let parts = ValueText.parts(of: Array(" 1 \\2\0\\ \\".utf8)).map { Array($0) }
    #expect(parts == [Array("1".utf8), Array("2".utf8), [], []])
  }

  @Test(arguments: [
    ("1.2.840", true), ("", false), ("1.2/../3", false), ("1.2 3", false),
    (String(repeating: "1", count: 64), true), (String(repeating: "1", count: 65), false),
  ])
  func uids(_ text: String, _ isUID: Bool) { #expect(ValueText.isUID(text) == isUID) }
}
