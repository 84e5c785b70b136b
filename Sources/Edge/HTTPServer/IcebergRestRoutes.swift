// The Iceberg REST catalog, read-only: what pyiceberg, DuckDB, Polars, Spark and Trino ask to find and read tables.
// Iceberg's open-api/rest-catalog-open-api.yaml.
//
//   GET  /iceberg/v1/config                                    what this catalog offers
//   POST /iceberg/v1/oauth/tokens                              a token that means nothing: there is no password check
//   GET  /iceberg/v1/namespaces[?parent=]                      domains
//   GET, HEAD .../namespaces/{namespace}
//   GET  .../namespaces/{namespace}/tables                     entities
//   GET, HEAD .../tables/{table}[?snapshots=refs]              the metadata itself; `etag` is uuid and version
//   GET  .../tables/{table}/credentials                        of an object store, when the operator lends them
//   POST .../tables/{table}/metrics                            taken and dropped
//   GET  .../namespaces/{namespace}/views                      none
//
// Everything that writes is 406 in the specification's words. Namespaces have one level. Lists are given whole, so no
// page token ever comes back.

package import Bedrock
import JSONTape

/// A table as the catalog gives it out.
package struct IcebergRestTable: Sendable {
  package let uuid: String
  /// The Delta version it was made from.
  package let version: Int64
  package let metadataLocation: String
  /// The metadata as JSON text, with all snapshots or with the referenced ones only.
  package let metadata: @Sendable (_ onlyReferenced: Bool) -> [UInt8]

  package init(
    uuid: String, version: Int64, metadataLocation: String,
    metadata: @escaping @Sendable (_ onlyReferenced: Bool) -> [UInt8]
  ) {
    self.uuid = uuid
    self.version = version
    self.metadataLocation = metadataLocation
    self.metadata = metadata
  }
}

/// What the routes need of the lake. Calls block.
package protocol IcebergRestSource: Sendable {
  func namespaces() throws(Fault) -> [String]
  /// Nil when there is no such namespace.
  func tables(namespace: String) throws(Fault) -> [String]?
  /// The table at its newest version; nil when there is none.
  func load(namespace: String, table: String) throws(Fault) -> IcebergRestTable?
  /// Properties with which a client reads the files (`s3.endpoint` ...), secrets included if they are lent.
  var storage: IcebergRestStorage { get }
}

/// How clients reach the data files.
package struct IcebergRestStorage: Sendable {
  /// Locations that begin with this are read with `credentials`.
  package let prefix: String
  /// Properties without secrets.
  package let properties: [String: String]
  /// Nil when the operator lends none.
  package let credentials: [String: String]?
  package init(prefix: String, properties: [String: String] = [:], credentials: [String: String]? = nil) {
    self.prefix = prefix
    self.properties = properties
    self.credentials = credentials
  }
}

package struct IcebergRestRoutes: Sendable {
  private static let root = "/iceberg/v1"
  private static let readMethods = ["GET", "HEAD"]
  private let source: any IcebergRestSource

  package init(_ source: any IcebergRestSource) { self.source = source }

  package var routes: [HTTPRoute] { reading + refused }

  private var reading: [HTTPRoute] {
    let root = Self.root
    let one = "\(root)/namespaces/{namespace}"
    var routes = [
      HTTPRoute("GET", "\(root)/config", isImmediate: true) { _ in Self.config },
      HTTPRoute("POST", "\(root)/oauth/tokens", isImmediate: true) { _ in Self.token },
      HTTPRoute("GET", "\(root)/namespaces") { (call) throws(Fault) in try namespaces(call) },
      HTTPRoute("GET", "\(one)/tables") { (call) throws(Fault) in try tables(call) },
      HTTPRoute("GET", "\(one)/views") { (call) throws(Fault) in try views(call) },
      HTTPRoute("GET", "\(one)/tables/{table}/credentials") { (call) throws(Fault) in try credentials(call) },
      HTTPRoute("POST", "\(one)/tables/{table}/metrics", isImmediate: true) { _ in .noContent },
    ]
    routes.append(HTTPRoute("GET", one) { (call) throws(Fault) in try namespace(call) })
    routes.append(HTTPRoute("HEAD", one) { (call) throws(Fault) in try exists(namespace(call)) })
    routes.append(HTTPRoute("GET", "\(one)/tables/{table}") { (call) throws(Fault) in try load(call) })
    routes.append(HTTPRoute("HEAD", "\(one)/tables/{table}") { (call) throws(Fault) in try tableExists(call) })
    return routes
  }

  /// What writes, or plans scans for the client.
  private var refused: [HTTPRoute] {
    let root = Self.root
    let one = "\(root)/namespaces/{namespace}"
    let writes = [
      ("POST", "\(root)/namespaces"), ("DELETE", one), ("POST", "\(one)/properties"), ("POST", "\(one)/tables"),
      ("POST", "\(one)/register"), ("POST", "\(one)/views"), ("POST", "\(one)/register-view"),
      ("POST", "\(one)/tables/{table}"), ("DELETE", "\(one)/tables/{table}"),
      ("POST", "\(one)/tables/{table}/unregister"), ("POST", "\(one)/tables/{table}/plan"),
      ("POST", "\(one)/tables/{table}/tasks"), ("POST", "\(one)/tables/{table}/sign"),
      ("POST", "\(one)/views/{view}"), ("DELETE", "\(one)/views/{view}"), ("POST", "\(root)/tables/rename"),
      ("POST", "\(root)/views/rename"), ("POST", "\(root)/transactions/commit"),
    ]
    return writes.map { method, pattern in
      HTTPRoute(method, pattern, isImmediate: true) { _ in
        .error(
          406, "UnsupportedOperationException",
          "this catalog is read-only: Cramped writes its tables itself, from events and by SQL")
      }
    }
  }

  // MARK: Configuration

  private static let config: HTTPAnswer = object { writer in
    writer.key("defaults")
    writer.beginObject()
    writer.endObject()
    writer.key("overrides")
    writer.beginObject()
    writer.endObject()
    writer.key("endpoints")
    writer.beginArray()
    let one = "/v1/{prefix}/namespaces/{namespace}"
    for endpoint in [
      "GET /v1/{prefix}/namespaces", "GET \(one)", "HEAD \(one)", "GET \(one)/tables", "GET \(one)/tables/{table}",
      "HEAD \(one)/tables/{table}", "GET \(one)/tables/{table}/credentials", "POST \(one)/tables/{table}/metrics",
      "GET \(one)/views",
    ] { writer.value(endpoint) }
    writer.endArray()
  }

  private static let token: HTTPAnswer = object { writer in
    writer.key("access_token")
    writer.value("anonymous")
    writer.key("token_type")
    writer.value("bearer")
    writer.key("expires_in")
    writer.value(Int64(86_400))
    writer.key("issued_token_type")
    writer.value("urn:ietf:params:oauth:token-type:access_token")
  }

  private static func object(_ body: (inout JSONWriter) -> Void) -> HTTPAnswer {
    var writer = JSONWriter()
    writer.beginObject()
    body(&writer)
    writer.endObject()
    return .json(200, writer.bytes)
  }

  // MARK: Namespaces

  private static func noNamespace(_ name: String) -> HTTPAnswer {
    .error(404, "NoSuchNamespaceException", "there is no namespace \"\(name.prefix(200))\"")
  }

  private static func noTable(_ call: HTTPCall) -> HTTPAnswer {
    let name = "\(call.parameter("namespace").prefix(100)).\(call.parameter("table").prefix(100))"
    return .error(404, "NoSuchTableException", "there is no table \"\(name)\" in the lake")
  }

  private func namespaces(_ call: HTTPCall) throws(Fault) -> HTTPAnswer {
    var names = try source.namespaces()
    if let parent = call.query["parent"], !parent.isEmpty {
      guard names.contains(parent) else { return Self.noNamespace(parent) }
      // Namespaces have one level.
      names = []
    }
    return Self.object { writer in
      writer.key("namespaces")
      writer.beginArray()
      for name in names {
        writer.beginArray()
        writer.value(name)
        writer.endArray()
      }
      writer.endArray()
    }
  }

  private func namespace(_ call: HTTPCall) throws(Fault) -> HTTPAnswer {
    let name = call.parameter("namespace")
    guard try source.namespaces().contains(name) else { return Self.noNamespace(name) }
    return Self.object { writer in
      writer.key("namespace")
      writer.beginArray()
      writer.value(name)
      writer.endArray()
      writer.key("properties")
      writer.beginObject()
      writer.endObject()
    }
  }

  private func exists(_ answer: HTTPAnswer) -> HTTPAnswer { answer.status == 200 ? .noContent : answer }

  // MARK: Tables

  private func tables(_ call: HTTPCall) throws(Fault) -> HTTPAnswer {
    let namespace = call.parameter("namespace")
    guard let tables = try source.tables(namespace: namespace) else { return Self.noNamespace(namespace) }
    return Self.object { writer in
      writer.key("identifiers")
      writer.beginArray()
      for table in tables {
        writer.beginObject()
        writer.key("namespace")
        writer.beginArray()
        writer.value(namespace)
        writer.endArray()
        writer.key("name")
        writer.value(table)
        writer.endObject()
      }
      writer.endArray()
    }
  }

  private func views(_ call: HTTPCall) throws(Fault) -> HTTPAnswer {
    let namespace = call.parameter("namespace")
    guard try source.namespaces().contains(namespace) else { return Self.noNamespace(namespace) }
    return Self.object { writer in
      writer.key("identifiers")
      writer.beginArray()
      writer.endArray()
    }
  }

  private func tableExists(_ call: HTTPCall) throws(Fault) -> HTTPAnswer {
    let tables = try source.tables(namespace: call.parameter("namespace")) ?? []
    return tables.contains(call.parameter("table")) ? .noContent : Self.noTable(call)
  }

  private func load(_ call: HTTPCall) throws(Fault) -> HTTPAnswer {
    guard
      let table = try source.load(namespace: call.parameter("namespace"), table: call.parameter("table"))
    else { return Self.noTable(call) }
    let onlyReferenced = call.query["snapshots"] == "refs"
    let tag = "\"\(table.uuid)-\(table.version)\(onlyReferenced ? "-refs" : "")\""
    if call.headers["if-none-match"] == tag { return HTTPAnswer(status: 304, headers: [("etag", tag)]) }
    var writer = JSONWriter(capacity: 4_096)
    writer.beginObject()
    writer.key("metadata-location")
    writer.value(table.metadataLocation)
    writer.key("metadata")
    writer.value(json: String(decoding: table.metadata(onlyReferenced), as: UTF8.self))
    writer.key("config")
    let storage = source.storage
    Self.write(storage.properties.merging(storage.credentials ?? [:]) { $1 }, &writer)
    if let credentials = storage.credentials { Self.write(credentials, of: storage, &writer) }
    writer.endObject()
    var answer = HTTPAnswer.json(200, writer.bytes)
    answer.headers.append((name: "etag", value: tag))
    return answer
  }

  private func credentials(_ call: HTTPCall) throws(Fault) -> HTTPAnswer {
    let exists = try tableExists(call)
    guard exists.status == 204 else { return exists }
    let storage = source.storage
    var writer = JSONWriter()
    writer.beginObject()
    Self.write(storage.credentials, of: storage, &writer)
    writer.endObject()
    return .json(200, writer.bytes)
  }

  private static func write(
    _ credentials: [String: String]?, of storage: IcebergRestStorage, _ writer: inout JSONWriter
  ) {
    writer.key("storage-credentials")
    writer.beginArray()
    if let credentials {
      writer.beginObject()
      writer.key("prefix")
      writer.value(storage.prefix)
      writer.key("config")
      write(storage.properties.merging(credentials) { $1 }, &writer)
      writer.endObject()
    }
    writer.endArray()
  }

  private static func write(_ map: [String: String], _ writer: inout JSONWriter) {
    writer.beginObject()
    for (key, value) in map.sorted(by: { $0.key < $1.key }) {
      writer.key(key)
      writer.value(value)
    }
    writer.endObject()
  }
}
