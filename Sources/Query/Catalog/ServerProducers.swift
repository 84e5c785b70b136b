// Rows about the server and its sessions: databases, roles, settings, activity.

import Columnar
import Functions

extension RowProducers {
  static func databases(_ context: FunctionContext) -> [Chunk] {
    var rows = blank("pg_database", count: 1)
    rows.set("oid", integer: CatalogOIDs.database)
    rows.set("datname", text: context.session.databaseName)
    rows.set("datdba", integer: CatalogOIDs.owner)
    rows.set("encoding", integer: 6)
    rows.set("datlocprovider", text: "c")
    rows.set("datallowconn", boolean: true)
    rows.set("datconnlimit", integer: -1)
    rows.set("datfrozenxid", integer: 3)
    rows.set("datminmxid", integer: 1)
    rows.set("dattablespace", integer: 1_663)
    rows.set("datcollate", text: "C.UTF-8")
    rows.set("datctype", text: "C.UTF-8")
    return rows.chunks()
  }

  static let tablespaces: [Chunk] = {
    var rows = blank("pg_tablespace", count: 2)
    rows.set("oid", integers: [1_663, 1_664])
    rows.set("spcname", texts: ["pg_default", "pg_global"])
    rows.set("spcowner", integer: CatalogOIDs.owner)
    return rows.chunks()
  }()

  // MARK: Roles

  static func roleList(_ catalog: DatabaseCatalog, _ context: FunctionContext) -> [RoleDescription] {
    let roles = catalog.server.roles()
    if !roles.isEmpty { return roles }
    return [RoleDescription(oid: UInt32(CatalogOIDs.owner), name: context.session.userName, isSuperuser: true)]
  }

  static func ownerName(_ catalog: DatabaseCatalog, _ context: FunctionContext) -> String {
    let roles = roleList(catalog, context)
    return roles.first { Int64($0.oid) == CatalogOIDs.owner }?.name ?? context.session.userName
  }

  static func roles(
    _ catalog: DatabaseCatalog, _ context: FunctionContext, _ name: String, prefix: String
  ) -> [Chunk] {
    let roles = roleList(catalog, context)
    var rows = blank(name, count: roles.count)
    rows.set("oid", oids: roles.map(\.oid))
    rows.set("rolname", texts: roles.map(\.name))
    rows.set("rolsuper", booleans: roles.map(\.isSuperuser))
    rows.set("rolinherit", boolean: true)
    rows.set("rolcreaterole", booleans: roles.map(\.isSuperuser))
    rows.set("rolcreatedb", booleans: roles.map(\.isSuperuser))
    rows.set("rolcanlogin", boolean: true)
    rows.set("rolreplication", boolean: false)
    rows.set("rolbypassrls", booleans: roles.map(\.isSuperuser))
    rows.set("rolconnlimit", integer: -1)
    if name == "pg_roles" { rows.set("rolpassword", text: "********") }
    return rows.chunks()
  }

  static func users(_ catalog: DatabaseCatalog, _ context: FunctionContext, _ name: String) -> [Chunk] {
    let roles = roleList(catalog, context)
    var rows = blank(name, count: roles.count)
    rows.set("usename", texts: roles.map(\.name))
    rows.set("usesysid", oids: roles.map(\.oid))
    rows.set("usecreatedb", booleans: roles.map(\.isSuperuser))
    rows.set("usesuper", booleans: roles.map(\.isSuperuser))
    rows.set("userepl", boolean: false)
    rows.set("usebypassrls", booleans: roles.map(\.isSuperuser))
    if name == "pg_user" { rows.set("passwd", text: "********") }
    return rows.chunks()
  }

  // MARK: Settings

  private static let settingTable = StaticTable(StaticTables.settings)

  /// The settings that PostgreSQL describes and the session has.
  static func settings(_ context: FunctionContext) -> [Chunk] {
    guard let name = settingTable.column("name") else { preconditionFailure("settings without names") }
    let values = settingTable.rows.map { row in row[name].flatMap { context.session.setting($0) } }
    var present: [String] = []
    for value in values { if let value { present.append(value) } }
    var index = 0
    var rows = settingTable.rows(of: .required("pg_catalog", "pg_settings")) { _ in
      defer { index += 1 }
      return values[index] != nil
    }
    rows.set("setting", texts: present)
    rows.set("reset_val", texts: present)
    rows.set("source", text: "default")
    rows.set("pending_restart", boolean: false)
    return rows.chunks()
  }

  static func timeZones(_ context: FunctionContext) -> [Chunk] {
    let zones = ZoneDatabase.names.compactMap { SessionTimeZone(named: $0) }
    let now = context.transactionMicros
    var rows = blank("pg_timezone_names", count: zones.count)
    rows.set("name", texts: zones.map(\.name))
    rows.set("abbrev", texts: zones.map { $0.abbreviation(at: now) })
    rows.set(
      "utc_offset",
      scalars: zones.map { .interval(Interval(micros: Int64($0.offsetSeconds(at: now)) * 1_000_000)) })
    rows.set("is_dst", booleans: zones.map { $0.isDaylightSaving(at: now) })
    return rows.chunks()
  }

  // MARK: Sessions

  static func activity(_ catalog: DatabaseCatalog, _ context: FunctionContext) -> [Chunk] {
    let sessions = catalog.server.activity()
    let roles = roleList(catalog, context)
    var rows = blank("pg_stat_activity", count: sessions.count)
    rows.set("datid", integer: CatalogOIDs.database)
    rows.set("datname", text: context.session.databaseName)
    rows.set("pid", integers: sessions.map { Int64($0.pid) })
    rows.set(
      "usesysid", optionalIntegers: sessions.map { session in roles.first { $0.name == session.userName }.map { Int64($0.oid) } })
    rows.set("usename", texts: sessions.map(\.userName))
    rows.set("application_name", texts: sessions.map(\.applicationName))
    rows.set("client_addr", optionalTexts: sessions.map(\.clientAddress))
    rows.set("client_port", integers: sessions.map { Int64($0.clientPort) })
    rows.set("backend_start", integers: sessions.map(\.backendStart))
    rows.set("xact_start", optionalIntegers: sessions.map(\.transactionStart))
    rows.set("query_start", optionalIntegers: sessions.map(\.queryStart))
    rows.set("state_change", integers: sessions.map(\.stateChange))
    rows.set("wait_event_type", optionalTexts: sessions.map { $0.state == "active" ? nil : "Client" })
    rows.set("wait_event", optionalTexts: sessions.map { $0.state == "active" ? nil : "ClientRead" })
    rows.set("state", texts: sessions.map(\.state))
    rows.set("query", texts: sessions.map(\.query))
    rows.set("backend_type", text: "client backend")
    return rows.chunks()
  }
}
