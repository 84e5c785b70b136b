// SHA-256 and MD5 of a body that is about to be sent.

import Crypto
import NIOCore

struct BodyHash {
  private var hash = SHA256()

  mutating func update(_ buffer: ByteBuffer) {
    buffer.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
  }

  /// Hexadecimal.
  var text: String { Digits.hexadecimal(hash.finalize()) }

  /// The value of Content-MD5, which S3 demands for batch deletes.
  static func md5(_ buffer: ByteBuffer) -> String {
    var hash = Insecure.MD5()
    buffer.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
    return Digits.base64(Array(hash.finalize()))
  }
}
