import FileIO

/// The lines of stdin as cases, as they arrive; a line that is no case ends the sequence with an
/// error that `failure` holds.
final class StandardInputCases: Sequence, IteratorProtocol {
  private(set) var failure: InputError?

  func next() -> CaseList.Entry? {
    while failure == nil, let line = readLine() {
      if line.allSatisfy(\.isWhitespace) { continue }
      do { return try CaseList.Entry(line: line) } catch {
        failure = error as? InputError ?? .line("\(error)")
      }
    }
    return nil
  }
}
