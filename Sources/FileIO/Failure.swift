// SPDX-License-Identifier: Apache-2.0
/// An error of ours: what kind it is, what is wrong and where, and what to do.
package protocol Failure: Error, CustomStringConvertible {
  var kind: FailureKind { get }
  var report: FailureReport { get }
  /// Where it was found, by a name that the report leaves out, as it may hold names of people.
  var confidentialPlace: String? { get }
}

extension Failure {
  package var confidentialPlace: String? { nil }
}

/// What a failure tells people. A text stands for a report without advice.
package struct FailureReport: Sendable, Equatable, ExpressibleByStringInterpolation {
  /// What is wrong, and where; text from files in it is escaped.
  package let problem: String
  /// What to do, where that is not plain from the problem.
  package let advice: Advice?

  package init(_ problem: String, advice: Advice? = nil) {
    self.problem = problem
    self.advice = advice
  }

  package init(stringLiteral problem: String) { self.init(problem) }

  /// The report of something that a failure is about, such as a file.
  package func about(_ subject: String) -> FailureReport {
    FailureReport("\(subject): \(problem)", advice: advice)
  }
}

extension Failure {
  /// One line, "what is wrong, where — what to do", with settings under the names that `name` gives.
  package func message(naming name: (Setting) -> String = { $0.rawValue }) -> String {
    report.problem + (report.advice.map { " — \($0.text(naming: name))" } ?? "")
  }
}
