// What an S3 store is told: where the bucket is, who asks, and how long and how much at a time.

import Bedrock

/// Settings of one bucket, checked when the store is made.
package struct S3Options: Sendable {
  /// How a bucket is named in a request.
  package enum Addressing: String, Sendable, CaseIterable {
    /// `virtual` on AWS for names that may stand in a host name with TLS, `path` everywhere else.
    case auto
    /// `https://endpoint/bucket/key`
    case path
    /// `https://bucket.endpoint/key`
    case virtual
  }

  /// `https://host[:port]` or `http://host[:port]`; empty: AWS in `region`.
  package var endpoint = ""
  package var region = "us-east-1"
  package var bucket: String
  /// Put before every path, without slashes at its ends; may be empty.
  package var prefix = ""
  package var addressing = Addressing.auto
  package var credentials: S3CredentialSource
  /// A PEM file of the authorities that sign the store's certificate; empty: the system's.
  package var caFile = ""
  /// False: any certificate is taken, which the log says at every start.
  package var verifiesCertificate = true

  /// Bytes of one part of a multipart upload; S3 takes no smaller ones than 5 MiB, the last one apart.
  package var partBytes = 8 * 1_048_576
  /// Parts of one writer under way at once. A writer holds at most one part more than this in memory.
  package var partsInFlightMax = 3
  /// Bytes from which a read is split into ranges of this size that run side by side.
  package var rangeBytes = 8 * 1_048_576
  /// Ranges of one read call under way at once.
  package var rangesInFlightMax = 8
  /// Connections to the endpoint at once.
  package var connectionsMax = 32

  /// Microseconds until a connection must stand.
  package var connectMicrosMax: Int64 = 5_000_000
  /// Microseconds without a byte in either direction after which a request counts as lost.
  package var idleMicrosMax: Int64 = 30_000_000
  /// Microseconds of one try, besides the time that its bytes take at `bytesPerSecondMin`.
  package var attemptMicrosMax: Int64 = 30_000_000
  /// Microseconds of a call with all its tries, besides the time that its bytes take at `bytesPerSecondMin`.
  package var callMicrosMax: Int64 = 120_000_000
  /// The slowest transfer that is still waited for.
  package var bytesPerSecondMin = 262_144
  /// First and longest pause between two tries; each is drawn evenly from zero to its bound, which doubles.
  package var backoffMicrosMin: Int64 = 50_000
  package var backoffMicrosMax: Int64 = 5_000_000
  /// Seed of the pauses; nil takes one from the system.
  package var seed: UInt64?

  package init(bucket: String, credentials: S3CredentialSource) {
    self.bucket = bucket
    self.credentials = credentials
  }

  /// Smallest part that S3 takes, the last one of an upload apart.
  package static let partBytesMin = 5 * 1_048_576
  /// Most parts of one upload.
  static let partsMax = 10_000
  /// Most keys of one listing page and of one batch delete.
  static let keysMax = 1_000
  /// Bytes of a key at most.
  static let keyBytesMax = 1_024
  /// Bytes of an XML answer at most: 1,000 keys, each byte percent-encoded, and what stands around them.
  static let documentBytesMax = 8 * 1_048_576
  /// Bytes kept of the answer to a refused request.
  static let refusalBytesMax = 65_536

  /// Throws 22023 for what no store can work with.
  func check() throws(Fault) {
    guard Self.isBucketName(bucket) else {
      throw Fault(
        .invalidParameterValue, "\"\(bucket.prefix(100))\" is not the name of a bucket",
        hint: "A name has 3 to 63 lower-case letters, digits, hyphens and dots, with a letter or digit at both ends.")
    }
    if !prefix.isEmpty {
      let path = try ObjectPathText.check(prefix)
      guard path.utf8.count <= Self.keyBytesMax / 2 else {
        throw Fault(.invalidParameterValue, "the prefix is over \(Self.keyBytesMax / 2) bytes long")
      }
    }
    guard !region.isEmpty, region.utf8.allSatisfy(Self.isHostByte), region.utf8.count <= 64 else {
      throw Fault(.invalidParameterValue, "\"\(region.prefix(100))\" is not a region", hint: "For example eu-central-1.")
    }
    precondition(partBytes >= Self.partBytesMin && partBytes <= 1 << 30, "parts are at least 5 MiB")
    precondition(partsInFlightMax >= 1 && rangesInFlightMax >= 1 && rangeBytes >= 65_536 && connectionsMax >= 1)
    precondition(connectMicrosMax > 0 && idleMicrosMax > 0 && attemptMicrosMax > 0 && callMicrosMax > 0)
    precondition(backoffMicrosMin > 0 && backoffMicrosMin <= backoffMicrosMax && bytesPerSecondMin > 0)
  }

  private static func isHostByte(_ byte: UInt8) -> Bool {
    (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
  }

  private static func isBucketName(_ name: String) -> Bool {
    guard (3...63).contains(name.utf8.count), let first = name.utf8.first, let last = name.utf8.last else { return false }
    let dash = UInt8(ascii: "-")
    return name.utf8.allSatisfy { isHostByte($0) || $0 == UInt8(ascii: ".") } && isHostByte(first) && first != dash
      && isHostByte(last) && last != dash && !name.utf8.elementsEqual("..".utf8) && !name.contains("..")
  }

  /// Microseconds that `bytes` take at the slowest rate that is waited for.
  func transferMicros(_ bytes: Int) -> Int64 {
    let (seconds, rest) = bytes.quotientAndRemainder(dividingBy: bytesPerSecondMin)
    return Int64(seconds) * 1_000_000 + Int64(rest) * 1_000_000 / Int64(bytesPerSecondMin)
  }
}
