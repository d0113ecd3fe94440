import ArgumentParser

@main
struct NNRun: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "nnrun")
}
