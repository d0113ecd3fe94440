// SPDX-License-Identifier: Apache-2.0
import FileIO
import Testing

@testable import SWTFormat

@Suite struct JSONParserTests {
  private func parse(_ text: String, python: Bool = false) throws -> JSONValue {
    try JSONParser.parse(Bytes(Array(text.utf8)), allowingPythonNonFinite: python)
  }

  @Test func keepsOrderAndKindsOfNumbers() throws {
    let value = try parse(#"{"b": 1, "a": [1.0, -2e3, true, null, "é\n😀"]}"#)
    #expect(value.object?.members.map(\.key) == ["b", "a"])
    #expect(value["b"] == 1)
    #expect(value["a"] == [1.0, -2000.0, true, .null, "é\n😀"])
    #expect(value.canonicalText == "{\"a\":[1.0,-2000.0,true,null,\"é\\n😀\"],\"b\":1}")
  }

  @Test func takesPythonsNonFiniteNumbersOnlyOnRequest() throws {
    #expect(throws: JSONError.self) { try parse("[NaN]") }
    let value = try parse("[NaN, Infinity, -Infinity]", python: true)
    #expect(value.array?.map { $0.double?.isFinite } == [false, false, false])
  }

  @Test(arguments: [
    "", "{", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "[1] 2", "01", "+1", ".5", "1.", "1e", "nul",
    "\"\\x\"", "\"\\ud800\"", "\"\\udc00x\"", "\"\u{1}\"", "\u{FEFF}1", "{\"a\":1,\"a\":2}",
    "1e999",
    "'a'", "[\"a\"",
  ])
  func refusesWhatIsNoJSON(text: String) {
    #expect(throws: JSONError.self) { try parse(text) }
  }

  @Test func refusesInvalidUTF8() {
    #expect(throws: JSONError.self) { try JSONParser.parse(Bytes([0x22, 0xFF, 0x22])) }
  }

  @Test func refusesDeepNestingWithoutRecursingDeep() {
    let text = String(repeating: "[", count: 100_000)
    #expect(throws: JSONError.tooDeep(limit: 64, offset: 64)) { try parse(text) }
  }

  @Test func keysAreComparedByTheirBytes() throws {
    // The same letter, composed and decomposed: equal for Swift, different keys for JSON.
    let value = try parse("{\"\u{E9}\": 1, \"e\u{301}\": 2}")
    #expect(value.object?.members.count == 2)
  }
}
