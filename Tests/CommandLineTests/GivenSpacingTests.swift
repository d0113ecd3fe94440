// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

/// The spacing that `convert --spacing` records.
@Suite struct GivenSpacingTests {
  private func convert(spacing: String, into folder: TemporaryFolder) throws -> CommandResult {
    try Command.run(
      "nnconvert",
      [
        "convert", "\(Fixtures.folder)/dynunet", "--spacing=\(spacing)", "-o", folder.file("m.swt"),
      ])
  }

  /// Spacings for a model without one.
  @Test(arguments: [
    "1e-300,1,1", "1,1e300,1", "nan,1,1", "1,1,inf", "0,1,1", "-1,1,1", "1,1", "1e-7,1,1",
    "1e7,1,1", "1", "1,1,1,1", "1,,1", "one,1,1",
  ])
  func aSpacingThatNoScanHasIsRefused(spacing: String) throws {
    let folder = try TemporaryFolder()
    let result = try convert(spacing: spacing, into: folder)
    #expect(result.status == 64, "\(result.errors)")
    #expect(result.errors.contains("spacing"), "\(result.errors)")
    #expect(folder.content.isEmpty)
  }

  @Test(arguments: ["1,1,1", "5e-6,4e-6,4e-6", "999,1,1", "2.5x0.8x0.8"])
  func aSpacingThatScansHaveIsTaken(spacing: String) throws {
    let folder = try TemporaryFolder()
    let result = try convert(spacing: spacing, into: folder)
    #expect(result.status == 0, "\(result.errors)")
  }
}
