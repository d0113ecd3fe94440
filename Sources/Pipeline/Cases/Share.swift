// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// A part of the cases, for one of several machines: share k of N has the cases k, k + N, … of the sorted
/// names.
package struct Share: Sendable, Equatable {
  /// From 1 to `count`.
  package let number: Int
  /// How many shares there are.
  package let count: Int

  /// The most shares that cases can be split into.
  package static let countLimit = 1_000_000

  /// `nil` where there is no such share.
  package init?(number: Int, count: Int) {
    guard (1...Self.countLimit).contains(count), (1...count).contains(number) else { return nil }
    self.number = number
    self.count = count
  }

  /// As `--share` takes it, `2/8`; `nil` for another text.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let number = Int(parts[0]), let count = Int(parts[1]) else {
      return nil
    }
    self.init(number: number, count: count)
  }

  /// `2/8`.
  package var text: String { "\(number)/\(count)" }

  /// For names of files: `2-of-8`.
  package var fileText: String { "\(number)-of-\(count)" }

  /// Which of the names, by their place, belong to the share; in the order of the places.
  package func places(of names: [String]) -> [Int] {
    let sorted = names.indices.sorted { names[$0].utf8.lexicographicallyPrecedes(names[$1].utf8) }
    return stride(from: number - 1, to: sorted.count, by: count).map { sorted[$0] }.sorted()
  }
}

extension Share {
  /// The share of a task of a cluster's array, from what the cluster tells it.
  ///
  /// - Parameters:
  ///   - count: how many shares there are, where the user says so; Kubernetes does not tell.
  ///   - variable: gives environment variables.
  package init(
    ofTask variable: (String) -> String?, count: Int? = nil
  ) throws(ShareError) {
    func number(_ name: String) throws(ShareError) -> Int? {
      guard let text = variable(name) else { return nil }
      guard let value = Int(text), (0..<1 << 40).contains(value) else {
        throw .variable(name, text)
      }
      return value
    }
    let place: Int
    let told: Int?
    let scheduler: String
    if let task = try number("SLURM_ARRAY_TASK_ID") {
      scheduler = "Slurm"
      let first = try number("SLURM_ARRAY_TASK_MIN") ?? 0
      let step = max(1, try number("SLURM_ARRAY_TASK_STEP") ?? 1)
      guard let total = try number("SLURM_ARRAY_TASK_COUNT") else {
        throw .missing("SLURM_ARRAY_TASK_COUNT")
      }
      let last = try number("SLURM_ARRAY_TASK_MAX") ?? first + (total - 1) * step
      // A list such as 1,5,7 is no range, and neither is what is left of one.
      guard task >= first, (task - first) % step == 0, (last - first) == (total - 1) * step else {
        throw .range(first: first, last: last, step: step, count: total)
      }
      (place, told) = ((task - first) / step, total)
    } else if let index = try number("AWS_BATCH_JOB_ARRAY_INDEX") {
      scheduler = "AWS Batch"
      (place, told) = (index, try number("AWS_BATCH_JOB_ARRAY_SIZE"))
    } else if let index = try number("JOB_COMPLETION_INDEX") {
      scheduler = "Kubernetes"
      (place, told) = (index, nil)
    } else {
      throw .noTask
    }
    guard let total = count ?? told else { throw .count(scheduler) }
    if let told, let count, told != count { throw .counts(scheduler, told: told, given: count) }
    guard let share = Share(number: place + 1, count: total) else {
      throw .outside(place + 1, total)
    }
    self = share
  }
}

/// Why it cannot be told which share of the cases a task has.
package enum ShareError: Error, Equatable, Sendable {
  /// The process is no task of an array that is known.
  case noTask
  /// A variable of the scheduler is no number.
  case variable(String, String)
  /// A variable of the scheduler is missing.
  case missing(String)
  /// The scheduler does not tell how many tasks there are.
  case count(String)
  /// The scheduler has another number of tasks than the user says.
  case counts(String, told: Int, given: Int)
  /// The tasks of an array are no range.
  case range(first: Int, last: Int, step: Int, count: Int)
  /// There is no such share.
  case outside(Int, Int)
}

extension ShareError: Failure {
  package var kind: FailureKind { .usage }

  package var description: String { message() }

  package var report: FailureReport {
    switch self {
    case .noTask:
      .init(
        "this is no task of a Slurm array, an AWS Batch array or an indexed Kubernetes job",
        advice: "name the share, such as 2/8")
    case .variable(let name, let text):
      .init("\(name) is \(DisplayText.quoted(text)), not a number")
    case .missing(let name): .init("\(name) is not set", advice: "name the share, such as 2/8")
    case .count(let scheduler):
      .init("\(scheduler) does not tell how many tasks there are", advice: "say so: auto/8")
    case .counts(let scheduler, let told, let given):
      .init(
        "\(scheduler) has \(told) tasks, not \(given)",
        advice: "start all tasks, or name each one's share, such as 2/8")
    case .range(let first, let last, let step, let count):
      .init(
        "the array's \(count) tasks are not all from \(first) to \(last) by \(step)",
        advice: "use a range such as 0-7, or name each task's share, such as 2/8")
    case .outside(let number, let count):
      .init("there is no share \(number) of \(count)", advice: "shares go from 1 to their number")
    }
  }
}
