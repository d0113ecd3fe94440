/// A Swift object behind a C handle. The handle owns one reference, which closing gives back.
enum Handle {
  static func make(_ object: some AnyObject) -> OpaquePointer {
    OpaquePointer(Unmanaged.passRetained(object).toOpaque())
  }

  /// The object, or `nil` for NULL.
  static func object<Object: AnyObject>(_ handle: OpaquePointer?, as: Object.Type) -> Object? {
    // Invariant: a handle that is not NULL came from `make` with this type and was not closed: the
    // header's types are distinct, and closing sets the caller's pointer to NULL.
    handle.map { Unmanaged<Object>.fromOpaque(UnsafeRawPointer($0)).takeUnretainedValue() }
  }

  /// Gives the reference back and sets the caller's handle to NULL.
  static func close(_ handle: UnsafeMutablePointer<OpaquePointer?>?) {
    guard let handle, let value = handle.pointee else { return }
    Unmanaged<AnyObject>.fromOpaque(UnsafeRawPointer(value)).release()
    handle.pointee = nil
  }
}
