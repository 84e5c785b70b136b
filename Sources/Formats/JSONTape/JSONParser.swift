// JSON documents read in place.
//
// simdjson turns a document into a tape: one 64-bit word (two for a number) for each value, in document order. Nothing
// is copied into Swift; `JSONValue` is a place on the tape. How callers read it:
//
//   var parser = JSONParser(bytesMax: Limits.eventBytesMax, depthMax: Limits.jsonDepthMax)
//   try parser.parse(bytes) { (root) throws(Fault) in            // root and all it gives die with the closure
//     guard let object = root.object else { ... }
//     for field in object {                                      // JSONField: key, value
//       if field.key == "sequence" { sequence = field.value.int64 }
//       else if field.key == "metadata" { ... field.value.object ... }
//     }
//   }
//
//   JSONValue   kind, isNull, bool, int64, uint64, double, text, object, array, skip() (the index after the value)
//   JSONText    count, bytes, == StaticString, string, containsNUL
//   JSONObject  a sequence of JSONField; value(of: "key"), duplicateKey()
//   JSONArray   a sequence of JSONValue
//   JSONWriter  the other way; `writer.value(someJSONValue)` copies a subtree as canonical text
//
// Invariants: all text is valid UTF-8 (simdjson refuses lone surrogates and bad bytes) but may hold U+0000. `int64` is
// nil for an integer over Int64.max: ask `uint64`. An integer beyond 64 bits and an infinite double are refused whole.
// Reference: simdjson doc/tape.md.

package import Bedrock
import CSimdjson

/// A reusable parser that owns the memory of its last document. Not for sharing between threads.
package struct JSONParser: ~Copyable {
  private let handle: OpaquePointer
  private let bytesMax: Int

  /// A parser that refuses documents of more than `bytesMax` bytes or `depthMax` nested containers.
  package init(bytesMax: Int, depthMax: Int) {
    precondition(bytesMax > 0 && bytesMax < 1 << 32, "simdjson keeps offsets in 32 bits")
    precondition(depthMax > 0 && depthMax <= 1024)
    guard let handle = cramped_json_parser_create(bytesMax, depthMax) else {
      preconditionFailure("no memory for a JSON parser")
    }
    self.handle = handle
    self.bytesMax = bytesMax
  }

  deinit { cramped_json_parser_destroy(handle) }

  /// Parses one document and lends its root to `body`; nothing read from the tape may outlive the call. Throws 22P02 for
  /// text that is not JSON, 22021 for bytes that are not UTF-8, 54000 for more than the maximum.
  package mutating func parse<R>(
    _ bytes: UnsafeRawBufferPointer, _ body: (JSONValue) throws(Fault) -> R
  ) throws(Fault) -> R {
    guard bytes.count <= bytesMax else {
      throw Fault(.programLimitExceeded, "a JSON document of \(bytes.count) bytes is over the maximum of \(bytesMax)")
    }
    guard bytes.count > 0, let start = bytes.bindMemory(to: UInt8.self).baseAddress else {
      throw Fault(.invalidTextRepresentation, "invalid JSON: the document is empty")
    }
    let code = cramped_json_parse(handle, start, bytes.count)
    guard code == 0 else { throw Self.fault(code, bytes) }
    guard let tape = cramped_json_tape(handle), let strings = cramped_json_strings(handle) else {
      throw Fault.bug("simdjson gave no tape")
    }
    precondition(tape[0] >> 56 == UInt64(UInt8(ascii: "r")), "a tape starts with its root")
    return try body(JSONValue(tape: tape, strings: strings, index: 1))
  }

  /// The same over an array of bytes.
  package mutating func parse<R>(
    _ bytes: [UInt8], _ body: (JSONValue) throws(Fault) -> R
  ) throws(Fault) -> R {
    try bytes.withUnsafeBufferPointer { (raw) throws(Fault) in try parse(UnsafeRawBufferPointer(raw), body) }
  }

  private static func fault(_ code: Int32, _ bytes: UnsafeRawBufferPointer) -> Fault {
    if cramped_json_error_is_memory(code) != 0 { return Fault(.outOfMemory, "no memory to parse a JSON document") }
    let reason = cramped_json_error_message(code).map { String(cString: $0) } ?? "unknown"
    if cramped_json_error_is_utf8(code) != 0 {
      return Fault(.characterNotInRepertoire, "invalid JSON: not UTF-8", detail: reason)
    }
    let place = JSONErrorLocator.offset(in: bytes).map { " at byte \($0)" } ?? ""
    return Fault(.invalidTextRepresentation, "invalid JSON\(place)", detail: reason)
  }
}
