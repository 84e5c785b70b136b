import Bedrock
import Columnar
import EventSchema
import Foundation
import Privacy
import Testing

private let master = [UInt8](0..<32)

private func bytes(_ values: [String?]) -> Column {
  var builder = ColumnBuilder(type: .bytea, capacity: values.count)
  for value in values { if let value { builder.append(value) } else { builder.appendNull() } }
  return builder.finish()
}

private func folder() throws -> String {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("privacy-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
  return path.path
}

@Suite struct FieldHashingTests {
  let keys = Keyring(masterKey: master).keys(domain: "user")

  /// Expected values come from Python's hmac, hashlib and an HKDF written from RFC 5869.
  @Test func knownAnswers() {
    let column = bytes(["ada@example.org", nil, ""])
    let keyed = FieldHashing.hash(column, .sha256, keys)
    #expect(keyed.scalar(at: 0).text == "2279023dca5bc94716c9e24a95cb48360f9c23ea481bf35aff9d32730b8c5c36")
    #expect(keyed.isNull(at: 1))
    #expect(keyed.scalar(at: 2).text == "dc0596bfe0ee3f646bd0985120670d5d7abbb3b1d7efe6f2848cd3210c851f9a")
    let plain = FieldHashing.hash(column, .sha256Plain, keys)
    #expect(plain.scalar(at: 0).text == "cfe00dde46ef942601ffafb9e2825e802858b460e586b8305b344c1eb826357d")
    #expect(plain.scalar(at: 2).text == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    let long = FieldHashing.hash(column, .sha512, keys)
    #expect(long.scalar(at: 0).text == "05e72275dac60cadeec336ad717f33aa2c158561e978548396b05a6f6f4c82d5"
        + "6a8cb638bbd0a992ba4fe5e967eec502e7b44ee7c963cd4ccf9651b0b672eed4")
  }

  @Test func domainsDiffer() {
    let other = Keyring(masterKey: master).keys(domain: "shop")
    let column = bytes(["x"])
    #expect(FieldHashing.hash(column, .sha256, keys).scalar(at: 0) != FieldHashing.hash(column, .sha256, other).scalar(at: 0))
    #expect(
      FieldHashing.hash(column, .sha256Plain, keys).scalar(at: 0)
        == FieldHashing.hash(column, .sha256Plain, other).scalar(at: 0))
  }

  @Test func constantAndDictionaryFormsHashAlike() {
    let flat = bytes(["a", "a", "a"])
    let constant = Column.constant(.text("a"), type: .bytea, count: 3)
    let want = FieldHashing.hash(flat, .sha256, keys).scalar(at: 2)
    #expect(FieldHashing.hash(constant, .sha256, keys).scalar(at: 2) == want)
  }

  @Test func placeFillsTheRowsAndKeepsTheRest() {
    let base = bytes(["p", nil, nil, "q", nil]).retyped(.text)
    let new = bytes(["x", nil]).retyped(.text)
    let out = FieldHashing.place(new, rows: [1, 4], in: base)
    #expect((0..<5).map { out.scalar(at: $0).text } == ["p", "x", nil, "q", nil])
    let all = FieldHashing.place(bytes(["a", "b"]), rows: [0, 1], in: bytes([nil, nil]).retyped(.text))
    #expect(all.type == .text && all.scalar(at: 1).text == "b")
  }

  @Test func policies() {
    let column = bytes(["a"])
    #expect(FieldPolicies.apply(.drop, to: column, keys) == nil)
    #expect(FieldPolicies.apply(.tokenize, to: column, keys)?.isNull(at: 0) == true)
    #expect(FieldPolicies.apply(.encrypt, to: column, keys)?.isNull(at: 0) == true)
    #expect(FieldPolicies.apply(.id, to: column, keys)?.scalar(at: 0) == .text("a"))
    #expect(FieldPolicies.apply(.hash(.sha256), to: column, keys)?.scalar(at: 0).text?.utf8.count == 64)
  }
}

@Suite struct KeyringTests {
  @Test func madeOnceWithModeAndReadBack() throws {
    let path = try folder() + "/keyring"
    let first = try Keyring.open(path: path)
    var status = stat()
    #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    let second = try Keyring.open(path: path)
    let column = bytes(["x"])
    #expect(
      FieldHashing.hash(column, .sha256, first.keys(domain: "a")).scalar(at: 0)
        == FieldHashing.hash(column, .sha256, second.keys(domain: "a")).scalar(at: 0))
    let other = try Keyring.open(path: try folder() + "/keyring")
    #expect(
      FieldHashing.hash(column, .sha256, first.keys(domain: "a")).scalar(at: 0)
        != FieldHashing.hash(column, .sha256, other.keys(domain: "a")).scalar(at: 0))
    #expect(try FileManager.default.contentsOfDirectory(atPath: (path as NSString).deletingLastPathComponent) == ["keyring"])
  }

  @Test(arguments: [0o644, 0o640, 0o606, 0o660])
  func looseModesAreRefused(mode: Int) throws {
    let path = try folder() + "/keyring"
    _ = try Keyring.open(path: path)
    chmod(path, mode_t(mode))
    let fault = #expect(throws: Fault.self) { try Keyring.open(path: path) }
    #expect(fault?.state == .configFileError && fault?.hint?.contains("chmod 600") == true)
  }

  @Test(arguments: ["", "cramped keyring 1\nmaster 00\n", "cramped keyring 2\nmaster \(String(repeating: "0", count: 64))\n"])
  func damagedFilesAreRefused(text: String) throws {
    let path = try folder() + "/keyring"
    #expect(FileManager.default.createFile(atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600]))
    #expect(throws: Fault.self) { try Keyring.open(path: path) }
  }

  @Test func linksAreRefused() throws {
    let base = try folder()
    _ = try Keyring.open(path: base + "/real")
    #expect(symlink(base + "/real", base + "/keyring") == 0)
    #expect(throws: Fault.self) { try Keyring.open(path: base + "/keyring") }
  }
}

@Suite struct PayloadSealTests {
  let ring = Keyring(masterKey: master)

  private func seal(_ payload: [UInt8], _ domain: String) -> [UInt8] {
    payload.withUnsafeBytes { PayloadSeal.seal($0, ring.keys(domain: domain)) }
  }

  @Test func roundTrip() throws {
    for payload in [[], Array("secret ada".utf8), [UInt8](repeating: 7, count: 100_000)] as [[UInt8]] {
      let sealed = seal(payload, "user")
      #expect(sealed.count == payload.count + 29)
      #expect(try PayloadSeal.open(sealed, ring.keys(domain: "user")) == payload)
      #expect(sealed != seal(payload, "user"))
    }
  }

  @Test func changedOrForeignBytesDoNotOpen() {
    var sealed = seal(Array("secret".utf8), "user")
    #expect(throws: Fault.self) { try PayloadSeal.open(sealed, ring.keys(domain: "shop")) }
    sealed[20] ^= 1
    #expect(throws: Fault.self) { try PayloadSeal.open(sealed, ring.keys(domain: "user")) }
    #expect(throws: Fault.self) { try PayloadSeal.open([], ring.keys(domain: "user")) }
    #expect(throws: Fault.self) { try PayloadSeal.open([1, 2, 3], ring.keys(domain: "user")) }
  }
}
