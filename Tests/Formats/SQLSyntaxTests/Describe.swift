// A tree as text, so that a test can say in one line what it expects.

import SQLSyntax

extension ExpressionSyntax {
  var text: String {
    switch kind {
    case .column(let path): return path.joined(separator: ".")
    case .star(let qualifier): return (qualifier + ["*"]).joined(separator: ".")
    case .parameter(let number): return "$\(number)"
    case .constant(let constant): return constant.text
    case .operation(let name, nil, let right): return "(\(name.text) \(right.text))"
    case .operation(let name, let left?, let right): return "(\(left.text) \(name.text) \(right.text))"
    case .quantified(let name, let quantifier, let left, let array):
      return "(\(left.text) \(name.text) \(quantifier)[\(array.text)])"
    case .quantifiedSubquery(let name, let quantifier, let left, let query):
      return "(\(left.text) \(name.text) \(quantifier){\(query.text)})"
    case .isDistinct(let a, let b, let negated): return "(\(a.text) \(negated ? "same" : "distinct") \(b.text))"
    case .nullIf(let a, let b): return "nullif(\(a.text), \(b.text))"
    case .inList(let a, let list, let negated): return "(\(a.text) \(negated ? "not in" : "in") [\(list.text)])"
    case .between(let a, let low, let high, let negated, let symmetric):
      return "(\(a.text) \(negated ? "not " : "")between\(symmetric ? " symmetric" : "") \(low.text), \(high.text))"
    case .and(let list): return "and(\(list.text))"
    case .or(let list): return "or(\(list.text))"
    case .not(let a): return "not(\(a.text))"
    case .isNull(let a, let negated): return "(\(a.text) is\(negated ? " not" : "") null)"
    case .isBoolean(let a, let test, let negated): return "(\(a.text) is\(negated ? " not" : "") \(test))"
    case .conditional(let argument, let branches, let otherwise):
      let arms = branches.map { "\($0.condition.text) -> \($0.result.text)" }.joined(separator: ", ")
      return "case \(argument?.text ?? "_") {\(arms)} else \(otherwise?.text ?? "_")"
    case .coalesce(let list): return "coalesce(\(list.text))"
    case .greatest(let list): return "greatest(\(list.text))"
    case .least(let list): return "least(\(list.text))"
    case .cast(let a, let type): return "\(a.text)::\(type.text)"
    case .collate(let a, let collation): return "\(a.text) collate \(collation.joined(separator: "."))"
    case .function(let call): return call.text
    case .valueFunction(let function, let precision): return function.rawValue + (precision.map { "(\($0))" } ?? "")
    case .array(let list): return "array[\(list.text)]"
    case .row(let list): return "row(\(list.text))"
    case .scalarSubquery(let query): return "{\(query.text)}"
    case .exists(let query): return "exists{\(query.text)}"
    case .arraySubquery(let query): return "array{\(query.text)}"
    case .field(let a, let name): return "(\(a.text)).\(name)"
    case .allFields(let a): return "(\(a.text)).*"
    case .element(let a, let index): return "\(a.text)[\(index.text)]"
    case .slice(let a, let lower, let upper): return "\(a.text)[\(lower?.text ?? ""):\(upper?.text ?? "")]"
    case .grouping(let list): return "grouping(\(list.text))"
    case .defaultValue: return "default"
    }
  }
}

extension [ExpressionSyntax] {
  var text: String { map(\.text).joined(separator: ", ") }
}

extension ConstantSyntax {
  var text: String {
    switch self {
    case .null: "null"
    case .boolean(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let text): "#\(text)"
    case .string(let text): "'\(text)'"
    case .bitString(let text): "bit \(text)"
    }
  }
}

extension OperatorSyntax {
  var text: String { schema.map { "\($0).\(name)" } ?? name }
}

extension TypeNameSyntax {
  var text: String {
    name.joined(separator: ".") + (modifiers.isEmpty ? "" : "(\(modifiers.text))")
      + String(repeating: "[]", count: arrayDimensions)
  }
}

extension FunctionCallSyntax {
  var text: String {
    var inside = isStar ? "*" : arguments.map { ($0.name.map { "\($0) => " } ?? "") + $0.value.text }.joined(separator: ", ")
    if isDistinct { inside = "distinct " + inside }
    if isVariadic { inside = "variadic " + inside }
    let order = orderBy.isEmpty ? "" : " order \(orderBy.text)"
    var text = name.joined(separator: ".") + "(\(inside)\(isWithinGroup ? "" : order))"
    if isWithinGroup { text += " within\(order)" }
    if let filter { text += " filter \(filter.text)" }
    if let over { text += " over \(over.text)" }
    return text
  }
}

extension [SortSyntax] {
  var text: String {
    map { item in
      item.expression.text + (item.isDescending ? " desc" : "")
        + (item.nullsFirst.map { $0 ? " nulls first" : " nulls last" } ?? "")
    }.joined(separator: ", ")
  }
}

extension WindowSyntax {
  var text: String {
    var parts: [String] = []
    if let name { parts.append("name \(name)") }
    if let base { parts.append("base \(base)") }
    if !partitionBy.isEmpty { parts.append("partition \(partitionBy.text)") }
    if !orderBy.isEmpty { parts.append("order \(orderBy.text)") }
    if frame.isExplicit {
      func bound(_ bound: WindowFrameSyntax.Bound) -> String {
        switch bound {
        case .unboundedPreceding: "-inf"
        case .preceding(let offset): "-\(offset.text)"
        case .currentRow: "0"
        case .following(let offset): "+\(offset.text)"
        case .unboundedFollowing: "+inf"
        }
      }
      parts.append("\(frame.unit) \(bound(frame.start))..\(bound(frame.end)) \(frame.exclusion)")
    }
    return "[\(parts.joined(separator: "; "))]"
  }
}

extension AliasSyntax {
  var text: String { " as \(name)" + (columns.isEmpty ? "" : "(\(columns.joined(separator: ",")))") }
}

extension TableSyntax {
  var text: String {
    switch self {
    case .relation(let relation):
      return [relation.catalog, relation.schema, relation.name].compactMap(\.self).joined(separator: ".")
        + (relation.alias?.text ?? "")
    case .subquery(let query, let alias, let isLateral):
      return "\(isLateral ? "lateral " : ""){\(query.text)}\(alias?.text ?? "")"
    case .function(let calls, let alias, let isLateral, let hasOrdinality, _):
      return "\(isLateral ? "lateral " : "")\(calls.text)\(hasOrdinality ? " ordinality" : "")\(alias?.text ?? "")"
    case .sample(let relation, let sample):
      let seed = sample.seed.map { " repeatable \($0.text)" } ?? ""
      return "\(TableSyntax.relation(relation).text) sample \(sample.method.joined(separator: "."))"
        + "(\(sample.arguments.text))\(seed)"
    case .join(let kind, let left, let right, let condition, let alias):
      let how: String
      switch condition {
      case .none: how = ""
      case .on(let expression): how = " on \(expression.text)"
      case .using(let names, let alias): how = " using(\(names.joined(separator: ",")))" + (alias.map { " as \($0)" } ?? "")
      case .natural: how = " natural"
      }
      return "(\(left.text) \(kind) \(right.text)\(how))\(alias?.text ?? "")"
    }
  }
}

extension GroupingSyntax {
  var text: String {
    switch self {
    case .expression(let expression): expression.text
    case .empty: "()"
    case .rollup(let list, _): "rollup(\(list.text))"
    case .cube(let list, _): "cube(\(list.text))"
    case .sets(let list, _): "sets(\(list.map(\.text).joined(separator: ", ")))"
    }
  }
}

extension SelectStatement {
  var text: String {
    var parts: [String] = []
    if let with {
      let tables = with.tables.map { table in
        "\(table.name)" + (table.columns.isEmpty ? "" : "(\(table.columns.joined(separator: ",")))")
          + (table.isMaterialized.map { $0 ? " mat" : " inline" } ?? "") + " {\(table.query.text)}"
      }
      parts.append("with\(with.isRecursive ? " recursive" : "") \(tables.joined(separator: ", "))")
    }
    switch body {
    case .select(let core): parts.append(core.text)
    case .values(let rows): parts.append("values " + rows.map { "(\($0.text))" }.joined(separator: ", "))
    case .setOperation(let operation, let isAll, let left, let right):
      parts.append("{\(left.text)} \(operation.rawValue)\(isAll ? " ALL" : "") {\(right.text)}")
    }
    if !orderBy.isEmpty { parts.append("order \(orderBy.text)") }
    if let offset { parts.append("offset \(offset.text)") }
    if let limit { parts.append("limit \(limit.text)\(isWithTies ? " ties" : "")") }
    if isLocking { parts.append("locking") }
    return parts.joined(separator: " ")
  }
}

extension SelectCore {
  var text: String {
    var parts = ["select"]
    switch distinct {
    case .none: break
    case .all: parts.append("distinct")
    case .on(let list): parts.append("distinct on (\(list.text))")
    }
    parts.append(targets.map { $0.expression.text + ($0.name.map { " as \($0)" } ?? "") }.joined(separator: ", "))
    if !from.isEmpty { parts.append("from \(from.map(\.text).joined(separator: ", "))") }
    if let filter { parts.append("where \(filter.text)") }
    if !groupBy.isEmpty { parts.append("group \(groupBy.map(\.text).joined(separator: ", "))") }
    if let having { parts.append("having \(having.text)") }
    if !windows.isEmpty { parts.append("window \(windows.map(\.text).joined(separator: ", "))") }
    return parts.joined(separator: " ")
  }
}
