// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
internal import FileIO
internal import Pipeline

/// How much memory a command may take.
package struct MemoryArgument: ParsableArguments {
  @Option(
    help: "The most memory to use, e.g. 2G (default: what this machine has left).",
    transform: Self.byteCount)
  package var maxMemory: Int?

  package init() {}

  /// A size in memory: `2G`, `800M`, `1.5GiB`. A number by itself is a mistake more often than so many bytes.
  private static func byteCount(_ text: String) throws -> Int {
    guard let byteCount = ByteCount.parse(text) else {
      throw ValidationError("\(DisplayText.quoted(text)) is no size such as 2G or 800M")
    }
    guard text.last?.isLetter == true else {
      throw ValidationError(
        "\(DisplayText.quoted(text)) needs a unit, such as \(text)G or \(text)M")
    }
    return byteCount
  }
}
