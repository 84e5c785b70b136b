// The XML documents of S3's interface that we read and write.

import Bedrock
import NIOCore

/// A page of ListObjectsV2.
struct ListPage {
  struct Object: Equatable {
    let key: String
    let size: Int64
    /// When it was last written, microseconds since 1970; nil when the store does not say.
    let modifiedMicros: Int64?
  }
  let objects: [Object]
  /// Keys up to a slash that others go on behind: `CommonPrefixes`.
  let folders: [String]
  /// Where the next page begins; nil on the last.
  let continuation: String?

  /// Throws XX001 for a document that breaks the interface.
  init(parsing body: [UInt8]) throws(Fault) {
    let root = try XMLElement(parsing: body)
    guard root.name == "ListBucketResult" else { throw Self.fault("The root is \(root.name).") }
    let isEncoded = root.text("EncodingType") == "url"
    var objects: [Object] = []
    for element in root.children("Contents") {
      guard let written = element.text("Key"), let key = isEncoded ? S3Endpoint.decoded(written) : written,
        let size = element.text("Size").flatMap({ Int64($0) }), size >= 0
      else { throw Self.fault("An object has no key or no size.") }
      objects.append(
        Object(key: key, size: size, modifiedMicros: element.text("LastModified").flatMap(S3Time.extended)))
    }
    self.objects = objects
    var folders: [String] = []
    for element in root.children("CommonPrefixes") {
      guard let written = element.text("Prefix"), let key = isEncoded ? S3Endpoint.decoded(written) : written else {
        throw Self.fault("A folder has no name.")
      }
      folders.append(key)
    }
    self.folders = folders
    guard root.text("IsTruncated") == "true" else {
      continuation = nil
      return
    }
    guard let next = root.text("NextContinuationToken"), !next.isEmpty else {
      throw Self.fault("A page that is not the last has no continuation.")
    }
    continuation = next
  }

  private static func fault(_ detail: String) -> Fault {
    Fault.corrupt("the object store's listing is not as it should be", detail: detail)
  }
}

enum S3Documents {
  /// The upload's id in the answer to CreateMultipartUpload.
  static func uploadID(_ body: [UInt8]) throws(Fault) -> String {
    let root = try XMLElement(parsing: body)
    guard root.name == "InitiateMultipartUploadResult", let id = root.text("UploadId"), !id.isEmpty else {
      throw Fault.corrupt("the object store began an upload without naming it")
    }
    return id
  }

  /// The body of CompleteMultipartUpload: ETags in the order of their parts.
  static func completion(_ tags: [String]) -> ByteBuffer {
    var text = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    for (index, tag) in tags.enumerated() {
      text += "<Part><PartNumber>\(index + 1)</PartNumber><ETag>\(XMLElement.escaped(tag))</ETag></Part>"
    }
    return ByteBuffer(string: text + "</CompleteMultipartUpload>")
  }

  /// The body of DeleteObjects; only failures are answered.
  static func deletion(_ keys: [String]) -> ByteBuffer {
    var text = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>"
    for key in keys { text += "<Object><Key>\(XMLElement.escaped(key))</Key></Object>" }
    return ByteBuffer(string: text + "</Delete>")
  }

  /// Keys that DeleteObjects could not remove, with the reason.
  static func undeleted(_ body: [UInt8]) throws(Fault) -> [(key: String, code: String)] {
    // A quiet success may have no body at all.
    if body.isEmpty { return [] }
    let root = try XMLElement(parsing: body)
    guard root.name == "DeleteResult" else {
      throw Fault.corrupt("the object store's answer to a delete is not as it should be")
    }
    return root.children("Error").map { ($0.text("Key") ?? "", $0.text("Code") ?? "") }
      .filter { $0.code != "NoSuchKey" }
  }
}
