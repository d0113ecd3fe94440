// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import FileIO
import NPY
import SWTFormat
import Training

struct Augment: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Apply nnU-Net's training transforms with given parameters to an array.",
    discussion: """
      For comparing with nnU-Net. The steps are a JSON list of {"name", "params"}, for noise also "unit_noise", the path \
      of a .npy of the image's shape.

      Example:
        nntrain augment image.npy --steps steps.json -o augmented.npy
      """)

  @Argument(
    help: ArgumentHelp("An image, [C, z, y, x] or [C, y, x].", valueName: "npy"),
    completion: .file(extensions: ["npy"]))
  var input: String
  @Option(help: "The steps.", completion: .file(extensions: ["json"]))
  var steps: String
  @Option(name: .shortAndLong, help: "The .npy to write.", completion: .file())
  var output: String

  func run() throws {
    let array = try NPYArray(contentsOf: input)
    guard (3...4).contains(array.shape.count), !array.values.isEmpty else {
      throw TrainingError.augmentation(
        problem:
          "\(DisplayText.quoted(input)) has shape \(array.shape), not [C, z, y, x] or [C, y, x]")
    }
    let json: JSONValue
    do { json = try JSONParser.parse(MappedFile(path: steps).bytes) } catch let error as JSONError {
      throw TrainingError.augmentation(problem: "\(DisplayText.quoted(steps)): \(error)")
    }
    guard let list = json.array else {
      throw TrainingError.augmentation(problem: "\(DisplayText.quoted(steps)) is no list of steps")
    }
    let folder = steps.lastIndex(of: "/").map { String(steps[...$0]) } ?? ""
    var augmentation = Augmentation(
      ChannelImage(
        channels: array.shape[0], shape: Array(array.shape.dropFirst()), values: array.values))
    for step in list {
      try augmentation.apply(
        AugmentationStep(json: step) { path in
          let isBeside = !path.hasPrefix("/") && MappedFile.identity(ofFileAt: folder + path) != nil
          return try NPYArray(contentsOf: isBeside ? folder + path : path).values
        })
    }
    let image = augmentation.image
    let inputs = [input, steps].compactMap { MappedFile.identity(ofFileAt: $0) }
    try NPYArray(shape: [image.channels] + image.shape, values: image.values)
      .write(to: output, inputs: inputs)
  }
}
