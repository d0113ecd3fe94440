// SPDX-License-Identifier: Apache-2.0
import FileIO
import PickleReader
import Testing

/// Objects of libraries that trainings leave in checkpoints: inert where they hold data or name what is
/// never called; refused by name, and never run, where they could do more.
@Suite struct LibraryObjectTests {
  /// A pickle of protocol 2 with this body.
  private func read(_ body: String, tolerating: Bool = false) throws(PickleError) -> PickleValue {
    let bytes = Bytes(
      [0x80, 0x02] + body.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) })
    return try TorchFile.plainPickle(bytes, toleratingUnknownObjects: tolerating).root
  }

  private static func text(_ text: String) -> String {
    "X\(Character(Unicode.Scalar(UInt8(text.utf8.count))))\0\0\0\(text)"
  }

  /// `getattr(owner, name)`.
  private static func attribute(of owner: String, _ name: String) -> String {
    "c__builtin__\ngetattr\nc\(owner)\n\(text(name))\u{86}R."
  }

  @Test(arguments: [
    ("torch.optim.swa_utils\nSWALR", "_cosine_anneal"),
    ("torch.optim.lr_scheduler\nOneCycleLR", "_annealing_cos"),
  ])
  func methodsOfSchedulersAreInert(owner: String, name: String) throws {
    guard case .opaque = try read(Self.attribute(of: owner, name)).kind else {
      Issue.record("the method is not inert")
      return
    }
  }

  @Test(arguments: [
    attribute(of: "torch.optim.swa_utils\nSWALR", "__globals__"),
    attribute(of: "torch.nn.modules.module\nModule", "forward"),
    attribute(of: "collections\nOrderedDict", "fromkeys"),
    "c__builtin__\ngetattr\n.", "]c__builtin__\ngetattr\na.",
  ])
  func otherAttributesAreNamedAndRefused(body: String) {
    let error = #expect(throws: PickleError.self) { try read(body, tolerating: true) }
    #expect(error.map { "\($0)".contains("getattr") && "\($0)".contains("could run code") } == true)
  }

  @Test(arguments: [
    "ctypes\nSimpleNamespace\n)R}b.", "cuuid\nUUID\n)\u{81}}b.",
    "cdecimal\nDecimal\n\(text("1.5"))\u{85}R.", "cdatetime\ntimezone\n)R.",
    "clogging\ngetLogger\n\(text("nnunet"))\u{85}R.",
    "ctorch.optim.adamw\nAdamW\n.", "ctorch.nn.modules.instancenorm\nInstanceNorm3d\n.",
  ])
  func dataAndClassesAreInert(body: String) throws {
    guard case .opaque = try read(body).kind else {
      Issue.record("the object is not inert")
      return
    }
  }

  @Test(arguments: ["cfunctools\npartial\nc__builtin__\ndict\n\u{85}R.", "cmy_trainer\nCfg\n)R."])
  func unknownObjectsAreInertOnRequest(body: String) throws {
    let error = #expect(throws: PickleError.self) { try read(body) }
    #expect(error.map { "\($0)".contains("do not trust") } == false)
    #expect(throws: Never.self) { try read(body, tolerating: true) }
  }

  @Test(arguments: [
    "cfunctools\npartial\ncos\nsystem\n\u{85}R.", "ctypes\nFunctionType\n)R.",
    "cuuid\n_load_system_functions\n)R.", "clogging.config\nfileConfig\n)R.",
  ])
  func whatCouldRunCodeIsRefusedAllTheSame(body: String) {
    let error = #expect(throws: PickleError.self) { try read(body, tolerating: true) }
    #expect(error.map { "\($0)".contains("could run code") } == true)
  }

  @Test func anInstanceOfALibrarysClassIsRefused() {
    let error = #expect(throws: PickleError.self) {
      try read("ctorch.nn.modules.loss\nCrossEntropyLoss\n)\u{81}.")
    }
    #expect(error.map { "\($0)".contains("state_dict()") } == true)
  }

  /// One shape of 64 axes, remembered and used by every tensor: a list of its own in each, and each takes time.
  @Test func sharedShapesDoNotFanOut() {
    let shape = "(" + String(repeating: "K\u{1}", count: 64) + "tq\0"
    let storage =
      "(\(Self.text("storage"))ctorch\nFloatStorage\n\(Self.text("0"))\(Self.text("cpu"))K\u{1}tQq\u{1}"
    let tensor = "ctorch._utils\n_rebuild_tensor_v2\n(h\u{1}K\0h\0h\0\u{89}NtR0"
    let error = #expect(throws: PickleError.self) {
      try read(shape + storage + String(repeating: tensor, count: 60_001) + ".")
    }
    #expect(
      error.map { "\($0)".contains("more than 60000 tensors") } == true,
      "\(String(describing: error))")
  }
}
