// The schema of one event: its name, its fields, and where each field lies in a Cap'n Proto message.

import Bedrock
package import Columnar

/// Where a field lies in its Cap'n Proto struct (the encoding specification's data and pointer sections).
package struct CapnpSlot: Hashable, Sendable {
  package enum Kind: UInt8, Sendable {
    case bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64, text, data, enumerant
  }
  package let kind: Kind
  /// In units of the kind's own size inside the data section (bits for bool), or a pointer index.
  package let offset: UInt32
  /// The default value's bits, XORed with what is stored; zero for pointers.
  package let defaultBits: UInt64

  package init(kind: Kind, offset: UInt32, defaultBits: UInt64) {
    self.kind = kind
    self.offset = offset
    self.defaultBits = defaultBits
  }
}

package struct EventField: Hashable, Sendable {
  /// As the schema file writes it: `userId`. This is the key in JSON content.
  package let name: String
  /// As SQL has it: `user_id`.
  package let column: String
  package let type: DataType
  package let slot: CapnpSlot
  package let policy: FieldPolicy
  package let onError: FieldErrorAction
  /// For enums: the enumerants in order of their numbers. The SQL value is the text.
  package let enumerants: [String]

  package init(
    name: String, column: String, type: DataType, slot: CapnpSlot, policy: FieldPolicy, onError: FieldErrorAction,
    enumerants: [String] = []
  ) {
    self.name = name
    self.column = column
    self.type = type
    self.slot = slot
    self.policy = policy
    self.onError = onError
    self.enumerants = enumerants
  }

  /// `userId` -> `user_id`, `HTTPStatus` -> `http_status`.
  package static func columnName(of name: String) -> String {
    var out: [UInt8] = []
    let bytes = Array(name.utf8)
    for (index, byte) in bytes.enumerated() {
      guard UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte else {
        out.append(byte)
        continue
      }
      let previousIsLower = index > 0 && !(UInt8(ascii: "A")...UInt8(ascii: "Z") ~= bytes[index - 1])
      let nextIsLower = index + 1 < bytes.count && UInt8(ascii: "a")...UInt8(ascii: "z") ~= bytes[index + 1]
      if index > 0 && (previousIsLower || nextIsLower) && out.last != UInt8(ascii: "_") { out.append(UInt8(ascii: "_")) }
      out.append(byte | 0x20)
    }
    return String(decoding: out, as: UTF8.self)
  }
}

package struct EventType: Hashable, Sendable {
  package let name: EventName
  package let fields: [EventField]
  /// The 64-bit id of the Cap'n Proto struct.
  package let typeID: UInt64
  /// Where it was declared, for messages: `shop/order.capnp`.
  package let file: String

  package init(name: EventName, fields: [EventField], typeID: UInt64, file: String) {
    self.name = name
    self.fields = fields
    self.typeID = typeID
    self.file = file
  }
}
