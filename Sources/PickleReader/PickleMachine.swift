// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// A pickle machine that builds inert values and calls nothing.
///
/// Source: CPython's `pickletools` and `pickle.py`, protocols 0 to 5 without what checkpoints never
/// use (text strings, INST, OBJ, DUP, EXT, out-of-band buffers).
struct PickleMachine {
  typealias Index = PickleDocument.Index
  typealias Node = PickleDocument.Node

  private let bytes: Bytes
  let provider: any StorageProvider
  let toleratesUnknownObjects: Bool
  /// Where the next instruction starts.
  private(set) var position: Int
  /// Where the current instruction started, for messages.
  private(set) var instruction = 0

  var nodes: [Node] = []
  var containers: [[Index]] = []
  var tensors: [TensorView] = []
  var arrays: [NumpyArray] = []
  var storages: [TensorStorage] = []
  var storagePositions: [String: Int] = [:]
  private var globals: [String] = []
  private var seenGlobals: Set<String> = []

  private var stack: [Index] = []
  /// Heights of the stack where a MARK was pushed; nothing pops below the last one.
  private var marks: [Int] = []
  private var memo: [UInt32: Index] = [:]
  /// Where `getattr` was named and not yet called in the one way that is harmless.
  var uncalledAttributeAccesses: [Index: (name: String, offset: Int)] = [:]
  /// What the values made so far take, in bytes.
  private var memory = 0
  private let memoryLimit: Int

  /// - Parameter storedByteCount: what the pickle takes in its file, which may be less than it has.
  init(
    _ bytes: Bytes, from position: Int = 0, storedByteCount: Int? = nil,
    provider: any StorageProvider, toleratesUnknownObjects: Bool
  ) {
    self.bytes = bytes
    self.position = position
    memoryLimit = PickleLimits.memory(storedByteCount: storedByteCount ?? bytes.count)
    self.provider = provider
    self.toleratesUnknownObjects = toleratesUnknownObjects
  }

  /// Runs to STOP. `position` is then the byte after it.
  mutating func run() throws(PickleError) -> PickleDocument {
    for _ in 0..<PickleLimits.instructions {
      instruction = position
      let opcode = try readByte()
      if opcode == UInt8(ascii: ".") {
        let root = try pop()
        guard stack.isEmpty, marks.isEmpty else {
          throw malformed("values are left over at its end")
        }
        if let access = uncalledAttributeAccesses.values.first {
          throw .dangerousGlobal(name: access.name, offset: access.offset)
        }
        return PickleDocument(
          nodes: nodes, containers: containers, tensors: tensors, arrays: arrays, root: root,
          globals: globals)
      }
      try execute(opcode)
    }
    throw limit("instructions", PickleLimits.instructions)
  }

  // MARK: - Errors

  func malformed(_ problem: String) -> PickleError {
    .malformed(problem: problem, offset: instruction)
  }

  /// Counts memory before it is taken.
  mutating func charge(_ byteCount: Int) throws(PickleError) {
    memory += byteCount
    guard memory <= memoryLimit else { throw limit("bytes of values", memoryLimit) }
  }

  func limit(_ what: String, _ limit: Int) -> PickleError {
    .limit(what: what, limit: limit, offset: instruction)
  }

  // MARK: - Operands

  private mutating func readByte() throws(PickleError) -> UInt8 {
    guard let byte = bytes.byte(at: position) else { throw .truncated(offset: position) }
    position += 1
    return byte
  }

  private mutating func read<Integer: FixedWidthInteger & BitwiseCopyable>(
    _ type: Integer.Type
  ) throws(PickleError) -> Integer {
    guard let value = bytes.littleEndian(type, at: position) else {
      throw .truncated(offset: position)
    }
    position += MemoryLayout<Integer>.size
    return value
  }

  private mutating func readBytes(_ count: some BinaryInteger) throws(PickleError) -> Bytes {
    guard let count = Int(exactly: count), count >= 0,
      let part = bytes.slice(at: position, count: count)
    else { throw .truncated(offset: position) }
    position += count
    return part
  }

  private mutating func readLine() throws(PickleError) -> String {
    let end = min(bytes.count, position + PickleLimits.lineBytes)
    guard let newline = bytes.firstOffset(of: 0x0A, from: position, below: end) else {
      throw .truncated(offset: position)
    }
    let line = try readBytes(newline - position)
    position += 1
    guard let text = line.utf8 else { throw malformed("a name is not UTF-8") }
    return text
  }

  // MARK: - Stack

  mutating func push(_ node: Node) throws(PickleError) {
    guard nodes.count < PickleLimits.values else { throw limit("values", PickleLimits.values) }
    try charge(MemoryLayout<Node>.stride + MemoryLayout<Index>.stride)
    stack.append(Index(nodes.count))
    nodes.append(node)
  }

  private func checkOperand() throws(PickleError) {
    guard stack.count > marks.last ?? 0 else { throw malformed("an operand is missing") }
  }

  private mutating func pop() throws(PickleError) -> Index {
    try checkOperand()
    return stack.removeLast()
  }

  private func top() throws(PickleError) -> Index {
    try checkOperand()
    return stack[stack.count - 1]
  }

  private mutating func popToMark() throws(PickleError) -> [Index] {
    guard let height = marks.popLast() else { throw malformed("a mark is missing") }
    let items = Array(stack[height...])
    stack.removeSubrange(height...)
    return items
  }

  private mutating func pop(_ count: Int) throws(PickleError) -> [Index] {
    guard stack.count - (marks.last ?? 0) >= count else { throw malformed("an operand is missing") }
    let items = Array(stack.suffix(count))
    stack.removeLast(count)
    return items
  }

  /// An array's own memory, and what it takes while it grows.
  private static func arrayByteCount(_ count: Int) -> Int {
    count == 0 ? 8 : 40 + 2 * count * MemoryLayout<Index>.stride
  }

  mutating func container(_ items: [Index]) throws(PickleError) -> Int {
    try charge(Self.arrayByteCount(items.count))
    containers.append(items)
    return containers.count - 1
  }

  private mutating func remember(_ key: UInt32) throws(PickleError) {
    try charge(16)
    memo[key] = try top()
  }

  private mutating func recall(_ key: UInt32) throws(PickleError) {
    guard let index = memo[key] else { throw malformed("memo entry \(key) was never set") }
    stack.append(index)
    guard stack.count <= PickleLimits.values else { throw limit("values", PickleLimits.values) }
  }

  // MARK: - Instructions

  private mutating func execute(_ opcode: UInt8) throws(PickleError) {
    switch opcode {
    case 0x80:
      guard try readByte() <= 5 else { throw malformed("its protocol is unknown") }
    case 0x95:
      guard try read(UInt64.self) <= UInt64(bytes.count - position) else {
        throw .truncated(offset: position)
      }
    case UInt8(ascii: "("):
      guard marks.count < PickleLimits.marks else {
        throw limit("nested marks", PickleLimits.marks)
      }
      marks.append(stack.count)
    case UInt8(ascii: "0"):
      if stack.count == marks.last { marks.removeLast() } else { _ = try pop() }
    case UInt8(ascii: "1"): _ = try popToMark()
    case UInt8(ascii: "N"): try push(.none)
    case 0x88: try push(.bool(true))
    case 0x89: try push(.bool(false))
    case UInt8(ascii: "J"): try push(.integer(Int(try read(Int32.self))))
    case UInt8(ascii: "K"): try push(.integer(Int(try readByte())))
    case UInt8(ascii: "M"): try push(.integer(Int(try read(UInt16.self))))
    case 0x8A: try pushInteger(try readBytes(try readByte()))
    case 0x8B: try pushInteger(try readBytes(try read(Int32.self)))
    case UInt8(ascii: "I"), UInt8(ascii: "L"): try pushText(integer: try readLine())
    case UInt8(ascii: "F"):
      guard let value = Double(try readLine()) else { throw malformed("a number is none") }
      try push(.double(value))
    case UInt8(ascii: "G"):
      try push(.double(Double(bitPattern: try read(UInt64.self).byteSwapped)))
    case UInt8(ascii: "X"): try pushString(try readBytes(try read(UInt32.self)))
    case 0x8C: try pushString(try readBytes(try readByte()))
    case 0x8D: try pushString(try readBytes(try read(UInt64.self)))
    case UInt8(ascii: "T"): try pushLatin1(try readBytes(try read(Int32.self)))
    case UInt8(ascii: "U"): try pushLatin1(try readBytes(try readByte()))
    case UInt8(ascii: "B"): try push(.bytes(try readBytes(try read(UInt32.self))))
    case UInt8(ascii: "C"): try push(.bytes(try readBytes(try readByte())))
    case 0x8E, 0x96: try push(.bytes(try readBytes(try read(UInt64.self))))
    default: try executeStructural(opcode)
    }
  }

  private mutating func executeStructural(_ opcode: UInt8) throws(PickleError) {
    switch opcode {
    case UInt8(ascii: "]"): try push(.list(try container([])))
    case UInt8(ascii: "}"): try push(.dictionary(try container([])))
    case 0x8F: try push(.set(try container([])))
    case UInt8(ascii: ")"): try push(.tuple(try container([])))
    case 0x85, 0x86, 0x87: try push(.tuple(try container(try pop(Int(opcode) - 0x84))))
    case UInt8(ascii: "t"): try push(.tuple(try container(try popToMark())))
    case UInt8(ascii: "l"): try push(.list(try container(try popToMark())))
    case 0x91: try push(.set(try container(try popToMark())))
    case UInt8(ascii: "d"):
      try push(.dictionary(try container(try checkedPairs(try popToMark()))))
    case UInt8(ascii: "a"): try append([try pop()])
    case UInt8(ascii: "e"): try append(try popToMark())
    case 0x90:
      let items = try popToMark()
      guard case .set(let position) = nodes[Int(try top())] else {
        throw malformed("a set is missing")
      }
      try charge(Self.arrayByteCount(items.count))
      containers[position] += items
    case UInt8(ascii: "s"): try setItems(try pop(2))
    case UInt8(ascii: "u"): try setItems(try popToMark())
    case UInt8(ascii: "q"): try remember(UInt32(try readByte()))
    case UInt8(ascii: "r"): try remember(try read(UInt32.self))
    case 0x94: try remember(UInt32(memo.count))
    case UInt8(ascii: "h"): try recall(UInt32(try readByte()))
    case UInt8(ascii: "j"): try recall(try read(UInt32.self))
    case UInt8(ascii: "p"), UInt8(ascii: "g"):
      guard let key = UInt32(try readLine()) else { throw malformed("a memo key is no number") }
      if opcode == UInt8(ascii: "p") { try remember(key) } else { try recall(key) }
    case UInt8(ascii: "c"): try pushGlobal(module: try readLine(), name: try readLine())
    case 0x93:
      let names = try pop(2)
      guard case .string(let module) = nodes[Int(names[0])],
        case .string(let name) = nodes[Int(names[1])]
      else { throw malformed("a Python name is no string") }
      try pushGlobal(module: module, name: name)
    case UInt8(ascii: "R"), 0x81:
      let operands = try pop(2)
      try push(try reduce(operands[0], arguments: operands[1]))
    case UInt8(ascii: "b"):
      let state = try pop()
      try build(try top(), state: state)
    case UInt8(ascii: "Q"): try pushStorage(try pop())
    default: throw .opcode(opcode, offset: instruction)
    }
  }

  private mutating func pushInteger(_ operand: Bytes) throws(PickleError) {
    let digits = operand.array
    guard digits.count <= 8 else { return try push(.bigInteger) }
    var value: Int64 = digits.last.map { $0 & 0x80 != 0 } ?? false ? -1 : 0
    for byte in digits.reversed() { value = value << 8 | Int64(byte) }
    try push(.integer(Int(value)))
  }

  private mutating func pushText(integer line: String) throws(PickleError) {
    if line == "00" || line == "01" { return try push(.bool(line == "01")) }
    let digits = line.hasSuffix("L") ? line.dropLast() : line[...]
    guard let value = Int(digits) else { throw malformed("a number is none, or too large") }
    try push(.integer(value))
  }

  private mutating func pushString(_ operand: Bytes) throws(PickleError) {
    guard operand.count <= PickleLimits.stringBytes else {
      throw limit("bytes in one string", PickleLimits.stringBytes)
    }
    try charge(operand.count)
    // Python lets lone surrogates through; such a string is no name we could use.
    try push(operand.utf8.map { .string($0) } ?? .opaque("string that is not UTF-8"))
  }

  /// A string of Python 2.
  private mutating func pushLatin1(_ operand: Bytes) throws(PickleError) {
    guard operand.count <= PickleLimits.stringBytes else {
      throw limit("bytes in one string", PickleLimits.stringBytes)
    }
    try charge(2 * operand.count)
    var text = String.UnicodeScalarView()
    for byte in operand.array { text.append(Unicode.Scalar(byte)) }
    try push(.string(String(text)))
  }

  private mutating func append(_ items: [Index]) throws(PickleError) {
    let target = nodes[Int(try top())]
    if case .opaque = target { return }
    guard case .list(let position) = target else { throw malformed("a list is missing") }
    try charge(Self.arrayByteCount(items.count))
    containers[position] += items
  }

  private mutating func setItems(_ items: [Index]) throws(PickleError) {
    let target = nodes[Int(try top())]
    if case .opaque = target { return }
    guard case .dictionary(let position) = target else {
      throw malformed("a dictionary is missing")
    }
    try charge(Self.arrayByteCount(items.count))
    containers[position] += try checkedPairs(items)
  }

  private func checkedPairs(_ items: [Index]) throws(PickleError) -> [Index] {
    guard items.count.isMultiple(of: 2) else { throw malformed("a key has no value") }
    for position in stride(from: 0, to: items.count, by: 2) {
      switch nodes[Int(items[position])] {
      case .list, .dictionary, .set: throw malformed("a key is a list, set or dictionary")
      default: break
      }
    }
    return items
  }

  private mutating func pushGlobal(module: String, name: String) throws(PickleError) {
    let full = "\(module).\(name)"
    if seenGlobals.insert(full).inserted {
      try charge(2 * full.utf8.count + 64)
      globals.append(full)
    }
    if let symbol = PickleSymbol(module: module, name: name) {
      if case .attributeAccess = symbol {
        uncalledAttributeAccesses[Index(nodes.count)] = (full, instruction)
      }
      return try push(.symbol(symbol))
    }
    guard !PickleSymbol.isDangerous(module: module, name: name) else {
      throw .dangerousGlobal(name: full, offset: instruction)
    }
    guard toleratesUnknownObjects else { throw .global(name: full, offset: instruction) }
    try push(.symbol(.inert(full)))
  }
}
