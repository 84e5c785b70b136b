// Functions about the session, the server and its catalog, as drivers and tools call them.

import Bedrock
import Columnar
import Kernels
import Runtime

enum SessionFunctions {
  static let all: [ScalarFunction] = names + settings + objects + definitions + privileges + sizes + server

  private static func value(
    _ name: String, _ type: DataType, _ f: @escaping @Sendable (FunctionContext) -> Scalar
  ) -> ScalarFunction {
    .make(name, [], .fixed(type), volatility: .stable) { (context, _, rows) throws(Fault) in
      .constant(f(context), type: type, count: rows)
    }
  }

  /// When the server started, µs since 1970; null when the session does not know.
  @Sendable private static func startTime(_ context: FunctionContext) -> Scalar {
    context.session.setting("cramped.start_micros").flatMap { Int64($0) }.map { .integer($0) } ?? .null
  }

  private static func same(_ name: String, _ parameters: [DataType], _ type: DataType, _ scalar: Scalar)
    -> ScalarFunction
  {
    .make(name, parameters.map { .exact($0) }, .fixed(type), volatility: .stable) { (_, _, rows) throws(Fault) in
      .constant(scalar, type: type, count: rows)
    }
  }

  private static let names: [ScalarFunction] =
    ["current_user", "session_user", "user", "current_role"].map { name in
      value(name, .name) { .text($0.session.userName) }
    } + [
      value("current_database", .name) { .text($0.session.databaseName) },
      value("current_catalog", .name) { .text($0.session.databaseName) },
      value("current_schema", .name) { context in
        context.session.searchPath.first { context.session.namespaceOID($0) != nil }.map { .text($0) } ?? .null
      },
      .rowwise("current_schemas", [.boolean], .array(.name), volatility: .stable) { (a, row, out) throws(Fault) in
        var list = a.context.session.searchPath.filter { a.context.session.namespaceOID($0) != nil }
        if a.bool(0, row) && !list.contains("pg_catalog") { list.insert("pg_catalog", at: 0) }
        out.append(list: list.map { .text($0) })
      },
      value("version", .text) { .text($0.session.serverVersion) },
      value("pg_backend_pid", .int4) { .integer(Int64($0.session.backendPID)) },
    ]

  private static func missing(_ name: String) -> Fault {
    Fault(.undefinedObject, "unrecognized configuration parameter \"\(name)\"")
  }

  private static let settings: [ScalarFunction] = [
    .rowwise("current_setting", [.text], .text, volatility: .stable) { (a, row, out) throws(Fault) in
      let name = a.string(0, row)
      guard let text = a.context.session.setting(name) else { throw missing(name) }
      out.append(text)
    },
    .rowwise("current_setting", [.text, .boolean], .text, volatility: .stable) { (a, row, out) throws(Fault) in
      let name = a.string(0, row)
      if let text = a.context.session.setting(name) { return out.append(text) }
      if !a.bool(1, row) { throw missing(name) }
      out.appendNull()
    },
  ]

  private static let objects: [ScalarFunction] =
    [
      .rowwise("pg_get_userbyid", [.oid], .name, volatility: .stable) { (a, row, out) throws(Fault) in
        let oid = UInt32(truncatingIfNeeded: a.int(0, row))
        out.append(oid == 10 ? a.context.session.userName : "unknown (OID=\(oid))")
      },
      .rowwise("pg_table_is_visible", [.oid], .boolean, volatility: .stable) { (a, row, out) throws(Fault) in
        out.append(a.context.session.isRelationVisible(oid: UInt32(truncatingIfNeeded: a.int(0, row))))
      },
      .rowwise("format_type", [.oid, .int4], .text, isStrict: false, volatility: .stable) {
        (a, row, out) throws(Fault) in
        if a.isNull(0, row) { return out.appendNull() }
        let oid = UInt32(truncatingIfNeeded: a.int(0, row))
        out.append(TypeNames.format(oid: oid, modifier: a.isNull(1, row) ? nil : a.int(1, row)))
      },
      .rowwise("to_regclass", [.text], .regclass, volatility: .stable) { (a, row, out) throws(Fault) in
        guard let oid = a.context.session.relationOID(a.string(0, row)) else { return out.appendNull() }
        out.append(Int64(Int32(bitPattern: oid)))
      },
      .rowwise("to_regtype", [.text], .regtype, volatility: .stable) { (a, row, out) throws(Fault) in
        guard let oid = TypeNames.oid(named: a.string(0, row)) else { return out.appendNull() }
        out.append(Int64(oid))
      },
      .rowwise("to_regnamespace", [.text], .regnamespace, volatility: .stable) { (a, row, out) throws(Fault) in
        guard let oid = a.context.session.namespaceOID(a.string(0, row)) else { return out.appendNull() }
        out.append(Int64(Int32(bitPattern: oid)))
      },
      .rowwise("pg_encoding_to_char", [.int4], .name) { (a, row, out) throws(Fault) in
        out.append(a.int(0, row) == 6 ? "UTF8" : (a.int(0, row) == 0 ? "SQL_ASCII" : ""))
      },
      .rowwise("pg_char_to_encoding", [.name], .int4) { (a, row, out) throws(Fault) in
        out.append(a.string(0, row).uppercased().hasPrefix("UTF") ? Int64(6) : -1)
      },
      .make("pg_typeof", [.any], .fixed(.regtype), isStrict: false) { (_, columns, rows) throws(Fault) in
        .constant(.integer(Int64(TypeNames.oid(columns[0].type))), type: .regtype, count: rows)
      },
    ]
    + [
      "type", "function", "operator", "opclass", "opfamily", "collation", "conversion", "ts_config", "ts_dict",
      "ts_parser",
      "ts_template", "statistics_obj",
    ].map { same("pg_\($0)_is_visible", [.oid], .boolean, .boolean(true)) }

  private static func viewDefinition(_ parameters: [DataType]) -> ScalarFunction {
    .rowwise("pg_get_viewdef", parameters, .text, volatility: .stable) { (a, row, out) throws(Fault) in
      let oid = UInt32(truncatingIfNeeded: a.int(0, row))
      guard let text = a.context.session.viewDefinition(oid: oid) else { return out.appendNull() }
      out.append(text)
    }
  }

  private static func signature(
    _ name: String, _ part: @escaping @Sendable ((arguments: String, result: String)) -> String
  ) -> ScalarFunction {
    .rowwise(name, [.oid], .text, volatility: .stable) { (a, row, out) throws(Fault) in
      let oid = UInt32(truncatingIfNeeded: a.int(0, row))
      guard let signature = a.context.session.functionSignature(oid: oid) else { return out.appendNull() }
      out.append(part(signature))
    }
  }

  private static let definitions: [ScalarFunction] = [
    same("pg_get_expr", [.text, .oid], .text, .null), same("pg_get_expr", [.text, .oid, .boolean], .text, .null),
    viewDefinition([.oid]), viewDefinition([.oid, .boolean]), viewDefinition([.oid, .int4]),
    same("pg_get_indexdef", [.oid], .text, .null), same("pg_get_indexdef", [.oid, .int4, .boolean], .text, .null),
    same("pg_get_constraintdef", [.oid], .text, .null), same("pg_get_constraintdef", [.oid, .boolean], .text, .null),
    same("pg_get_ruledef", [.oid], .text, .null), same("pg_get_ruledef", [.oid, .boolean], .text, .null),
    same("pg_get_triggerdef", [.oid], .text, .null), same("pg_get_triggerdef", [.oid, .boolean], .text, .null),
    same("pg_get_functiondef", [.oid], .text, .null), same("pg_get_function_sqlbody", [.oid], .text, .null),
    same("pg_describe_object", [.oid, .oid, .int4], .text, .null),
    same("pg_identify_object", [.oid, .oid, .int4], .text, .null),
    signature("pg_get_function_result") { $0.result }, signature("pg_get_function_arguments") { $0.arguments },
    signature("pg_get_function_identity_arguments") { $0.arguments }, same("pg_get_partkeydef", [.oid], .text, .null),
    same("pg_get_statisticsobjdef_columns", [.oid], .text, .null),
    same("pg_get_serial_sequence", [.text, .text], .text, .null),
    same("obj_description", [.oid], .text, .null), same("obj_description", [.oid, .name], .text, .null),
    same("col_description", [.oid, .int4], .text, .null), same("shobj_description", [.oid, .name], .text, .null),
    same("pg_get_partition_constraintdef", [.oid], .text, .null),
    same("pg_relation_is_publishable", [.regclass], .boolean, .boolean(false)),
  ]

  /// has_x_privilege([user,] object [, column], privilege): everything may be read.
  private static let privileges: [ScalarFunction] =
    [
      "table", "schema", "database", "function", "sequence", "any_column", "type",
      "tablespace", "language", "foreign_data_wrapper", "server",
    ].flatMap { kind -> [ScalarFunction] in
      let name = "has_\(kind)_privilege"
      return ([.oid, .text] as [DataType]).flatMap { object -> [ScalarFunction] in
        [
          same(name, [object, .text], .boolean, .boolean(true)),
          same(name, [.name, object, .text], .boolean, .boolean(true)),
          same(name, [.oid, object, .text], .boolean, .boolean(true)),
        ]
      }
    }
    + ([.oid, .text] as [DataType]).flatMap { object -> [ScalarFunction] in
      ([.text, .int2] as [DataType]).flatMap { column -> [ScalarFunction] in
        [
          same("has_column_privilege", [object, column, .text], .boolean, .boolean(true)),
          same("has_column_privilege", [.name, object, column, .text], .boolean, .boolean(true)),
        ]
      }
    } + [
      same("pg_has_role", [.name, .text], .boolean, .boolean(true)),
      same("pg_has_role", [.oid, .text], .boolean, .boolean(true)),
      same("pg_has_role", [.name, .name, .text], .boolean, .boolean(true)),
      same("pg_has_role", [.name, .oid, .text], .boolean, .boolean(true)),
      same("row_security_active", [.oid], .boolean, .boolean(false)),
    ]

  /// Sizes are not known here: null, never a made-up number. cramped.tables has the bytes of each tier.
  private static let sizes: [ScalarFunction] =
    [
      "pg_relation_size", "pg_total_relation_size", "pg_table_size", "pg_indexes_size",
    ].map { same($0, [.regclass], .int8, .null) } + [
      same("pg_relation_size", [.regclass, .text], .int8, .null),
      same("pg_database_size", [.name], .int8, .null),
      same("pg_database_size", [.oid], .int8, .null), same("pg_tablespace_size", [.oid], .int8, .null),
      same("pg_tablespace_location", [.oid], .text, .text("")),
      .rowwise("pg_size_pretty", [.int8], .text) { (a, row, out) throws(Fault) in out.append(pretty(a.int(0, row))) },
    ]

  /// As PostgreSQL: bytes up to 10 kB, then halves rounded up at every unit.
  private static func pretty(_ bytes: Int64) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB", "PB"]
    if bytes.magnitude < 10 * 1024 { return "\(bytes) bytes" }
    // one bit is kept for rounding
    var halves = bytes / 512
    var unit = 1
    while unit < units.count - 1 && halves.magnitude >= 2 * (20 * 1024 - 1) / 2 {
      halves /= 1024
      unit += 1
    }
    return "\((halves + (halves < 0 ? -1 : 1)) / 2) \(units[unit])"
  }

  private static let server: [ScalarFunction] = [
    same("pg_is_in_recovery", [], .boolean, .boolean(false)),
    same("pg_is_wal_replay_paused", [], .boolean, .boolean(false)),
    same("pg_my_temp_schema", [], .oid, .integer(0)),
    same("pg_is_other_temp_schema", [.oid], .boolean, .boolean(false)),
    same("inet_server_addr", [], .text, .null), same("inet_server_port", [], .int4, .null),
    same("inet_client_addr", [], .text, .null), same("inet_client_port", [], .int4, .null),
    same("getdatabaseencoding", [], .name, .text("UTF8")), same("pg_client_encoding", [], .name, .text("UTF8")),
    same("pg_advisory_unlock_all", [], .void, .null), same("pg_jit_available", [], .boolean, .boolean(false)),
    value("txid_current", .int8) { .integer($0.transactionMicros) },
    // The configuration is read once, at start.
    value("pg_postmaster_start_time", .timestamptz, startTime), value("pg_conf_load_time", .timestamptz, startTime),
    value("pg_current_logfile", .text) { _ in .null },
    same("pg_stat_get_numscans", [.oid], .int8, .integer(0)), same("pg_get_keywords", [], .text, .null),
    .make("pg_sleep", [.exact(.float8)], .fixed(.void), volatility: .volatile) { (_, _, _) throws(Fault) in
      throw Fault.unsupported("pg_sleep")
    },
    .make("gen_random_uuid", [], .fixed(.uuid), volatility: .volatile) { (_, _, rows) throws(Fault) in
      let values = (0..<rows).map { _ in
        UUIDValue(
          high: Entropy.word() & ~0xF000 | 0x4000, low: Entropy.word() & ~(3 << 62) | 1 << 63)
      }
      return .fixed(.uuid, count: rows, .copying(values))
    },
    .rowwise("pg_size_pretty", [.numeric], .text) { (a, row, out) throws(Fault) in
      guard case .numeric(let size) = a.scalar(0, row), let whole = size.rounded(toScale: 0),
        let bytes = Int64(exactly: whole.coefficient)
      else { throw Fault(.numericValueOutOfRange, "size is out of range") }
      out.append(pretty(bytes))
    },
  ]
}
