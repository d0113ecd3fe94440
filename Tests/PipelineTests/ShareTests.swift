// SPDX-License-Identifier: Apache-2.0
import Pipeline
import Testing

/// Shares of a cohort: which cases a machine has, and which share a cluster's task has.
@Suite struct ShareTests {
  private static let names = (0..<23).map { "case_\($0)" }

  @Test(arguments: [1, 2, 3, 7, 23, 40])
  func sharesAreDisjointAndCompleteInAnyOrder(count: Int) throws {
    var generator = SystemRandomNumberGenerator()
    var found: [String] = []
    for number in 1...count {
      // Every machine lists the folder in an order of its own.
      let listed = Self.names.shuffled(using: &generator)
      let share = try #require(Share(number: number, count: count))
      found += share.places(of: listed).map { listed[$0] }
    }
    #expect(found.count == Self.names.count && Set(found) == Set(Self.names))
  }

  @Test func shareKHasEveryNthOfTheSortedNames() throws {
    let listed = ["b", "d", "a", "e", "c"]
    #expect(try #require(Share("1/2")).places(of: listed).map { listed[$0] } == ["a", "e", "c"])
    #expect(try #require(Share("2/2")).places(of: listed).map { listed[$0] } == ["b", "d"])
    #expect(try #require(Share("5/5")).places(of: listed).map { listed[$0] } == ["e"])
  }

  @Test(arguments: ["", "1", "0/2", "3/2", "-1/2", "1/0", "1/2/3", "a/2", "1/9999999", "1 /2"])
  func otherTextsAreNoShares(text: String) { #expect(Share(text) == nil) }

  @Test(
    arguments: [
      (["SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_TASK_COUNT": "4"], nil, "1/4"),
      (
        [
          "SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "10",
          "SLURM_ARRAY_TASK_STEP": "3", "SLURM_ARRAY_TASK_COUNT": "4",
        ], nil, "3/4"
      ),
      (["AWS_BATCH_JOB_ARRAY_INDEX": "2", "AWS_BATCH_JOB_ARRAY_SIZE": "5"], nil, "3/5"),
      (["AWS_BATCH_JOB_ARRAY_INDEX": "2", "AWS_BATCH_JOB_ARRAY_SIZE": "5"], 5, "3/5"),
      (["JOB_COMPLETION_INDEX": "7"], 8, "8/8"),
    ] as [([String: String], Int?, String)])
  func aTaskHasItsShare(variables: [String: String], count: Int?, expected: String) throws {
    #expect(try Share(ofTask: { variables[$0] }, count: count).text == expected)
  }

  @Test(
    arguments: [
      ([:], nil, .noTask),
      (["SLURM_ARRAY_TASK_ID": "one"], nil, .variable("SLURM_ARRAY_TASK_ID", "one")),
      (["SLURM_ARRAY_TASK_ID": "1"], nil, .missing("SLURM_ARRAY_TASK_COUNT")),
      // --array=1,5,7
      (
        [
          "SLURM_ARRAY_TASK_ID": "5", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "7",
          "SLURM_ARRAY_TASK_COUNT": "3",
        ], nil, .range(first: 1, last: 7, step: 1, count: 3)
      ),
      // One task of eight, started again by itself.
      (
        ["SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_MIN": "3", "SLURM_ARRAY_TASK_COUNT": "1"], 8,
        .counts("Slurm", told: 1, given: 8)
      ),
      (["JOB_COMPLETION_INDEX": "0"], nil, .count("Kubernetes")),
      (["JOB_COMPLETION_INDEX": "8"], 8, .outside(9, 8)),
      (["AWS_BATCH_JOB_ARRAY_INDEX": "0"], nil, .count("AWS Batch")),
    ] as [([String: String], Int?, ShareError)])
  func aTaskWithoutOneIsRefused(
    variables: [String: String], count: Int?, expected: ShareError
  ) {
    #expect(throws: expected) { try Share(ofTask: { variables[$0] }, count: count) }
  }
}
