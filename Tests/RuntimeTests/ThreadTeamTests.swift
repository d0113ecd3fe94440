// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import SWTRuntime

@Suite struct ThreadTeamTests {
  @Test(arguments: [1, 2, 5], [0, 1, 7, 100])
  func everyChunkRunsOnceAndWorkersDoNotCollide(threads: Int, chunks: Int) {
    let counts = UnsafeMutablePointer<Int>.allocate(capacity: max(chunks, 1))
    let busy = UnsafeMutablePointer<Int>.allocate(capacity: threads)
    counts.initialize(repeating: 0, count: max(chunks, 1))
    busy.initialize(repeating: 0, count: threads)
    defer {
      counts.deallocate()
      busy.deallocate()
    }
    ThreadTeam(count: threads).forEach(chunks) { chunk, worker in
      busy[worker] += 1
      counts[chunk] += 1
    }
    #expect((0..<chunks).allSatisfy { counts[$0] == 1 })
    #expect((0..<threads).reduce(0) { $0 + busy[$1] } == chunks)
  }
}
