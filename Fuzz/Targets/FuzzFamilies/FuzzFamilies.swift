// SPDX-License-Identifier: Apache-2.0
import FileIO
import Network
import PickleReader
import SWTFormat

@testable import Converter

/// Reads architectures of other families from the shapes of tensors and the words of plans:
/// `{"tensors": {"name": [sizes]}, "configuration": {…}, "trainer": "…", "isPretrained": false}`; of MONAI's bundles with a
/// member `network_def` in place of the configuration.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let bytes = Bytes(Array(UnsafeBufferPointer(start: data, count: count)))
  guard let json = try? JSONParser.parse(bytes, allowingPythonNonFinite: true) else { return 0 }
  var tensors: [(key: String, tensor: TensorView)] = []
  for member in json["tensors"]?.object?.members.prefix(4096) ?? [] {
    // Nothing is read of a tensor but its shape.
    let shape = member.value.array?.compactMap(\.integer) ?? []
    let storage = TensorStorage(
      key: "0", elementType: .float32, byteCount: 4, provider: StoredBytes(Bytes([0, 0, 0, 0])))
    guard
      let tensor = try? TensorView(
        shape: shape, strides: shape.map { _ in 0 }, storageOffset: 0, storage: storage)
    else { continue }
    tensors.append((member.key, tensor))
  }
  guard let weights = try? StateDict(tensors) else { return 0 }
  var configuration = JSONField(path: "configuration", value: json["configuration"] ?? .null)
  if MONAIBundle.isConfig(json) {
    guard let bundle = try? MONAIBundle(json, weights: weights),
      let named = try? Plans(bundle.plans, path: "plans").configuration(MONAIBundle.configuration),
      (try? DatasetJSON(bundle.dataset, path: "dataset")) != nil
    else { return 0 }
    configuration = named
  }
  guard let architecture = try? parse(weights, configuration, json) else { return 0 }
  // What is refused by the weights is not built: a graph of it may be as large as the header allows.
  try? NetworkCheck(architecture: architecture, weights: weights).requireNetwork()
  _ = try? NetworkArchitecture(JSONField(path: "", value: architecture.json))
  return 0
}

private func parse(
  _ weights: StateDict, _ configuration: JSONField, _ json: JSONValue
) throws -> NetworkArchitecture? {
  let plans = ArchitectureParser(
    configuration: configuration, inputChannels: 1, segmentationHeads: 2)
  switch weights.naming {
  case .stuNet: return try STUNetParser(plans, weights).parse()
  case .dynUNet: return try DynUNetParser(plans, weights).parse()
  case .primus:
    let identity = PrimusIdentity(
      architecture: try configuration.optional("architecture"),
      trainerName: json["trainer"]?.string,
      isPretrained: json["isPretrained"]?.bool ?? false)
    return try PrimusParser(
      configuration: configuration, weights: try PrimusWeights(weights), identity: identity,
      options: ConversionOptions(), inputChannels: 1, segmentationHeads: 2, warn: { _ in }
    ).parse()
  case .version1, .version2: return nil
  }
}
