// The text of an event view, in the layout of PostgreSQL's pg_get_viewdef.

import EventSchema
import StorageContract

enum ViewDefinition {
  static func text(of view: EventViewDescription, in table: TableDescription) -> String {
    let source = SQLIdentifier.quoted(table.name)
    let columns = view.columns.filter { !table.columns[$0].isHidden }.map {
      "\(source).\(SQLIdentifier.quoted(table.columns[$0].name))"
    }
    let value = view.eventName.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
    return " SELECT \(columns.joined(separator: ",\n    "))\n   FROM \(SQLIdentifier.quoted(table.schema)).\(source)\n"
      + "  WHERE (\(source).name = '\(value)'::text);"
  }
}

enum SQLIdentifier {
  /// Keywords that PostgreSQL 15 quotes and that are likely names of domains, entities and fields: all reserved ones.
  private static let reserved: Set<String> = [
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization", "between", "bigint",
    "binary", "bit", "boolean", "both", "case", "cast", "char", "character", "check", "coalesce", "collate", "collation",
    "column", "concurrently", "constraint", "create", "cross", "current_catalog", "current_date", "current_role",
    "current_schema", "current_time", "current_timestamp", "current_user", "dec", "decimal", "default", "deferrable",
    "desc", "distinct", "do", "else", "end", "except", "exists", "extract", "false", "fetch", "float", "for", "foreign",
    "freeze", "from", "full", "grant", "greatest", "group", "grouping", "having", "ilike", "in", "initially", "inner",
    "inout", "int", "integer", "intersect", "interval", "into", "is", "isnull", "join", "lateral", "leading", "least",
    "left", "like", "limit", "localtime", "localtimestamp", "national", "natural", "nchar", "none", "normalize", "not",
    "notnull", "null", "nullif", "numeric", "offset", "on", "only", "or", "order", "out", "outer", "overlaps", "overlay",
    "placing", "position", "precision", "primary", "real", "references", "returning", "right", "row", "select",
    "session_user", "setof", "similar", "smallint", "some", "substring", "symmetric", "table", "tablesample", "then",
    "time", "timestamp", "to", "trailing", "treat", "trim", "true", "union", "unique", "user", "using", "values",
    "varchar", "variadic", "verbose", "when", "where", "window", "with", "xmlattributes", "xmlconcat", "xmlelement",
    "xmlexists", "xmlforest", "xmlnamespaces", "xmlparse", "xmlpi", "xmlroot", "xmlserialize", "xmltable",
  ]

  /// As quote_ident: quoted unless it is a lower-case identifier and no keyword.
  static func quoted(_ name: String) -> String {
    let isPlain =
      name.utf8.first.map { $0 == UInt8(ascii: "_") || UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 } == true
      && name.utf8.allSatisfy {
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || $0 == UInt8(ascii: "_")
      }
    if isPlain && !reserved.contains(name) { return name }
    return "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}
