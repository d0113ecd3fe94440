// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import SWTRuntime

/// Which outputs and inputs of a convolution meet along an axis, by which taps.
@Suite struct AxisRunTests {
  private typealias Meeting = [Int]

  /// Input, output and tap.
  private func meetings(_ axis: AxisRun.Axis) -> Set<Meeting> {
    var meetings: Set<Meeting> = []
    for output in 0..<axis.outputs {
      for tap in 0..<axis.kernel {
        let input = output * axis.stride + tap - axis.padding
        if (0..<axis.inputs).contains(input) { meetings.insert([input, output, tap]) }
      }
    }
    return meetings
  }

  /// What runs say: places with what they meet by each tap.
  private func meetings(_ runs: [AxisRun]) -> [(place: Int, source: Int, tap: Int)] {
    runs.flatMap { run in
      (0..<run.count).flatMap { number in
        run.taps.map {
          (run.first + number * run.step, $0.source + number * run.sourceStep, $0.number)
        }
      }
    }
  }

  @Test(arguments: 1...7, [1, 2, 3])
  func everyMeetingIsSaidOnce(kernel: Int, stride: Int) {
    let padding = (kernel - 1) / 2
    for inputs in 1...17 where inputs + 2 * padding >= kernel {
      let outputs = (inputs + 2 * padding - kernel) / stride + 1
      let axis = AxisRun.Axis(
        inputs: inputs, outputs: outputs, kernel: kernel, stride: stride, padding: padding)
      let expected = meetings(axis)
      let forward = AxisRun.forward(axis)
      let backward = AxisRun.backward(axis)
      let ofTaps = AxisRun.ofTaps(axis)
      let there = meetings(forward).map { [$0.source, $0.place, $0.tap] }
      let back = meetings(backward).map { [$0.place, $0.source, $0.tap] }
      let byTaps = meetings(ofTaps).map { [$0.source, $0.place, $0.tap] }
      for found in [there, back, byTaps] {
        #expect(found.count == expected.count && Set(found) == expected)
      }
      // Every place has its run, whether it meets something or not.
      func places(_ runs: [AxisRun]) -> [Int] {
        runs.flatMap { run in (0..<run.count).map { run.first + $0 * run.step } }.sorted()
      }
      #expect(places(forward) == Array(0..<outputs) && places(backward) == Array(0..<inputs))
      #expect(ofTaps.map { $0.taps[0].number } == Array(0..<kernel))
    }
  }
}
