// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// Why a checkpoint file cannot be read. Offsets count bytes from the start of the part named.
package enum PickleError: Error, Equatable, Sendable {
  /// The operating system refused.
  case file(FileError)
  /// The file is of a kind that holds no state dict we can read.
  case unsupportedKind(FileKind)
  /// The zip archive breaks a rule of the format.
  case zip(problem: String, entry: String?)
  /// A zip entry's content does not have the CRC-32 of the directory.
  case checksum(entry: String)
  /// A zip entry is compressed in a way that we do not read, or its stream is damaged.
  case inflate(entry: String, problem: String)
  /// An entry that every checkpoint has is missing.
  case missingEntry(String)
  /// The pickle ends in the middle of an instruction.
  case truncated(offset: Int)
  /// An instruction that no checkpoint needs.
  case opcode(UInt8, offset: Int)
  /// The pickle's instructions make no sense.
  case malformed(problem: String, offset: Int)
  /// A limit is exceeded.
  case limit(what: String, limit: Int, offset: Int)
  /// The pickle names a Python object that is not on the list of what checkpoints hold.
  case global(name: String, offset: Int)
  /// The pickle names a Python object that can do harm.
  case dangerousGlobal(name: String, offset: Int)
  /// A tensor contradicts its storage.
  case tensor(problem: String)
  /// A storage is missing, or has another size than the pickle says.
  case storage(key: String, problem: String)
  /// A number does not fit the type it has to have.
  case overflow(value: Double)
}

extension PickleError: Failure {
  package var kind: FailureKind {
    if case .file(let error) = self { error.kind } else { .badInput }
  }

  package var description: String { message() }

  package var report: FailureReport {
    switch self {
    case .file(let error): error.report
    case .unsupportedKind(let kind): "this is \(kind.sentence)"
    case .zip(let problem, let entry):
      .init(
        "damaged zip archive: \(Self.place(entry))\(problem)",
        advice: "copy or download the file again")
    case .checksum(let entry):
      .init(
        "zip entry \(DisplayText.quoted(entry)) does not match its CRC-32",
        advice: "the file is damaged, copy or download it again")
    case .inflate(let entry, let problem):
      .init("zip entry \(DisplayText.quoted(entry)) \(problem)", advice: "the file is damaged")
    case .missingEntry(let name):
      .init(
        "the archive has no entry \(DisplayText.quoted(name))",
        advice: "this is no PyTorch checkpoint")
    case .truncated(let offset):
      .init(
        "the pickle ends at byte \(offset) in the middle of an instruction",
        advice: "the file is damaged")
    case .opcode(let opcode, let offset):
      .init(
        "pickle instruction 0x\(String(opcode, radix: 16)) at byte \(offset) is not used by "
          + "checkpoints",
        advice: "the file is damaged or not a checkpoint")
    case .malformed(let problem, let offset):
      .init(
        "malformed pickle at byte \(offset): \(DisplayText.escaped(problem))",
        advice: "the file is damaged or hostile")
    case .limit(let what, let limit, let offset):
      .init(
        "the pickle has more than \(limit) \(what) (byte \(offset))",
        advice: "the file is damaged or hostile")
    case .global(let name, let offset):
      if Self.isModuleClass(name) {
        .init(
          "the checkpoint holds a whole pickled Python object (\(DisplayText.escaped(name)), byte "
            + "\(offset))",
          advice: "save model.state_dict() instead, or, if it is only in logging or init_args, use "
            + "\(.toleratesUnknownObjects)")
      } else {
        .init(
          "the checkpoint names the Python object \(DisplayText.escaped(name)) (byte \(offset)), "
            + "which is not on the list of harmless ones; nothing was run",
          advice: "if it is only in logging or init_args, use \(.toleratesUnknownObjects)")
      }
    case .dangerousGlobal(let name, let offset):
      .init(
        "the checkpoint names \(DisplayText.escaped(name)) (byte \(offset)), which could run "
          + "code; nothing was run",
        advice: "do not trust this file")
    case .tensor(let problem): "bad tensor: \(DisplayText.escaped(problem))"
    case .storage(let key, let problem):
      .init("storage \(DisplayText.quoted(key)) \(problem)", advice: "the file is damaged")
    case .overflow(let value): "\(value) does not fit a 32-bit float"
    }
  }

  private static func place(_ entry: String?) -> String {
    entry.map { "entry \(DisplayText.quoted($0)) " } ?? ""
  }

  private static func isModuleClass(_ name: String) -> Bool {
    ["torch.nn.", "dynamic_network_architectures.", "nnunetv2.", "nnunet.", "monai."]
      .contains { name.hasPrefix($0) } && name != "torch.nn.parameter.Parameter"
  }
}
