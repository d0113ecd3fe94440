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
    var object = model.description.publicJSON.object ?? JSONObject()
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
    guard let model else { throw CallFailure.usage("model is NULL") }
    model.pointee = nil
    guard let path else { throw CallFailure.usage("path is NULL") }
    model.pointee = Handle.make(
      ModelObject(try Model(contentsOf: String(cString: path))))
  }
}

/// `swt_model_close`: see `swt.h`.
@_cdecl("swt_model_close")
public func swtModelClose(_ model: UnsafeMutablePointer<OpaquePointer?>?) { Handle.close(model) }

/// `swt_model_description`: see `swt.h`.
@_cdecl("swt_model_description")
public func swtModelDescription(_ model: OpaquePointer?) -> UnsafePointer<CChar>? {
  Handle.object(model, as: ModelObject.self)?.description.map { UnsafePointer($0) }
}

/// `swt_model_pooled_count`: see `swt.h`.
@_cdecl("swt_model_pooled_count")
public func swtModelPooledCount(_ model: OpaquePointer?) -> Int {
  Handle.object(model, as: ModelObject.self)?.model.description.architecture.featuresPerStage.last
    ?? 0
}

/// `swt_model_logit_count`: see `swt.h`.
@_cdecl("swt_model_logit_count")
public func swtModelLogitCount(_ model: OpaquePointer?) -> Int {
  Handle.object(model, as: ModelObject.self)?.model.description.classifier?.classNames.count ?? 0
}
