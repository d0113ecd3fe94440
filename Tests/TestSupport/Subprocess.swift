// SPDX-License-Identifier: Apache-2.0
internal import Foundation
internal import Glibc

/// What one of our commands did.
package struct CommandResult: Sendable {
  package let status: Int32
  package let output: String
  package let errors: String
}

/// Runs the executables that were built beside the tests.
package enum Command {
  /// The folder of the test executable, where the others are too.
  private static let folder: String = {
    let path = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return path.split(separator: "/").dropLast().map { "/\($0)" }.joined()
  }()

  package static func path(of name: String) -> String {
    let candidates = [
      "\(folder)/\(name)", "\(Fixtures.repository)/.build/debug/\(name)",
    ]
    return candidates.first { FileManager.default.isExecutableFile(atPath: $0) } ?? candidates[0]
  }

  /// Whether processes whose parent is gone become this one's children. (Swift cannot call `prctl`, which takes any
  /// number of arguments.)
  private static let adoptsOrphans: Bool = {
    typealias ProcessControl = @convention(c) (CInt, CUnsignedLong) -> CInt
    guard let symbol = dlsym(dlopen(nil, RTLD_NOW), "prctl") else { return false }
    let prctl = unsafeBitCast(symbol, to: ProcessControl.self)
    let becomeSubreaper: CInt = 36  // PR_SET_CHILD_SUBREAPER of linux/prctl.h
    return prctl(becomeSubreaper, 1) == 0
  }()

  /// What a command took.
  package struct Cost: Sendable {
    package let status: Int32
    /// Of all processors.
    package let seconds: Double
    /// The most memory that it held at one time.
    package let peakByteCount: Int
  }

  /// The most memory that a command held at one time, in bytes; `nil` where it does not end with status 0.
  package static func peakByteCount(_ name: String, _ arguments: [String]) -> Int? {
    cost(name, arguments).flatMap { $0.status == 0 ? $0.peakByteCount : nil }
  }

  /// What a command takes; `nil` where it does not end by itself.
  ///
  /// A program counts as its own what the process held that started it, so a shell starts it and leaves, and this
  /// process, which holds much, becomes its parent afterwards.
  package static func cost(_ name: String, _ arguments: [String]) -> Cost? {
    guard adoptsOrphans else { return nil }
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/bin/sh")
    shell.arguments =
      ["-c", "\"$@\" >/dev/null 2>&1 </dev/null & echo $!", "sh", path(of: name)] + arguments
    let output = Pipe()
    shell.standardOutput = output
    guard (try? shell.run()) != nil else { return nil }
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    shell.waitUntilExit()
    guard let child = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
      return nil
    }
    var (status, usage) = (Int32(), rusage())
    guard wait4(child, &status, 0, &usage) == child, status & 0x7F == 0 else { return nil }
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return Cost(
      status: status >> 8 & 0xFF, seconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
      peakByteCount: usage.ru_maxrss * 1024)
  }

  package static func run(
    _ name: String, _ arguments: [String], environment: [String: String] = [:],
    input: String? = nil
  ) throws -> CommandResult {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path(of: name))
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    let source = Pipe()
    process.standardInput = input == nil ? FileHandle.nullDevice : source
    try process.run()
    if let input {
      try source.fileHandleForWriting.write(contentsOf: Data(input.utf8))
      try source.fileHandleForWriting.close()
    }
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let errorText = String(
      decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return CommandResult(status: process.terminationStatus, output: text, errors: errorText)
  }
}
