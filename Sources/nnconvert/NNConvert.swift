import ArgumentParser

@main
struct NNConvert: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "nnconvert")
}
