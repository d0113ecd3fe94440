// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import SWTRuntime

/// Which outputs an input of a convolution meets, by which taps.
@Suite struct InputGradientAxisTests {
  @Test(arguments: 1...7, [1, 2, 3])
  func everyTapOfEveryOutputIsMetOnce(kernel: Int, stride: Int) {
    let padding = (kernel - 1) / 2
    for inputs in 1...17 where inputs + 2 * padding >= kernel {
      let outputs = (inputs + 2 * padding - kernel) / stride + 1
      let axis = InputGradientAxis(
        inputs: inputs, outputs: outputs, kernel: kernel, stride: stride, padding: padding)
      var met: Set<[Int]> = []
      var count = 0
      for own in axis.classes {
        for number in 0..<own.count {
          for (tap, offset) in own.taps {
            let output = number + offset
            #expect((-axis.before..<outputs + axis.after).contains(output))
            guard (0..<outputs).contains(output) else { continue }
            met.insert([own.first + number * stride, output, tap])
            count += 1
          }
        }
      }
      var expected: Set<[Int]> = []
      for output in 0..<outputs {
        for tap in 0..<kernel where (0..<inputs).contains(output * stride + tap - padding) {
          expected.insert([output * stride + tap - padding, output, tap])
        }
      }
      #expect(met == expected && count == expected.count)
    }
  }
}
