// One line of a commit to one action. Members we do not know are ignored, as the protocol asks.

import Bedrock
import JSONTape

enum DeltaActionReader {
  /// Nil for actions that carry no state of the table.
  static func action(_ root: JSONValue) throws(Fault) -> DeltaAction? {
    guard let object = root.object else { throw wrong("an action is an object") }
    var result: DeltaAction?
    for field in object {
      guard result == nil else { throw wrong("a line holds one action") }
      guard let body = field.value.object else {
        if field.value.isNull { continue }
        throw wrong("the body of an action is an object")
      }
      result = try action(named: field.key, body)
    }
    return result
  }

  /// The sidecar that a line of a v2 checkpoint names; nil for other lines.
  static func sidecar(_ root: JSONValue) throws(Fault) -> DeltaSidecar? {
    guard let body = root.object?.value(of: "sidecar")?.object else { return nil }
    guard let path = body.value(of: "path")?.text else { throw wrong("sidecar has no path") }
    let size = body.value(of: "sizeInBytes")?.int64 ?? 0
    // Sidecars lie in one folder, whatever their path says.
    return DeltaSidecar(path: DeltaPath.name(try DeltaPath.decode(path.string)), byteCount: size)
  }

  private static func action(named name: JSONText, _ body: JSONObject) throws(Fault) -> DeltaAction? {
    if name == "add" { return .add(try add(body)) }
    if name == "remove" { return .remove(try remove(body)) }
    if name == "txn" { return .transaction(try transaction(body)) }
    if name == "commitInfo" { return .commitInfo(try commitInfo(body)) }
    if name == "domainMetadata" { return .domainMetadata(try domainMetadata(body)) }
    if name == "metaData" { return .metadata(try metadata(body)) }
    if name == "protocol" { return .protocolVersion(try protocolVersion(body)) }
    return nil
  }

  // MARK: Actions

  private static func add(_ body: JSONObject) throws(Fault) -> DeltaAdd {
    var path: String?
    var size: Int64?
    var add = DeltaAdd(path: "", size: 0, modificationTime: 0)
    for field in body where !field.value.isNull {
      let key = field.key, value = field.value
      if key == "path" {
        path = try DeltaPath.decode(text(value, "add.path"))
      } else if key == "size" {
        size = try nonNegative(value, "add.size")
      } else if key == "modificationTime" {
        add.modificationTime = try integer(value, "add.modificationTime")
      } else if key == "dataChange" {
        add.dataChange = try boolean(value, "add.dataChange")
      } else if key == "stats" {
        add.stats = try text(value, "add.stats")
      } else if key == "partitionValues" {
        add.partitionValues = try nullableMap(value, "add.partitionValues")
      } else if key == "tags" {
        add.tags = try nullableMap(value, "add.tags")
      } else if key == "deletionVector" {
        add.deletionVector = try deletionVector(value)
      }
    }
    guard let path else { throw wrong("add has no path") }
    guard let size else { throw wrong("add has no size") }
    add.path = path
    add.size = size
    return add
  }

  private static func remove(_ body: JSONObject) throws(Fault) -> DeltaRemove {
    var path: String?
    var remove = DeltaRemove(path: "", deletionTimestamp: nil, dataChange: true)
    for field in body where !field.value.isNull {
      let key = field.key, value = field.value
      if key == "path" {
        path = try DeltaPath.decode(text(value, "remove.path"))
      } else if key == "deletionTimestamp" {
        remove.deletionTimestamp = try integer(value, "remove.deletionTimestamp")
      } else if key == "dataChange" {
        remove.dataChange = try boolean(value, "remove.dataChange")
      } else if key == "size" {
        remove.size = try nonNegative(value, "remove.size")
      } else if key == "deletionVector" {
        remove.deletionVector = try deletionVector(value)
      }
    }
    guard let path else { throw wrong("remove has no path") }
    remove.path = path
    return remove
  }

  private static func deletionVector(_ value: JSONValue) throws(Fault) -> DeltaDeletionVector {
    guard let body = value.object else { throw wrong("deletionVector is an object") }
    var vector = DeltaDeletionVector(storageType: "", pathOrInlineDv: "", offset: nil, sizeInBytes: 0, cardinality: 0)
    for field in body where !field.value.isNull {
      if field.key == "storageType" {
        vector.storageType = try text(field.value, "deletionVector.storageType")
      } else if field.key == "pathOrInlineDv" {
        vector.pathOrInlineDv = try text(field.value, "deletionVector.pathOrInlineDv")
      } else if field.key == "offset" {
        vector.offset = try narrow(field.value, "deletionVector.offset")
      } else if field.key == "sizeInBytes" {
        vector.sizeInBytes = try narrow(field.value, "deletionVector.sizeInBytes")
      } else if field.key == "cardinality" {
        vector.cardinality = try nonNegative(field.value, "deletionVector.cardinality")
      }
    }
    guard ["u", "i", "p"].contains(vector.storageType) else { throw wrong("deletionVector.storageType is unknown") }
    return vector
  }

  private static func transaction(_ body: JSONObject) throws(Fault) -> DeltaTransaction {
    var appID: String?
    var version: Int64?
    var lastUpdated: Int64?
    for field in body where !field.value.isNull {
      if field.key == "appId" {
        appID = try text(field.value, "txn.appId")
      } else if field.key == "version" {
        version = try integer(field.value, "txn.version")
      } else if field.key == "lastUpdated" {
        lastUpdated = try integer(field.value, "txn.lastUpdated")
      }
    }
    guard let appID, let version else { throw wrong("txn has no appId or no version") }
    return DeltaTransaction(appID: appID, version: version, lastUpdated: lastUpdated)
  }

  /// commitInfo is free-form: members of an unexpected form are ignored but for the in-commit timestamp.
  private static func commitInfo(_ body: JSONObject) throws(Fault) -> DeltaCommitInfo {
    var info = DeltaCommitInfo()
    for field in body where !field.value.isNull {
      if field.key == "timestamp" {
        info.timestamp = field.value.int64
      } else if field.key == "inCommitTimestamp" {
        info.inCommitTimestamp = try integer(field.value, "commitInfo.inCommitTimestamp")
      } else if field.key == "operation" {
        info.operation = field.value.text?.string
      } else if field.key == "engineInfo" {
        info.engineInfo = field.value.text?.string
      } else if field.key == "txnId" {
        info.txnID = field.value.text?.string
      } else if field.key == "operationParameters", let parameters = field.value.object {
        for parameter in parameters {
          if let value = parameter.value.text { info.operationParameters[parameter.key.string] = value.string }
        }
      }
    }
    return info
  }

  private static func domainMetadata(_ body: JSONObject) throws(Fault) -> DeltaDomainMetadata {
    var domain: String?
    var result = DeltaDomainMetadata(domain: "", configuration: "")
    for field in body where !field.value.isNull {
      if field.key == "domain" {
        domain = try text(field.value, "domainMetadata.domain")
      } else if field.key == "configuration" {
        result.configuration = try text(field.value, "domainMetadata.configuration")
      } else if field.key == "removed" {
        result.removed = try boolean(field.value, "domainMetadata.removed")
      }
    }
    guard let domain else { throw wrong("domainMetadata has no domain") }
    result.domain = domain
    return result
  }

  private static func metadata(_ body: JSONObject) throws(Fault) -> DeltaMetadata {
    var id: String?
    var schema: String?
    var result = DeltaMetadata(id: "", schemaString: "")
    for field in body where !field.value.isNull {
      let key = field.key, value = field.value
      if key == "id" {
        id = try text(value, "metaData.id")
      } else if key == "name" {
        result.name = try text(value, "metaData.name")
      } else if key == "description" {
        result.description = try text(value, "metaData.description")
      } else if key == "schemaString" {
        schema = try text(value, "metaData.schemaString")
      } else if key == "partitionColumns" {
        result.partitionColumns = try texts(value, "metaData.partitionColumns")
      } else if key == "configuration" {
        for (name, value) in try nullableMap(value, "metaData.configuration") { result.configuration[name] = value }
      } else if key == "createdTime" {
        result.createdTime = try integer(value, "metaData.createdTime")
      } else if key == "format", let format = value.object?.value(of: "provider") {
        guard format.text.map({ $0 == "parquet" }) == true else {
          throw Fault.unsupported("a Delta table whose files are not Parquet")
        }
      }
    }
    guard let id else { throw wrong("metaData has no id") }
    result.id = id
    result.schemaString = schema ?? ""
    return result
  }

  private static func protocolVersion(_ body: JSONObject) throws(Fault) -> DeltaProtocol {
    var reader: Int64?
    var writer: Int64?
    var result = DeltaProtocol(minReaderVersion: 0, minWriterVersion: 0)
    for field in body where !field.value.isNull {
      if field.key == "minReaderVersion" {
        reader = try nonNegative(field.value, "protocol.minReaderVersion")
      } else if field.key == "minWriterVersion" {
        writer = try nonNegative(field.value, "protocol.minWriterVersion")
      } else if field.key == "readerFeatures" {
        result.readerFeatures = try texts(field.value, "protocol.readerFeatures")
      } else if field.key == "writerFeatures" {
        result.writerFeatures = try texts(field.value, "protocol.writerFeatures")
      }
    }
    guard let reader, let writer else { throw wrong("protocol has no minReaderVersion or no minWriterVersion") }
    result.minReaderVersion = Int(reader)
    result.minWriterVersion = Int(writer)
    return result
  }

  // MARK: Members

  private static func wrong(_ sentence: String) -> Fault { Fault.corrupt(sentence) }

  private static func text(_ value: JSONValue, _ name: StaticString) throws(Fault) -> String {
    guard let text = value.text else { throw wrong("\(name) is not a string") }
    return text.string
  }

  private static func integer(_ value: JSONValue, _ name: StaticString) throws(Fault) -> Int64 {
    guard let integer = value.int64 else { throw wrong("\(name) is not a 64-bit integer") }
    return integer
  }

  private static func nonNegative(_ value: JSONValue, _ name: StaticString) throws(Fault) -> Int64 {
    let integer = try integer(value, name)
    guard integer >= 0 else { throw wrong("\(name) is negative") }
    return integer
  }

  private static func narrow(_ value: JSONValue, _ name: StaticString) throws(Fault) -> Int32 {
    guard let narrow = Int32(exactly: try nonNegative(value, name)) else { throw wrong("\(name) is over 31 bits") }
    return narrow
  }

  private static func boolean(_ value: JSONValue, _ name: StaticString) throws(Fault) -> Bool {
    guard let boolean = value.bool else { throw wrong("\(name) is not a boolean") }
    return boolean
  }

  private static func texts(_ value: JSONValue, _ name: StaticString) throws(Fault) -> [String] {
    guard let array = value.array else { throw wrong("\(name) is not an array") }
    var result: [String] = []
    for element in array { result.append(try text(element, name)) }
    return result
  }

  private static func nullableMap(_ value: JSONValue, _ name: StaticString) throws(Fault) -> [String: String?] {
    guard let object = value.object else { throw wrong("\(name) is not an object") }
    var result: [String: String?] = [:]
    for field in object {
      let text = field.value.isNull ? nil : try text(field.value, name)
      result.updateValue(text, forKey: field.key.string)
    }
    return result
  }
}
