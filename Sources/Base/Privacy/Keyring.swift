// The keys of a data folder.
//
//   master key    32 random bytes in the file `keyring`, mode 0600
//   domain key    HKDF-SHA256(master, info "domain/<name>/v1")
//   hash key      HKDF-SHA256(domain key, info "hash/v1")      HMAC of hashed fields
//   seal key      HKDF-SHA256(domain key, info "seal/v1")      AES-256-GCM of error payloads
//
// The file is text: a line `cramped keyring 1`, a line `master` and 64 hexadecimal digits. A file that others may read,
// that belongs to somebody else, or that is a link is refused: whoever reads it can undo every hash by guessing.
// Losing it makes hashes of new events differ from old ones and sealed payloads unreadable: back it up apart from data.

package import Bedrock
import Crypto
import Glibc
import Runtime
import Synchronization

/// The keys of one domain.
package struct DomainKeys: Sendable {
  package let domain: String
  let hash: SymmetricKey
  let seal: SymmetricKey
}

package final class Keyring: Sendable {
  private let master: SymmetricKey
  private let known = Mutex<[String: DomainKeys]>([:])
  private static let firstLine = "cramped keyring 1"
  private static let masterBytes = 32
  private static let fileBytesMax = 4_096

  /// A keyring over 32 bytes given, for tests.
  package init(masterKey: [UInt8]) {
    precondition(masterKey.count == Self.masterBytes, "a master key has 32 bytes")
    master = SymmetricKey(data: masterKey)
  }

  /// The keys of a domain. Derived once.
  package func keys(domain: String) -> DomainKeys {
    known.withLock { known in
      if let found = known[domain] { return found }
      let parent = Self.derive(master, "domain/\(domain)/v1")
      let keys = DomainKeys(domain: domain, hash: Self.derive(parent, "hash/v1"), seal: Self.derive(parent, "seal/v1"))
      known[domain] = keys
      return keys
    }
  }

  private static func derive(_ key: SymmetricKey, _ info: String) -> SymmetricKey {
    HKDF<SHA256>.deriveKey(inputKeyMaterial: key, info: Array(info.utf8), outputByteCount: 32)
  }

  // MARK: The file

  /// Opens the keyring file at `path`, or makes it with a random key when there is none. Throws F0000 for a file with
  /// too much permission or another form, 58030 when the disk refuses.
  package static func open(path: String) throws(Fault) -> Keyring {
    if access(path, F_OK) != 0 && errno == ENOENT { try create(path) }
    return try load(path)
  }

  private static func load(_ path: String) throws(Fault) -> Keyring {
    let file = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard file >= 0 else {
      throw Fault(.configFileError, "keyring \"\(path)\" cannot be opened: \(String(cString: strerror(errno)))")
    }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw Fault(.configFileError, "keyring \"\(path)\" is not a regular file")
    }
    guard status.st_mode & 0o077 == 0 else {
      throw Fault(
        .configFileError, "keyring \"\(path)\" may be read or written by others",
        detail: "Its mode is 0\(String(status.st_mode & 0o777, radix: 8)).", hint: "Run: chmod 600 '\(path)'")
    }
    guard status.st_uid == geteuid() else {
      throw Fault(.configFileError, "keyring \"\(path)\" belongs to another user", hint: "Run the server as its owner.")
    }
    var bytes = [UInt8](repeating: 0, count: fileBytesMax)
    let count = read(file, &bytes, bytes.count)
    guard count >= 0 else { throw Fault(.ioError, "keyring \"\(path)\" cannot be read") }
    guard let key = masterKey(String(decoding: bytes[..<count], as: UTF8.self)) else {
      throw Fault(
        .configFileError, "keyring \"\(path)\" does not have the form of a keyring",
        detail: "Expected a line \"\(firstLine)\" and a line \"master\" with 64 hexadecimal digits.",
        hint: "Restore it from a backup. A new key makes hashes differ from those already stored.")
    }
    return Keyring(masterKey: key)
  }

  private static func masterKey(_ text: String) -> [UInt8]? {
    let lines = text.split(separator: "\n")
    guard lines.count == 2, lines[0] == firstLine else { return nil }
    let words = lines[1].split(separator: " ")
    guard words.count == 2, words[0] == "master", words[1].utf8.count == masterBytes * 2 else { return nil }
    let digits = Array(words[1].utf8)
    var key: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(decoding: digits[index...(index + 1)], as: UTF8.self), radix: 16) else { return nil }
      key.append(byte)
    }
    return key
  }

  /// Writes a whole, synced file beside the place and links it in: never a half-written keyring, never one replaced.
  private static func create(_ path: String) throws(Fault) {
    let key = Entropy.bytes(masterBytes)
    let digits = Hexadecimal.text(key)
    let text = Array("\(firstLine)\nmaster \(String(decoding: digits, as: UTF8.self))\n".utf8)
    let draft = "\(path).\(Entropy.word()).new"
    let file = Glibc.open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { throw failure("made", path) }
    defer {
      close(file)
      unlink(draft)
    }
    guard write(file, text, text.count) == text.count, fsync(file) == 0 else { throw failure("written", path) }
    guard link(draft, path) == 0 || errno == EEXIST else { throw failure("made", path) }
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let directory = Glibc.open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw failure("synced", path) }
    defer { close(directory) }
    guard fsync(directory) == 0 else { throw failure("synced", path) }
  }

  private static func failure(_ verb: String, _ path: String) -> Fault {
    Fault(.ioError, "keyring \"\(path)\" cannot be \(verb): \(String(cString: strerror(errno)))")
  }
}
