// What the server adds to the catalog: relations that it computes, roles, running sessions.

package import Plan

/// A role as pg_roles shows it.
package struct RoleDescription: Sendable {
  package let oid: UInt32
  package let name: String
  package let isSuperuser: Bool
  package init(oid: UInt32, name: String, isSuperuser: Bool) {
    self.oid = oid
    self.name = name
    self.isSuperuser = isSuperuser
  }
}

/// A session as pg_stat_activity shows it. Times are µs since 1970.
package struct SessionActivity: Sendable {
  package var pid: Int32
  package var userName: String
  package var applicationName: String
  /// Text of the client's address; `nil` for a local socket.
  package var clientAddress: String?
  package var clientPort: Int32
  package var backendStart: Int64
  package var transactionStart: Int64?
  package var queryStart: Int64?
  package var stateChange: Int64
  /// `active`, `idle`, `idle in transaction`, `idle in transaction (aborted)`.
  package var state: String
  package var query: String
  package init(
    pid: Int32, userName: String, applicationName: String, clientAddress: String?, clientPort: Int32, backendStart: Int64,
    transactionStart: Int64?, queryStart: Int64?, stateChange: Int64, state: String, query: String
  ) {
    self.pid = pid
    self.userName = userName
    self.applicationName = applicationName
    self.clientAddress = clientAddress
    self.clientPort = clientPort
    self.backendStart = backendStart
    self.transactionStart = transactionStart
    self.queryStart = queryStart
    self.stateChange = stateChange
    self.state = state
    self.query = query
  }
}

/// Made once by the server, shared by the catalogs of all statements.
package struct ServerCatalog: Sendable {
  /// A relation of schema `cramped` whose rows the server computes.
  package struct ComputedRelation: Sendable {
    package let name: String
    package let relation: any VirtualRelation
    package let estimatedRows: Int64
    package init(name: String, relation: any VirtualRelation, estimatedRows: Int64 = 100) {
      self.name = name
      self.relation = relation
      self.estimatedRows = estimatedRows
    }
  }

  /// The schema of computed relations.
  package static let schema = "cramped"

  package let relations: [ComputedRelation]
  /// Every role. When empty the session's user is the only one, a superuser.
  package let roles: @Sendable () -> [RoleDescription]
  package let activity: @Sendable () -> [SessionActivity]
  /// The oid of each relation; those without one are in no catalog.
  let oids: [UInt32?]

  package init(
    relations: [ComputedRelation] = [], roles: @escaping @Sendable () -> [RoleDescription] = { [] },
    activity: @escaping @Sendable () -> [SessionActivity] = { [] }
  ) {
    self.relations = relations
    self.roles = roles
    self.activity = activity
    oids = CatalogOIDs.slots(for: relations.map(\.name), slots: CatalogOIDs.serverRelationsMax).map {
      $0.map { CatalogOIDs.firstServerRelation + $0 }
    }
  }
}
