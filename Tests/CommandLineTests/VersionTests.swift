// SPDX-License-Identifier: Apache-2.0
import FileIO
import TestSupport
import Testing

/// There is one version, and the changes have an entry for it.
@Suite struct VersionTests {
  @Test(arguments: ["nnconvert", "nnrun"])
  func commandsTellIt(name: String) throws {
    #expect(try Command.run(name, ["--version"]).output == ProductVersion.current + "\n")
  }

  @Test func theNewestChangesAreOfThisVersion() throws {
    let bytes = try MappedFile(path: "\(Fixtures.repository)/CHANGELOG.md").bytes
    let newest = try #require(bytes.utf8?.split(separator: "\n").first { $0.hasPrefix("## ") })
    #expect(newest.split(separator: " ")[1] == ProductVersion.current)
  }
}
