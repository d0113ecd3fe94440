// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CommandLineInterface
import FileIO
import Glibc
import Pipeline

/// Which of the cases this machine does.
struct ShareArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Do share k of N: cases k, k + N, … of the sorted names. 'auto' takes the task's share of a Slurm or AWS \
      Batch array, auto/N that of an indexed Kubernetes job. {share} in an output's name stands for it.
      """, valueName: "k/N"))
  var share: String?
  @Option(
    name: .customLong("part_id", withSingleDash: true),
    help: "The share as nnU-Net counts it, from 0.")
  var partID: Int?
  @Option(
    name: .customLong("num_parts", withSingleDash: true), help: "How many shares there are.")
  var partCount: Int?

  func validate() throws {
    guard (partID == nil) == (partCount == nil) else {
      throw ValidationError("-part_id and -num_parts go together")
    }
    guard share == nil || partID == nil else {
      throw ValidationError("--share and -part_id exclude each other")
    }
    if let partID, let partCount, Share(number: partID &+ 1, count: partCount) == nil {
      throw ValidationError("-part_id \(partID) is not 0 to -num_parts \(partCount) less 1")
    }
    guard let share, Self.automatic(share) == nil, Share(share) == nil else { return }
    throw ValidationError("--share is k/N with k from 1 to N, auto or auto/N")
  }

  /// Whether a share is asked for.
  var isGiven: Bool { share != nil || partID != nil }

  /// The share that is asked for; `nil` for all cases.
  func resolved() throws -> Share? {
    if let partID, let partCount { return Share(number: partID + 1, count: partCount) }
    guard let share else { return nil }
    guard let automatic = Self.automatic(share) else { return Share(share) }
    return try Share(
      ofTask: { name in getenv(name).map { String(cString: $0) } }, count: automatic.count)
  }

  /// An output's name with the share in it.
  static func path(_ path: String, _ share: Share?) -> String {
    guard let share else { return path }
    var result = path
    while let place = result.firstRange(of: "{share}") {
      result.replaceSubrange(place, with: share.fileText)
    }
    return result
  }

  /// `auto` or `auto/N`.
  private static func automatic(_ text: String) -> (count: Int?, Void)? {
    if text == "auto" { return (nil, ()) }
    guard text.hasPrefix("auto/"), let count = Int(text.dropFirst(5)),
      Share(number: 1, count: count) != nil
    else { return nil }
    return (count, ())
  }
}
