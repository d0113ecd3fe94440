// SPDX-License-Identifier: Apache-2.0
internal import Dispatch
internal import FileIO
internal import SWTFormat
internal import Synchronization

/// A file's SHA-256, computed while other things are done.
final class BackgroundDigest: Sendable {
  private let result = Mutex("")
  private let group = DispatchGroup()

  init(of bytes: Bytes) {
    // A queue of its own has a thread of its own, which the writer's threads do not wait for.
    DispatchQueue(label: "digest").async(group: group) { [self] in
      let digest = SHA256.hex(SHA256.digest(of: bytes))
      result.withLock { $0 = digest }
    }
  }

  /// In hex; waits for it.
  var hex: String {
    group.wait()
    return result.withLock { $0 }
  }
}
