// What the fuzzer does with its bytes; the tests replay its findings through the same door.

import Bedrock
import Columnar

package enum WireExercise {
  /// Lets a connection without a session take a client's bytes in pieces, until they cannot be framed.
  package static func client(_ bytes: UnsafeRawBufferPointer, piece: Int) {
    precondition(piece > 0)
    var decoder = FrontendDecoder()
    var state = ConnectionState()
    var at = 0
    do throws(Fault) {
      while at < bytes.count && state.phase != .closed {
        let end = min(at + piece, bytes.count)
        decoder.receive(UnsafeRawBufferPointer(rebasing: bytes[at..<end]))
        at = end
        while state.phase != .closed, let message = try decoder.next() {
          take(message, &state, &decoder)
        }
      }
    } catch { _ = state.broken(error) }
  }

  /// Does what a driver would, with every third request failing.
  private static func take(
    _ message: FrontendMessage, _ state: inout ConnectionState, _ decoder: inout FrontendDecoder
  ) {
    switch state.received(message) {
    case .open:
      decoder.startupAccepted()
      decoder.authenticated()
      precondition(state.opened() == .ready)
    case .perform(.query(let sql)) where sql.utf8.count % 3 == 0: _ = state.failed(.unsupported("this"))
    case .perform(.bind(let bind)):
      do throws(Fault) {
        let formats = try WireFormat.expand(bind.parameterFormats, count: bind.parameters.count, of: "parameter")
        precondition(formats.count == bind.parameters.count)
        _ = state.completed()
      } catch { _ = state.failed(error) }
    case .perform(.query(let sql)) where sql.utf8.count % 5 == 0: state.copyBegan()
    case .perform(.copyData): state.copyBegan()
    case .failCopy(let fault): _ = state.failed(fault)
    case .perform: _ = state.completed()
    case .none, .refuseEncryption, .cancel, .ready, .report, .reportThenReady, .flush, .fatal, .close: break
    }
  }

  /// Decodes a binary value; what it gives must survive the way out and in again.
  package static func value(_ bytes: [UInt8], selector: UInt8) {
    let types = DataType.scalarTypes + DataType.scalarTypes.filter { $0 != .void && $0 != .unknown }.map { .array($0) }
    let type = types[Int(selector) % types.count]
    do throws(Fault) {
      let value = try BinaryForm.decode(bytes, as: type)
      let chunk = Chunk(columns: [Column.constant(value, type: type, count: 1)], rowCount: 1)
      var out = WireBuffer()
      for format in [WireFormat.text, .binary] {
        out.removeAll()
        var encoder = try RowEncoder(chunk, formats: [format], style: TextStyle())
        let written = try encoder.write(into: &out, rowsMax: 1, bytesMax: .max)
        precondition(written == 1)
      }
      // type, length, count and the value's length come before its bytes
      let again = try BinaryForm.decode(Array(out.bytes.dropFirst(11)), as: type)
      precondition(again == value, "a value changed on its way out and in")
    } catch { return }
  }
}
