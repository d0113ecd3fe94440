// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Training

/// The labelled cases, and how they are cross-validated.
struct LabelArguments: ParsableArguments {
  static let defaultLabel = "label"

  @Option(help: "The column of labels; they are text.")
  var label = Self.defaultLabel
  @Option(
    help: "The column of groups, which are never split (default: 'patient', else every case alone)."
  )
  var group: String?
  @Option(help: "The number of folds of the cross-validation.")
  var cv = 5
  @Option(help: "The seed of everything drawn.")
  var seed: UInt64 = 0

  func validate() throws {
    guard (2...1000).contains(cv) else { throw ValidationError("--cv must be 2…1000") }
    guard seed <= UInt64(Int.max) else { throw ValidationError("--seed must be below 2⁶³") }
  }

  func table(_ path: String) throws -> LabelledTable {
    try LabelledTable(path: path, label: label, group: group)
  }
}
