// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// A regular file, mapped read-only for as long as anything refers to its bytes.
///
/// A file that another process truncates after it was mapped raises SIGBUS on access; our own
/// tools never modify a file in place (they rename a new one over it), which leaves mappings intact.
package final class MappedFile: @unchecked Sendable {
  /// What tells whether two paths are the same file.
  package struct Identity: Hashable, Sendable {
    package let device: UInt64
    package let inode: UInt64

    package init(device: UInt64, inode: UInt64) {
      self.device = device
      self.inode = inode
    }
  }

  package let path: String
  package let identity: Identity

  // Invariant: mapped in init (unless the file is empty), unmapped in deinit, PROT_READ only.
  private let memory: UnsafeRawBufferPointer

  /// Maps the file at `path`; pipes, devices and folders are refused without blocking on them.
  package init(path: String) throws(FileError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .cannotOpen(path: path, errno: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .cannotRead(path: path, errno: errno) }
    if let kind = FileKindName.ofIrregular(mode: status.st_mode) {
      throw .notARegularFile(path: path, kind: kind)
    }
    self.path = path
    identity = Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    guard status.st_size > 0 else {
      memory = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    let size = Int(status.st_size)
    guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED
    else { throw .cannotRead(path: path, errno: errno) }
    // Read in large pages, a model's weights take a thirtieth of the faults and go in a tenth of the time.
    madvise(start, size, MADV_HUGEPAGE)
    memory = UnsafeRawBufferPointer(start: start, count: size)
  }

  deinit {
    if let start = memory.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: start), memory.count)
    }
  }

  /// Takes the pages wholly within `part` out of this process' memory.
  func releasePages(_ part: UnsafeRawBufferPointer) {
    guard let start = part.baseAddress else { return }
    let page = sysconf(Int32(_SC_PAGESIZE))
    let first = (Int(bitPattern: start) + page - 1) / page * page
    let end = (Int(bitPattern: start) + part.count) / page * page
    // Private and read-only: nothing is lost.
    if end > first {
      madvise(UnsafeMutableRawPointer(bitPattern: first), end - first, MADV_DONTNEED)
    }
  }

  /// The whole content.
  package var bytes: Bytes { Bytes(owner: self, memory: memory) }

  /// The identity of whatever `path` names, or `nil` where there is nothing.
  package static func identity(ofFileAt path: String) -> Identity? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }
}

/// Names for what is not a regular file.
enum FileKindName {
  static func ofIrregular(mode: mode_t) -> String? {
    switch mode & S_IFMT {
    case S_IFREG: nil
    case S_IFDIR: "a folder"
    case S_IFIFO: "a pipe"
    case S_IFSOCK: "a socket"
    case S_IFCHR, S_IFBLK: "a device"
    default: "no regular file"
    }
  }
}
