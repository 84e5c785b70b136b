// Payloads of rejected events, sealed before they are stored (they may hold anything).
//
//   version (1 byte, 1) | nonce (12) | ciphertext | tag (16)
//
// AES-256-GCM under the seal key of the domain; the additional data is `error payload/<domain>`, so that a payload cannot be
// moved to another domain. Nonces are random: 2^32 payloads of one domain keep the chance of a repeat under 2^-32.

package import Bedrock
import Crypto

package enum PayloadSeal {
  private static let version: UInt8 = 1
  /// The domain of payloads that name none. No event has it: names begin with a letter.
  package static let unknownDomain = "_unknown"

  /// The sealed form of a payload.
  package static func seal(_ payload: UnsafeRawBufferPointer, _ keys: DomainKeys) -> [UInt8] {
    // `combined` exists for nonces of 12 bytes, which is what `seal` makes; sealing fails for no input of this size.
    guard
      let combined = try? AES.GCM.seal(payload, using: keys.seal, authenticating: additionalData(keys.domain)).combined
    else { preconditionFailure("AES-GCM cannot fail under a 32-byte key") }
    return [version] + combined
  }

  /// The payload. Throws XX001 when the bytes were changed, or sealed for another domain or under another keyring.
  package static func open(_ sealed: [UInt8], _ keys: DomainKeys) throws(Fault) -> [UInt8] {
    guard sealed.first == version else { throw Fault.corrupt("a sealed payload has an unknown version") }
    do {
      let box = try AES.GCM.SealedBox(combined: sealed.dropFirst())
      return [UInt8](try AES.GCM.open(box, using: keys.seal, authenticating: additionalData(keys.domain)))
    } catch { throw Fault.corrupt("a sealed payload does not open under the keys of domain \(keys.domain)") }
  }

  private static func additionalData(_ domain: String) -> [UInt8] { Array("error payload/\(domain)".utf8) }
}
