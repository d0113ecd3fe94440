// SPDX-License-Identifier: Apache-2.0
/// Numbers of something that changes, copied only when they are wanted: as they are then.
package struct StoredNumbers {
  package let count: Int
  package let values: () -> [Float]
}
