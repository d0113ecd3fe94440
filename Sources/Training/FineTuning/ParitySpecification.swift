// SPDX-License-Identifier: Apache-2.0
package import FileIO
internal import SWTFormat
internal import SWTRuntime

/// What exact batches are trained with: the specification beside PyTorch's goldens.
package struct ParitySpecification: Sendable {
  /// One optimiser's hyper-parameters.
  struct Schedule: Sendable {
    let optimizer: Optimizer.Settings
    let rates: LearningRates
    let warmup: Int
  }

  private static let optimizers = ["sgd", "adamw"]

  package let loss: Loss
  package let classCount: Int
  let unfrozenStages: Int
  /// By the optimiser's name.
  let schedules: [(name: String, schedule: Schedule)]

  package init(_ bytes: Bytes, stageCount: Int) throws(TrainingError) {
    let json: JSONValue
    do throws(JSONError) { json = try JSONParser.parse(bytes) } catch {
      throw .batches(problem: "the specification: \(error)")
    }
    guard let classes = json["classes"]?.integer, (1...65_536).contains(classes) else {
      throw Self.problem("classes", "is no number of classes")
    }
    classCount = classes
    func weights(_ key: String) throws(TrainingError) -> [Double]? {
      guard let member = json[key], !member.isNull else { return nil }
      guard let values = member.array?.compactMap(\.double), values.count == classes,
        values.allSatisfy({ $0 > 0 && $0.isFinite })
      else { throw Self.problem(key, "is no list of \(classes) positive numbers") }
      return values
    }
    switch json["loss"]?.string ?? "cross_entropy" {
    case "cross_entropy":
      let smoothing = try Self.number(json["label_smoothing"] ?? 0.0, "label_smoothing", 0...1)
      loss = .crossEntropy(weights: try weights("class_weight"), smoothing: smoothing)
    case "bce": loss = .binaryCrossEntropy(positiveWeights: try weights("pos_weight"))
    case let name: throw Self.problem("loss", "\(name) is neither cross_entropy nor bce")
    }
    let unfrozen = json["unfrozen_stages"]?.integer ?? 0
    guard (0...stageCount).contains(unfrozen) else {
      throw Self.problem("unfrozen_stages", "is not 0…\(stageCount)")
    }
    unfrozenStages = unfrozen
    var schedules: [(name: String, schedule: Schedule)] = []
    for name in Self.optimizers {
      if let member = json[name] { schedules.append((name, try Self.schedule(member, name))) }
    }
    self.schedules = schedules
  }

  private static func schedule(
    _ json: JSONValue, _ name: String
  ) throws(TrainingError) -> Schedule {
    func number(
      _ key: String, _ range: ClosedRange<Double>, default value: Double? = nil
    ) throws(TrainingError) -> Double {
      try Self.number(json[key] ?? value.map { .number($0) }, "\(name).\(key)", range)
    }
    let rule: Optimizer.Rule
    if name == "sgd" {
      guard json["nesterov"]?.bool != false else {
        throw Self.problem("sgd.nesterov", "is false: only Nesterov's momentum is there")
      }
      rule = .sgd(momentum: try number("momentum", 0...1))
    } else {
      guard let betas = json["betas"]?.array?.compactMap(\.double), betas.count == 2,
        betas.allSatisfy({ (0..<1).contains($0) })
      else { throw Self.problem("\(name).betas", "is no pair of numbers below 1") }
      rule = .adamW(beta1: betas[0], beta2: betas[1], eps: try number("eps", 0...1, default: 1e-8))
    }
    let largest = Double.greatestFiniteMagnitude
    return Schedule(
      optimizer: Optimizer.Settings(
        rule: rule, weightDecay: try number("weight_decay", 0...largest, default: 0),
        decaysVectors: json["decay_vectors"]?.bool ?? true,
        clip: try number("clip", 0...largest)),
      rates: LearningRates(
        head: try number("head_lr", 0...largest), encoder: try number("encoder_lr", 0...largest),
        layerDecay: try number("layer_decay", 0...largest, default: 1)),
      warmup: Int(try number("warmup", 0...1000, default: 0)))
  }

  private static func number(
    _ json: JSONValue?, _ key: String, _ range: ClosedRange<Double>
  ) throws(TrainingError) -> Double {
    guard let value = json?.double, range.contains(value) else {
      throw problem(key, "is missing or no number of its range")
    }
    return value
  }

  private static func problem(_ key: String, _ text: String) -> TrainingError {
    .batches(problem: "'\(key)' of the specification \(text)")
  }
}
