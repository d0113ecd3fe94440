// SPDX-License-Identifier: Apache-2.0
public import CSWT
internal import FileIO
internal import SWTFormat
internal import SWTRuntime

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// What a `swt_model` is.
final class ModelObject: Sendable {
  let model: Model
  /// Zero-ended JSON that lives as long as the model.
  nonisolated(unsafe) let description: UnsafeMutablePointer<CChar>?

  init(_ model: Model) {
    self.model = model
    var object = model.description.json.object ?? JSONObject()
    object["model_id"] = .string(model.modelID)
    description = strdup(JSONValue.object(object).prettyText)
  }

  deinit { free(description) }
}

/// `swt_version`: see `swt.h`.
@_cdecl("swt_version")
public func swtVersion() -> UnsafePointer<CChar>? {
  UnsafeRawPointer(ProductVersion.text.utf8Start).assumingMemoryBound(to: CChar.self)
}

/// `swt_model_open`: see `swt.h`.
@_cdecl("swt_model_open")
public func swtModelOpen(
  _ path: UnsafePointer<CChar>?, _ model: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<swt_error>?
) -> swt_status {
  CallFailure.report(error) {
    let place = try Argument.handle(model, "model")
    let path = try Argument.text(path, "path")
    place[0] = try HandleTable.shared.insert(ModelObject(try Model(contentsOf: path)))
  }
}

/// `swt_model_close`: see `swt.h`.
@_cdecl("swt_model_close")
public func swtModelClose(_ model: UnsafeMutablePointer<OpaquePointer?>?) -> swt_status {
  close(model, "model", as: ModelObject.self)
}

/// `swt_model_description`: see `swt.h`.
@_cdecl("swt_model_description")
public func swtModelDescription(_ model: OpaquePointer?) -> UnsafePointer<CChar>? {
  object(model)?.description.map { UnsafePointer($0) }
}

/// `swt_model_pooled_count`: see `swt.h`.
@_cdecl("swt_model_pooled_count")
public func swtModelPooledCount(_ model: OpaquePointer?) -> Int {
  object(model)?.model.description.architecture.featuresPerStage.last ?? 0
}

/// `swt_model_logit_count`: see `swt.h`.
@_cdecl("swt_model_logit_count")
public func swtModelLogitCount(_ model: OpaquePointer?) -> Int {
  object(model)?.model.description.classifier?.classNames.count ?? 0
}

private func object(_ model: OpaquePointer?) -> ModelObject? {
  try? HandleTable.shared.object(model, "model", as: ModelObject.self)
}

/// Closes what a handle stands for and sets it to NULL; NULL is left alone.
func close<Object>(
  _ handle: UnsafeMutablePointer<OpaquePointer?>?, _ name: String, as type: Object.Type
) -> swt_status {
  CallFailure.report(nil) {
    guard let handle else { return }
    let place = try Argument.pointer(handle, name)
    guard let value = place[0] else { return }
    try HandleTable.shared.remove(value, name, as: type)
    place[0] = nil
  }
}
