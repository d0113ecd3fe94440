// SPDX-License-Identifier: Apache-2.0
public import FileIO
internal import NPY
internal import PickleReader
internal import SWTFormat

/// Why a checkpoint cannot be converted.
public struct ConversionError: Error, Equatable, Sendable {
  package enum Reason: Equatable, Sendable {
    /// The operating system refused.
    case file(FileError)
    /// The file cannot be read as a checkpoint.
    case unreadable(file: String, problem: String, advice: Advice? = nil)
    /// The file is read, but holds something else than an nnU-Net network.
    case notNNUNet(problem: String, advice: Advice)
    /// A field of plans, dataset.json or init_args is missing or has a value we cannot take.
    case field(path: String, problem: String)
    /// The architecture names something that is not supported.
    case unsupported(what: String, advice: Advice)
    /// The network that the plans describe has a parameter that the weights lack.
    case missingKey(String)
    /// The weights have a key that the network does not.
    case unexpectedKey(String)
    /// A weight has another shape than the plans say.
    case shape(key: String, found: [Int], expected: [Int])
    /// The plans give a stage another stride than the decoder undoes.
    case stride(key: String, stage: Int, planned: [Int], found: [Int])
    /// A weight is stored in a way that is no plain float tensor.
    case tensor(key: String, problem: String)
    /// A key occurs twice.
    case duplicateKey(String)
    /// Two names of one parameter have different values.
    case aliasesDiffer(String, String)
    /// A weight is NaN or infinite.
    case nonFinite(key: String)
    /// The head file holds no linear head that fits.
    case head(problem: String, advice: Advice)
    /// What is wrong with a network of another family than nnU-Net's U-Nets, with its name.
    indirect case network(String, ConversionError)
    /// Options that contradict each other or the input.
    case options(problem: String, advice: Advice? = nil)
  }

  package let reason: Reason

  package init(_ reason: Reason) { self.reason = reason }
}

extension ConversionError {
  init(_ error: FileError) { self.init(.file(error)) }

  /// What is thrown while `file` is read or written; errors of the file system name theirs.
  init(_ error: any Error, file: String) {
    switch error {
    case let error as ConversionError: self = error
    case let error as FileError: self.init(.file(error))
    case PickleError.file(let error), NPYError.file(let error): self.init(.file(error))
    case let error as SWTError: self.init(error, file: file)
    case let error as any Failure:
      self.init(
        .unreadable(file: file, problem: error.report.problem, advice: error.report.advice))
    default: self.init(.unreadable(file: file, problem: "\(error)"))
    }
  }

  private init(_ error: SWTError, file: String) {
    switch error.reason {
    case .file(let error): self.init(.file(error))
    case .field(let path, let problem): self.init(.field(path: path, problem: problem))
    default:
      self.init(
        .unreadable(file: file, problem: error.report.problem, advice: error.report.advice))
    }
  }
}

extension ConversionError {
  /// An error about weights, with the name of the network where that is of another family.
  static func named(_ error: any Error, network: String?) -> any Error {
    guard let network else { return error }
    switch (error as? ConversionError)?.reason {
    case .network, .file: return error
    default: return ConversionError(.network(network, ConversionError(error, file: "weights")))
    }
  }

  /// What `body` makes; its errors about weights have the network's name.
  static func naming<Result>(_ network: String?, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch { throw named(error, network: network) }
  }

  /// The error, with what was wrong with the field where it was there but could not be read.
  static func explained(_ error: any Error, by unreadable: [String: String]) -> any Error {
    let conversion = ConversionError(error, file: "")
    guard case .field(let path, "is missing") = conversion.reason, let problem = unreadable[path]
    else { return error }
    return ConversionError(.field(path: path, problem: problem))
  }
}

extension ConversionError: Failure {
  package var kind: FailureKind {
    switch reason {
    case .file(let error): error.kind
    case .options: .usage
    case .network(_, let error): error.kind
    default: .badInput
    }
  }

  /// One line: what is wrong, where, and what to do.
  public var description: String { message() }

  /// What kind of failure it is: the number that libswt's `swt_status` has for it.
  public var status: Int32 { kind.codes.status }

  package var report: FailureReport {
    switch reason {
    case .file(let error): error.report
    case .unreadable(let file, let problem, let advice):
      .init("\(DisplayText.quoted(file)): \(problem)", advice: advice)
    case .notNNUNet(let problem, let advice): .init(problem, advice: advice)
    case .field(let path, let problem):
      "\(DisplayText.escaped(path)) \(DisplayText.escaped(problem))"
    case .unsupported(let what, let advice):
      .init("\(DisplayText.escaped(what)) is not supported", advice: advice)
    case .missingKey(let key):
      .init(
        "the weights lack \(DisplayText.quoted(key)), which the plans call for",
        advice: "check that plans and checkpoint belong together")
    case .unexpectedKey(let key):
      .init(
        "the weights have \(DisplayText.quoted(key)), which the plans do not",
        advice: "check that plans and checkpoint belong together")
    case .shape(let key, let found, let expected):
      .init(
        "\(DisplayText.quoted(key)) has shape \(found) where the plans call for \(expected)",
        advice: "check that plans and checkpoint belong together")
    case .stride(let key, let stage, let planned, let found):
      .init(
        "the plans give stage \(stage) the stride \(planned), but \(DisplayText.quoted(key)) undoes "
          + "\(found)",
        advice: "check that plans and checkpoint belong together")
    case .tensor(let key, let problem):
      "\(DisplayText.quoted(key)): \(problem)"
    case .duplicateKey(let key):
      .init(
        "the weights have \(DisplayText.quoted(key)) twice",
        advice: "the checkpoint was edited, save it again")
    case .aliasesDiffer(let first, let second):
      .init(
        "\(DisplayText.quoted(first)) and \(DisplayText.quoted(second)) are names of one "
          + "parameter but differ",
        advice: "the checkpoint was edited, save it again")
    case .nonFinite(let key):
      .init(
        "\(DisplayText.quoted(key)) holds NaN or infinity",
        advice: "the training diverged; use \(.allowsNonFinite) to convert it all the same")
    case .head(let problem, let advice): .init("head: \(problem)", advice: advice)
    case .network(let name, let error):
      .init("\(name): \(error.report.problem)", advice: error.report.advice)
    case .options(let problem, let advice): .init(problem, advice: advice)
    }
  }
}
