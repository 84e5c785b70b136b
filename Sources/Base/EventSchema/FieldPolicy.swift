// What happens to a field before anything is stored (DESIGN.md section 5). Read from the annotations of a schema file.

import Bedrock

package enum HashAlgorithm: String, Sendable, Hashable {
  /// HMAC-SHA-256 under the domain's key, as 64 hexadecimal characters. Written `hash(sha256)`.
  case sha256
  /// The bare digest, for joins with other systems. Written `hash(sha256Plain)`.
  case sha256Plain
  /// HMAC-SHA-512 under the domain's key.
  case sha512
}

package enum FieldPolicy: Sendable, Hashable {
  /// No annotation, or `$Metadata.none`: stored as it is.
  case keep
  /// The data subject of the event. Stored as it is, carries no statistics.
  case id
  case hash(HashAlgorithm)
  /// A stable token per value and domain. Until the vault exists such a field is dropped, and the start log says so.
  case tokenize
  /// Sealed under the subject's key. Until the keyring has subject keys such a field is dropped likewise.
  case encrypt
  case drop

  /// True when the stored value still belongs to a person: no statistics, no bloom filter, no shared dictionary.
  package var isPersonal: Bool { self != .keep }
}

/// What a value that breaks its type does to its event.
package enum FieldErrorAction: String, Sendable, Hashable {
  case reject
  case null
}
