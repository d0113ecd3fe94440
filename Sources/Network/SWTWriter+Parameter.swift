// SPDX-License-Identifier: Apache-2.0
package import FileIO
package import SWTFormat

extension SWTWriter.Tensor {
  /// A parameter's tensor, whose values `fill` writes.
  package init(
    _ parameter: Parameter, dataType: TensorDataType,
    fill: @escaping @Sendable (UnsafeMutableBufferPointer<Float>) throws -> Void
  ) {
    self.init(
      name: parameter.name, shape: parameter.shape, layout: parameter.layout, dataType: dataType,
      fill: fill)
  }

  /// A parameter's tensor with the bytes of its values.
  package init(
    _ parameter: Parameter, dataType: TensorDataType,
    values: @escaping @Sendable () throws -> Bytes
  ) {
    self.init(
      name: parameter.name, shape: parameter.shape, layout: parameter.layout, dataType: dataType,
      values: values)
  }
}
