// SPDX-License-Identifier: Apache-2.0
/// The standard output stream, written without buffering in between. A result that did not arrive is an
/// error; where the reader of a pipe has gone, SIGPIPE ends the process before.
package enum StandardOutput {
  package static func write(_ text: String) throws(FileError) {
    if let errno = StandardDescriptor.output.write(text) {
      throw .cannotWrite(path: "standard output", errno: errno)
    }
  }

  package static func writeLine(_ text: String) throws(FileError) { try write(text + "\n") }
}
