// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

/// The comparison that all tests use must never let a wrong value pass.
struct DifferenceTests {
  @Test func isTheLargestDistanceAndItsPlace() {
    let difference = Difference([1, 2.5, -4] as [Float], [1, 2, -4] as [Double])
    #expect(difference.absolute == 0.5 && difference.relative == 0.125 && difference.position == 1)
    #expect(Difference([1, 2] as [Float], [1, 2] as [Float]).absolute == 0)
  }

  private static let (nan, infinity) = (Double.nan, Double.infinity)
  private static let unequal: [(found: [Double], expected: [Double])] = [
    ([nan, 2], [1, 2]), ([1, infinity], [1, 2]), ([1, 2], [1, nan]), ([nan, 2], [infinity, 2]),
    ([-infinity, 2], [infinity, 2]), ([1], [1, 2]), ([], [1]), ([1, 2], [1]), ([], []),
  ]

  @Test(arguments: unequal)
  func whatIsNotTheReferencesIsInfinitelyFar(found: [Double], expected: [Double]) {
    #expect(Difference(found, expected).absolute == .infinity)
    #expect(Difference(found, expected).relative == .infinity)
  }

  @Test func whatTheReferenceHasIsNoDifference() {
    let values = [Self.nan, -Self.infinity]
    #expect(Difference(values, values).absolute == 0)
  }
}
