// SPDX-License-Identifier: Apache-2.0
import FileIO
import Network
import SWTFormat

@testable import Converter

/// Reads plans, and behind a NUL byte a dataset.json, as a conversion does.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let parts = UnsafeBufferPointer(start: data, count: count)
    .split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
  guard parts.count == 2 else { return 0 }
  func json(_ part: Slice<UnsafeBufferPointer<UInt8>>) -> JSONValue? {
    try? JSONParser.parse(Bytes(Array(part)), allowingPythonNonFinite: true)
  }
  guard let plansJSON = json(parts[0]), let datasetJSON = json(parts[1]),
    let dataset = try? DatasetJSON(datasetJSON, path: "dataset")
  else { return 0 }
  let plans = Plans(plansJSON, path: "plans")
  for name in plans.configurationNames.prefix(4) {
    guard let configuration = try? plans.configuration(name) else { continue }
    let parser = PreprocessingParser(
      plans: plans, configuration: configuration, dataset: dataset, warn: { _ in })
    _ = try? parser.parse()
    let architecture = try? ArchitectureParser(
      configuration: configuration, inputChannels: dataset.channelNames.count,
      segmentationHeads: dataset.segmentationHeads
    ).parse()
    _ = architecture.map { Graph($0) }
  }
  return 0
}
