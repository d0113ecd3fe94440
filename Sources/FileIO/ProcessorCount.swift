// SPDX-License-Identifier: Apache-2.0
internal import CLinux

/// How many processors this process may use.
package enum ProcessorCount {
  /// The smaller of the processors it is bound to and what its CPU quotas allow; at least 1.
  package static let available: Int = max(
    1, min(Int(linux_processor_count()), ControlGroups.current.processorCount ?? .max))
}
