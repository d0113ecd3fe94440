// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// What the allowed Python callables stand for. Nothing is called: each gives an inert value.
extension PickleMachine {
  private func items(_ index: Index) -> [Index]? {
    switch nodes[Int(index)] {
    case .tuple(let position), .list(let position), .set(let position): containers[position]
    default: nil
    }
  }

  /// The items of an argument, for a collection that is made of them.
  private mutating func copiedItems(_ index: Index?) throws(PickleError) -> [Index] {
    let result = index.flatMap { items($0) } ?? []
    try charge(result.count * MemoryLayout<Index>.size)
    return result
  }

  private func string(_ index: Index) -> String? {
    if case .string(let value) = nodes[Int(index)] { value } else { nil }
  }

  private func integer(_ index: Index) -> Int? {
    if case .integer(let value) = nodes[Int(index)] { value } else { nil }
  }

  /// A shape or strides: shared in the pickle, but a list of its own in every tensor.
  private mutating func integers(_ index: Index) throws(PickleError) -> [Int] {
    guard let items = items(index), items.count <= PickleLimits.rank else {
      throw malformed("a shape is no short tuple")
    }
    try charge(64 + items.count * MemoryLayout<Int>.stride)
    var result: [Int] = []
    for item in items {
      guard let value = integer(item) else { throw malformed("a size is no integer") }
      result.append(value)
    }
    return result
  }

  /// The value of `callable(*arguments)`.
  mutating func reduce(_ callable: Index, arguments: Index) throws(PickleError) -> Node {
    guard case .symbol(let symbol) = nodes[Int(callable)] else {
      if case .opaque(let what) = nodes[Int(callable)] { return .opaque(what) }
      throw malformed("what is called is no Python name")
    }
    guard case .tuple(let position) = nodes[Int(arguments)] else {
      throw malformed("arguments are no tuple")
    }
    let arguments = containers[position]
    switch symbol {
    case .rebuildTensor: return try tensor(arguments, counts: 4...4)
    case .rebuildTensorV2: return try tensor(arguments, counts: 6...7)
    case .rebuildTensorV3: return try untypedTensor(arguments)
    case .rebuildParameter, .parameter:
      guard let first = arguments.first else { throw malformed("a parameter has no tensor") }
      return nodes[Int(first)]
    case .rebuildFromType:
      guard arguments.count == 4 else { throw malformed("a typed tensor has no arguments") }
      guard case .symbol(.rebuildTensorV2) = nodes[Int(arguments[0])] else {
        return .unreadableTensor("tensor subclass")
      }
      return try reduce(arguments[0], arguments: arguments[2])
    case .rebuildExotic(let what): return .unreadableTensor(what)
    case .orderedDictionary, .counter: return try dictionary(arguments)
    case .defaultDictionary: return .dictionary(try container([]))
    case .size:
      guard arguments.count <= 1 else { throw malformed("a torch.Size has several arguments") }
      return .tuple(try container(try copiedItems(arguments.first)))
    case .device: return .device(try device(arguments))
    case .path: return .path(try path(arguments))
    case .collection: return .list(try container(try copiedItems(arguments.first)))
    case .bytes:
      guard let first = arguments.first else { return .bytes(Bytes([])) }
      if case .bytes = nodes[Int(first)] { return nodes[Int(first)] }
      return try encoded(arguments)
    case .encode: return try encoded(arguments)
    case .numpyType: return try numpyType(arguments)
    case .numpyScalar: return try scalar(arguments)
    case .numpyReconstruct:
      try charge(MemoryLayout<NumpyArray>.stride)
      arrays.append(NumpyArray())
      return .array(arrays.count - 1)
    case .numpyFromBuffer: return try arrayFromBuffer(arguments)
    case .layout, .numpyArray: return .opaque("\(symbol)")
    case .torchType, .storage: throw malformed("a type is called")
    case .inert(let what): return .opaque(what)
    case .libraryName(let name):
      guard toleratesUnknownObjects else { throw .global(name: name, offset: instruction) }
      return .opaque(name)
    case .attributeAccess: return try attribute(callable, arguments)
    }
  }

  /// `getattr(class, 'method')`, as the states of PyTorch's schedulers have it; nothing else.
  private mutating func attribute(
    _ callable: Index, _ arguments: [Index]
  ) throws(PickleError) -> Node {
    let owner: String? = arguments.first.flatMap {
      switch nodes[Int($0)] {
      case .symbol(.libraryName(let name)), .opaque(let name): name
      default: nil
      }
    }
    guard arguments.count == 2, let owner, owner.hasPrefix("torch.optim."),
      let name = string(arguments[1]), !name.hasPrefix("__"), !name.contains(".")
    else {
      let name = uncalledAttributeAccesses[callable]?.name ?? "builtins.getattr"
      throw .dangerousGlobal(name: name, offset: instruction)
    }
    uncalledAttributeAccesses[callable] = nil
    return .opaque("\(owner).\(name)")
  }

  /// Applies `state` to `target`, as `__setstate__` would.
  mutating func build(_ target: Index, state: Index) throws(PickleError) {
    switch nodes[Int(target)] {
    case .dictionary, .opaque, .tensor, .unreadableTensor, .path, .device, .list: return
    case .numpyType(var type):
      guard let state = items(state), state.count >= 2, let order = string(state[1]) else {
        throw malformed("the state of a numpy type is no tuple")
      }
      type.isBigEndian = order == ">"
      nodes[Int(target)] = .numpyType(type)
    case .array(let position): arrays[position] = try array(state: state)
    default: throw malformed("a value takes no state")
    }
  }

  // MARK: - Tensors

  private func storage(_ index: Index) -> TensorStorage? {
    if case .storage(let position) = nodes[Int(index)] { storages[position] } else { nil }
  }

  /// `(storage, offset, size, stride[, requires_grad, hooks[, metadata]])`.
  private mutating func tensor(
    _ arguments: [Index], counts: ClosedRange<Int>
  ) throws(PickleError) -> Node {
    guard counts.contains(arguments.count), let offset = integer(arguments[1]) else {
      throw malformed("a tensor has the wrong arguments")
    }
    guard let storage = storage(arguments[0]) else {
      if case .opaque(let what) = nodes[Int(arguments[0])] {
        return .unreadableTensor("tensor over a \(what)")
      }
      throw malformed("a tensor has no storage")
    }
    if arguments.count == 7, case .dictionary(let position) = nodes[Int(arguments[6])],
      !containers[position].isEmpty
    {
      return .unreadableTensor("conjugated or negated tensor")
    }
    return try tensor(
      TensorView(
        shape: integers(arguments[2]), strides: integers(arguments[3]), storageOffset: offset,
        storage: storage))
  }

  /// `(untyped storage, offset, size, stride, requires_grad, hooks, dtype[, metadata])`.
  private mutating func untypedTensor(_ arguments: [Index]) throws(PickleError) -> Node {
    guard (7...8).contains(arguments.count), let storage = storage(arguments[0]),
      let offset = integer(arguments[1]),
      case .symbol(.torchType(let name)) = nodes[Int(arguments[6])]
    else { throw malformed("a tensor has the wrong arguments") }
    guard let type = ElementType(rawValue: name) else { return .unreadableTensor("\(name) tensor") }
    return try tensor(
      TensorView(
        shape: integers(arguments[2]), strides: integers(arguments[3]), storageOffset: offset,
        storage: TensorStorage(
          key: storage.key, elementType: type, byteCount: storage.byteCount,
          provider: storage.provider)))
  }

  private mutating func tensor(_ view: TensorView) throws(PickleError) -> Node {
    guard tensors.count < PickleLimits.tensors else { throw limit("tensors", PickleLimits.tensors) }
    try charge(MemoryLayout<TensorView>.stride)
    tensors.append(view)
    return .tensor(tensors.count - 1)
  }

  // MARK: - Plain values

  private mutating func dictionary(_ arguments: [Index]) throws(PickleError) -> Node {
    guard let first = arguments.first else { return .dictionary(try container([])) }
    if case .dictionary(let position) = nodes[Int(first)] {
      try charge(containers[position].count * MemoryLayout<Index>.size)
      return .dictionary(try container(containers[position]))
    }
    var flat: [Index] = []
    for pair in try copiedItems(first) {
      guard let pair = items(pair), pair.count == 2 else {
        throw malformed("a dictionary is made of something else than pairs")
      }
      flat += pair
    }
    return .dictionary(try container(flat))
  }

  private func device(_ arguments: [Index]) throws(PickleError) -> String {
    guard let type = arguments.first.flatMap({ string($0) }) else {
      throw malformed("a device has no type")
    }
    guard arguments.count > 1, let number = integer(arguments[1]) else { return type }
    return "\(type):\(number)"
  }

  private mutating func path(_ arguments: [Index]) throws(PickleError) -> String {
    var result = ""
    for argument in arguments {
      guard let part = string(argument) else {
        throw malformed("a path has a part that is no text")
      }
      try charge(part.utf8.count)
      result += result.isEmpty || result.hasSuffix("/") ? part : "/\(part)"
    }
    return result
  }

  /// `_codecs.encode(text, 'latin1')`: how protocol 2 writes bytes.
  private mutating func encoded(_ arguments: [Index]) throws(PickleError) -> Node {
    guard arguments.count == 2, let text = string(arguments[0]), let codec = string(arguments[1]),
      codec == "latin1" || codec == "latin-1"
    else { throw malformed("bytes are encoded in an unusual way") }
    try charge(text.utf8.count)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      guard let byte = UInt8(exactly: scalar.value) else {
        throw malformed("bytes hold a character beyond latin1")
      }
      bytes.append(byte)
    }
    return .bytes(Bytes(bytes))
  }

  // MARK: - NumPy

  private func numpyType(_ arguments: [Index]) throws(PickleError) -> Node {
    guard let code = arguments.first.flatMap({ string($0) }) else {
      throw malformed("a numpy type has no name")
    }
    return .numpyType(NumpyType(code: code))
  }

  private func scalar(_ arguments: [Index]) throws(PickleError) -> Node {
    guard arguments.count == 2, case .numpyType(let type) = nodes[Int(arguments[0])] else {
      throw malformed("a numpy scalar has no type")
    }
    guard case .bytes(let bytes) = nodes[Int(arguments[1])] else {
      return .opaque("numpy scalar of type \(type.code)")
    }
    if let text = type.decodeText(bytes) { return .string(text) }
    guard type.byteCount != nil else { return .opaque("numpy scalar of type \(type.code)") }
    guard let value = type.decode(bytes) else {
      throw malformed("a numpy scalar has \(bytes.count) bytes")
    }
    if type.code == "b1" { return .bool(value != 0) }
    guard !type.code.hasPrefix("f"), let integer = Int(exactly: value) else {
      return .double(value)
    }
    return .integer(integer)
  }

  /// The state `(1, shape, dtype, is_fortran, bytes)`.
  private mutating func array(state: Index) throws(PickleError) -> NumpyArray {
    guard let state = items(state), state.count == 5,
      case .numpyType(let type) = nodes[Int(state[2])],
      case .bool(let fortran) = nodes[Int(state[3])]
    else { throw malformed("the state of a numpy array is not understood") }
    var array = NumpyArray(shape: try integers(state[1]), type: nil, isFortranOrder: fortran)
    if case .bytes(let bytes) = nodes[Int(state[4])] {
      try fill(&array, type: type, bytes: bytes)
    }
    return array
  }

  /// `(buffer, dtype, shape, order)`.
  private mutating func arrayFromBuffer(_ arguments: [Index]) throws(PickleError) -> Node {
    guard arguments.count == 4, case .bytes(let bytes) = nodes[Int(arguments[0])],
      case .numpyType(let type) = nodes[Int(arguments[1])], let order = string(arguments[3])
    else { throw malformed("a numpy array has the wrong arguments") }
    var array = NumpyArray(
      shape: try integers(arguments[2]), type: nil, isFortranOrder: order == "F")
    try fill(&array, type: type, bytes: bytes)
    try charge(MemoryLayout<NumpyArray>.stride)
    arrays.append(array)
    return .array(arrays.count - 1)
  }

  private func fill(
    _ array: inout NumpyArray, type: NumpyType, bytes: Bytes
  ) throws(PickleError) {
    guard let width = type.byteCount else { return }
    var count = width
    for size in array.shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard size >= 0, !overflow else { throw malformed("a numpy array has shape \(array.shape)") }
      count = product
    }
    guard count == bytes.count else {
      throw malformed("a numpy array of shape \(array.shape) has \(bytes.count) bytes")
    }
    array.type = type
    array.bytes = bytes
  }
}
