// SPDX-License-Identifier: Apache-2.0
import FileIO
import Testing

/// One table from kinds of failure to what programs see, and advice without names of options in it.
@Suite struct FailureTests {
  @Test(arguments: [
    (FailureKind.usage, Int32(64), Int32(64)), (.mismatch, 65, 64), (.badInput, 65, 65),
    (.memory, 65, 71), (.cannotOpen, 66, 66), (.internalError, 70, 70), (.cannotCreate, 73, 73),
    (.inputOutput, 74, 74), (.someFailed, 8, 65),
  ])
  func aKindHasAnExitStatusAndAStatusCode(kind: FailureKind, exitStatus: Int32, status: Int32) {
    #expect(kind.codes == (exitStatus, status))
  }

  @Test func noKindCountsAsSuccess() {
    for kind in FailureKind.allCases {
      #expect(kind.codes.exitStatus > 1 && kind.codes.status > 1)
    }
  }

  @Test func adviceNamesSettingsAsTheSurfaceDoes() {
    let failure = FileError.outputExists(path: "m.swt")
    #expect(failure.kind == .cannotCreate)
    #expect(
      failure.message { _ in "--force" } == "output 'm.swt' exists — use --force to replace it")
    #expect("\(failure)" == "output 'm.swt' exists — use replacesOutput to replace it")
  }

  @Test func adviceIsPutTogether() {
    let advice: Advice = "one \(1) " + "and \(.head)"
    #expect(advice.text { $0.rawValue.uppercased() } == "one 1 and HEAD")
    #expect(
      FailureReport("is bad", advice: advice).about("it") == .init("it: is bad", advice: advice))
  }
}
