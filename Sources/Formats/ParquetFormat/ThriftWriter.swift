// Thrift compact protocol, writing (layout: ThriftReader.swift). Fields of a struct are written in rising order.

/// Appends thrift structs to a byte array. `begin` and `end` nest.
struct ThriftWriter {
  private(set) var bytes: [UInt8] = []
  private var last: Int16 = 0
  private var stack: [Int16] = []

  private mutating func header(_ id: Int16, _ type: UInt8) {
    precondition(id > last, "thrift fields rise")
    let delta = id - last
    if delta <= 15 {
      bytes.append(UInt8(delta) << 4 | type)
    } else {
      bytes.append(type)
      bytes.append(zigzag: Int64(id))
    }
    last = id
  }

  mutating func boolean(_ id: Int16, _ value: Bool) {
    header(id, value ? ThriftReader.booleanTrue : ThriftReader.booleanFalse)
  }
  mutating func byte(_ id: Int16, _ value: Int8) {
    header(id, ThriftReader.byte)
    bytes.append(UInt8(bitPattern: value))
  }
  mutating func int16(_ id: Int16, _ value: Int16) {
    header(id, ThriftReader.int16)
    bytes.append(zigzag: Int64(value))
  }
  mutating func int32(_ id: Int16, _ value: Int32) {
    header(id, ThriftReader.int32)
    bytes.append(zigzag: Int64(value))
  }
  mutating func int64(_ id: Int16, _ value: Int) {
    header(id, ThriftReader.int64)
    bytes.append(zigzag: Int64(value))
  }
  mutating func binary(_ id: Int16, _ value: [UInt8]) {
    header(id, ThriftReader.binary)
    element(value)
  }
  mutating func string(_ id: Int16, _ value: String) { binary(id, Array(value.utf8)) }

  /// Begins a struct field; `end` closes it.
  mutating func begin(_ id: Int16) {
    header(id, ThriftReader.structure)
    beginElement()
  }
  /// Begins a struct that is a list element or the root.
  mutating func beginElement() {
    stack.append(last)
    last = 0
  }
  mutating func end() {
    bytes.append(0)
    precondition(!stack.isEmpty, "end without begin")
    last = stack.removeLast()
  }
  /// An empty struct, as unions of parquet.thrift use for their cases.
  mutating func empty(_ id: Int16) {
    begin(id)
    end()
  }

  mutating func list(_ id: Int16, of type: UInt8, count: Int) {
    header(id, ThriftReader.list)
    if count < 15 {
      bytes.append(UInt8(count) << 4 | type)
    } else {
      bytes.append(0xF0 | type)
      bytes.append(varint: UInt64(count))
    }
  }
  mutating func element(_ value: [UInt8]) {
    bytes.append(varint: UInt64(value.count))
    bytes.append(contentsOf: value)
  }
  mutating func element(_ value: Int) { bytes.append(zigzag: Int64(value)) }
  mutating func element(_ value: Bool) { bytes.append(value ? 1 : 2) }
}
