// SPDX-License-Identifier: Apache-2.0
/// Tokens in memory, `[token][width]`: where the first one starts, and how many floats apart they are.
struct TokenRows {
  let start: UnsafeMutablePointer<Float>
  let step: Int

  subscript(row: Int) -> UnsafeMutablePointer<Float> { start + row * step }

  /// The same tokens from one of their elements on, as one head's part is.
  func from(element: Int) -> TokenRows { TokenRows(start: start + element, step: step) }
}
