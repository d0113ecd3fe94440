// SPDX-License-Identifier: Apache-2.0
internal import CLinux

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// A new file that appears under its name only when it is complete.
///
/// The bytes go to a file in the same folder that has no name until `commit()` makes it durable: a
/// failed or killed writer leaves the folder as it was. File systems without such files (NFS, FAT) get
/// a hidden temporary one, which a killed writer leaves behind; a value that is dropped removes it.
package struct AtomicFile: ~Copyable {
  package let path: String
  /// Where the bytes are; `nil` as long as they have no name.
  private var temporaryPath: String?
  private let descriptor: Int32
  private let isReplacing: Bool
  /// The permissions of the file that is replaced, which the new one keeps.
  private let mode: mode_t?
  private var offset = 0
  private var isFinished = false

  /// Opens a file for what is to stand at `path`.
  ///
  /// - Parameters:
  ///   - path: the final name.
  ///   - replacing: whether an existing file of that name may be replaced.
  ///   - inputs: files that must not be replaced, whatever `replacing` says.
  ///   - isHidden: whether to write to a hidden file even where one without a name is possible.
  package init(
    path: String, replacing: Bool, inputs: [MappedFile.Identity] = [], isHidden: Bool = false
  ) throws(FileError) {
    var status = stat()
    var replacedMode: mode_t?
    if stat(path, &status) == 0 {
      replacedMode = status.st_mode & 0o7777
      if let kind = FileKindName.ofIrregular(mode: status.st_mode) {
        throw .outputNotAFile(path: path, kind: kind)
      }
      let identity = MappedFile.Identity(
        device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
      guard !inputs.contains(identity) else { throw .outputIsInput(path: path) }
      guard replacing else { throw .outputExists(path: path) }
    }
    let folder = Self.folder(of: path)
    var opened = isHidden ? -1 : linux_open_unnamed(folder.isEmpty ? "." : folder)
    var hidden: String?
    if opened < 0 {
      hidden = Self.withTemporaryName(for: path) { candidate in
        opened = open(candidate, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        return opened >= 0
      }
    }
    guard opened >= 0 else { throw .cannotCreate(path: path, errno: errno) }
    self.path = path
    temporaryPath = hidden
    descriptor = opened
    isReplacing = replacing
    mode = replacedMode
  }

  /// Refuses, before any work is done for it, a file that could not be written in the end.
  package static func check(
    path: String, inputs: [MappedFile.Identity] = []
  ) throws(FileError) {
    _ = try AtomicFile(path: path, replacing: true, inputs: inputs)
  }

  deinit {
    guard !isFinished else { return }
    close(descriptor)
    if let temporaryPath { unlink(temporaryPath) }
  }

  /// How many bytes have been written.
  package var count: Int { offset }

  /// Appends `bytes`.
  package mutating func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    try writer.write(bytes, at: offset)
    offset += bytes.count
  }

  /// Makes the file as long as it will be; bytes that are not written are zeros.
  package mutating func extend(to count: Int) throws(FileError) {
    guard ftruncate(descriptor, off_t(count)) == 0 else {
      throw .cannotWrite(path: path, errno: errno)
    }
    offset = count
  }

  /// Writes at given offsets from several threads at once. It does not keep the file open: use it
  /// while the file lives.
  package struct Writer: Sendable {
    fileprivate let path: String
    fileprivate let descriptor: Int32

    /// Writes `bytes` at `position`.
    package func write(
      _ bytes: UnsafeRawBufferPointer, at position: Int
    ) throws(FileError) {
      var done = 0
      while done < bytes.count {
        let written = pwrite(
          descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done,
          off_t(position + done))
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { throw .cannotWrite(path: path, errno: errno) }
        done += written
      }
    }
  }

  package var writer: Writer { Writer(path: path, descriptor: descriptor) }

  /// Appends an array.
  package mutating func write(_ bytes: [UInt8]) throws(FileError) {
    try Bytes(bytes).withUnsafeBytes { (buffer) throws(FileError) in try write(buffer) }
  }

  /// Overwrites bytes that were written before; the end of the file stays where it is.
  package func overwrite(_ bytes: [UInt8], at position: Int) throws(FileError) {
    try Bytes(bytes).withUnsafeBytes { (buffer) throws(FileError) in
      try writer.write(buffer, at: position)
    }
  }

  /// Makes the content durable and gives it its final name.
  package consuming func commit() throws(FileError) {
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw .cannotWrite(path: path, errno: errno)
    }
    if let mode { fchmod(descriptor, mode) }
    try name()
    isFinished = true
    close(descriptor)
    let folder = Self.folder(of: path)
    let folderDescriptor = open(folder.isEmpty ? "." : folder, O_RDONLY | O_CLOEXEC)
    if folderDescriptor >= 0 {
      fsync(folderDescriptor)
      close(folderDescriptor)
    }
  }

  private mutating func name() throws(FileError) {
    if temporaryPath == nil {
      if linux_link_unnamed(descriptor, path) == 0 { return }
      guard errno == EEXIST else { throw .cannotWrite(path: path, errno: errno) }
      // Somebody else may have made it since.
      guard isReplacing else { throw .outputExists(path: path) }
      // A name can be given to nothing but a new file; only renaming replaces one.
      let descriptor = descriptor
      temporaryPath = Self.withTemporaryName(for: path) {
        linux_link_unnamed(descriptor, $0) == 0
      }
    }
    guard let temporaryPath else { throw .cannotWrite(path: path, errno: errno) }
    let isRenamed =
      isReplacing
      ? rename(temporaryPath, path) == 0 : linux_rename_new(temporaryPath, path) == 0
    guard isRenamed else {
      throw errno == EEXIST
        ? .outputExists(path: path) : .cannotWrite(path: path, errno: errno)
    }
  }

  /// The first of some hidden names beside `path` with which `make` succeeds; `nil`, and its `errno`,
  /// where it fails for another reason than that the name is taken.
  private static func withTemporaryName(
    for path: String, _ make: (String) -> Bool
  ) -> String? {
    let folder = folder(of: path)
    let name = path.dropFirst(folder.count).prefix(64)
    for _ in 0..<16 {
      let tag = String(UInt32.random(in: .min ... .max), radix: 36)
      let candidate = "\(folder).\(name).tmp-\(getpid())-\(tag)"
      if make(candidate) { return candidate }
      guard errno == EEXIST else { return nil }
    }
    return nil
  }

  /// The part of `path` up to and including its last slash.
  static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "" }
    return String(path[...slash])
  }
}
