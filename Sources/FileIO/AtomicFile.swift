#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// A new file that appears under its name only when it is complete.
///
/// The bytes go to a temporary file in the same folder; `commit()` makes it durable and renames it
/// over the final name. A failed or killed writer leaves the final name as it was; a value that is
/// dropped without `commit()` removes its temporary file.
package struct AtomicFile: ~Copyable {
  package let path: String
  private let temporaryPath: String
  private let descriptor: Int32
  private var offset = 0
  private var isFinished = false

  /// Opens a temporary file beside `path`.
  ///
  /// - Parameters:
  ///   - path: the final name.
  ///   - replacing: whether an existing file of that name may be replaced.
  ///   - inputs: files that must not be replaced, whatever `replacing` says.
  package init(
    path: String, replacing: Bool, inputs: [MappedFile.Identity] = []
  ) throws(FileError) {
    var status = stat()
    if stat(path, &status) == 0 {
      if let kind = FileKindName.ofIrregular(mode: status.st_mode) {
        throw .outputNotAFile(path: path, kind: kind)
      }
      let identity = MappedFile.Identity(
        device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
      guard !inputs.contains(identity) else { throw .outputIsInput(path: path) }
      guard replacing else { throw .outputExists(path: path) }
    }
    let folder = Self.folder(of: path)
    let name = path.dropFirst(folder.count)
    var candidate = ""
    var opened: Int32 = -1
    for _ in 0..<16 {
      let tag = String(UInt32.random(in: .min ... .max), radix: 36)
      candidate = "\(folder).\(name.prefix(64)).tmp-\(getpid())-\(tag)"
      opened = open(candidate, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if opened >= 0 || errno != EEXIST { break }
    }
    guard opened >= 0 else { throw .cannotCreate(path: path, errno: errno) }
    self.path = path
    temporaryPath = candidate
    descriptor = opened
  }

  deinit {
    guard !isFinished else { return }
    close(descriptor)
    unlink(temporaryPath)
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
    guard fsync(descriptor) == 0 || errno == EINVAL, rename(temporaryPath, path) == 0 else {
      throw .cannotWrite(path: path, errno: errno)
    }
    isFinished = true
    close(descriptor)
    let folder = Self.folder(of: path)
    let folderDescriptor = open(folder.isEmpty ? "." : folder, O_RDONLY | O_CLOEXEC)
    if folderDescriptor >= 0 {
      fsync(folderDescriptor)
      close(folderDescriptor)
    }
  }

  /// The part of `path` up to and including its last slash.
  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "" }
    return String(path[...slash])
  }
}
