// Every recorded answer of PostgreSQL, asked in each form a column may have.

import Bedrock
import Columnar
import Functions
import Testing

struct TestSession: SessionValues {
  var userName: String { "tester" }
  var databaseName: String { "lake" }
  var searchPath: [String] { ["public"] }
  var backendPID: Int32 { 7 }
  var serverVersion: String { "PostgreSQL 15" }
  func setting(_ name: String) -> String? { name == "server_version" ? "15.0" : nil }
  func relationOID(_ name: String) -> UInt32? { name == "t" ? 16_384 : nil }
  func relationName(oid: UInt32) -> String? { oid == 16_384 ? "t" : nil }
  func namespaceOID(_ name: String) -> UInt32? { name == "public" ? 2200 : nil }
  func namespaceName(oid: UInt32) -> String? { oid == 2200 ? "public" : nil }
  func isRelationVisible(oid: UInt32) -> Bool { oid == 16_384 }
}

let context = FunctionContext(
  transactionMicros: 1_700_000_000_000_000, statementMicros: 1_700_000_000_000_000, session: TestSession())

struct Answer {
  let kind: String
  let name: String
  let expected: String
  let arguments: [(type: DataType, text: String)]
  let line: String

  static let all: [Answer] = PostgresAnswers.text.split(separator: "\n").map { line in
    let fields = line.split(separator: "¦", omittingEmptySubsequences: false).map {
      String($0.map { $0 == "⏎" ? "\n" : $0 })
    }
    let arguments = stride(from: 3, to: fields.count, by: 2).map {
      (type: TypeNames.type(named: fields[$0]) ?? .text, text: fields[$0 + 1])
    }
    return Answer(kind: fields[0], name: fields[1], expected: fields[2], arguments: arguments, line: String(line))
  }
}

/// varchar(n), character(n) and numeric(p,s) besides plain names.
func target(_ name: String) -> DataType {
  let parts = name.split { "(,)".contains($0) }.map(String.init)
  switch (parts[0], parts.count) {
  case ("varchar", 2): return .varchar(Int(parts[1]))
  case ("character", 2): return .bpchar(Int(parts[1]))
  case ("numeric", 3): return .numeric(.init(precision: Int(parts[1]) ?? 1, scale: Int(parts[2]) ?? 0))
  default: return TypeNames.type(named: name) ?? .text
  }
}

enum Form: CaseIterable { case constant, flat, dictionary }

/// Two rows, the first with the value and the second null where the form allows.
func column(_ scalar: Scalar, _ type: DataType, _ form: Form) -> Column {
  switch form {
  case .constant: return .constant(scalar, type: type, count: 2)
  case .flat: return ColumnBuilder.column(type, [scalar, .null])
  case .dictionary:
    let dictionary = ColumnDictionary(ColumnBuilder.column(type, [scalar]))
    let codes = Buffer.copying([Int32(0), 0])
    return Column(
      type: type, count: 2, validity: Bitmap.make(count: 2) { $0 == 0 },
      form: .dictionary(codes: codes, dictionary: dictionary))
  }
}

@Suite struct PostgresAnswersTests {
  private func fits(_ function: ScalarFunction, _ types: [DataType]) -> Bool {
    let parameters = function.parameters
    guard types.count == parameters.count || (function.isVariadic && types.count >= parameters.count) else {
      return false
    }
    return types.indices.allSatisfy { index in
      switch parameters[min(index, parameters.count - 1)] {
      case .exact(let type): type == types[index]
      case .anyArray: types[index].element != nil
      case .any, .anyElement: true
      }
    }
  }

  private func find(_ answer: Answer) -> ScalarFunction? {
    let types = answer.arguments.map(\.type)
    let all =
      answer.kind == "operator"
      ? FunctionCatalog.operators(named: answer.name)
      : FunctionCatalog.scalars(named: answer.kind == "extract" ? "extract" : answer.name)
    return all.first { fits($0, answer.kind == "extract" ? [.text] + types : types) }
  }

  private func ask(_ answer: Answer, _ form: Form) throws(Fault) -> (Column, Bool) {
    var columns: [Column] = []
    for (type, text) in answer.arguments {
      columns.append(column(try ValueText.input(text, type: type, context: context), type, form))
    }
    if answer.kind == "cast" {
      let to = target(answer.name)
      guard let cast = FunctionCatalog.cast(from: answer.arguments[0].type, to: to) else {
        throw Fault.bug("no cast")
      }
      return (try cast.evaluate(context, columns[0], to, true), true)
    }
    guard let function = find(answer) else { throw Fault.bug("no function") }
    if answer.kind == "extract" { columns.insert(.constant(.text(answer.name), type: .text, count: 2), at: 0) }
    return (try function.evaluate(context, columns, 2), function.isStrict)
  }

  @Test(arguments: Form.allCases) func answers(_ form: Form) {
    for answer in Answer.all {
      do throws(Fault) {
        let (result, isStrict) = try ask(answer, form)
        var printed = ValueText.output(result.scalar(at: 0), type: result.type, context: context)
        // the answers were recorded as text, which a char(n) becomes without its trailing blanks
        if case .bpchar = result.type { while printed?.last == " " { printed?.removeLast() } }
        let text = printed.map { "=" + (result.type == .boolean ? ($0 == "t" ? "true" : "false") : $0) } ?? "NULL"
        #expect(text == answer.expected, "\(answer.line)")
        if form != .constant && isStrict && !answer.arguments.isEmpty {
          #expect(result.isNull(at: 1), "null in, null out: \(answer.line)")
        }
      } catch {
        #expect("!\(error.state.text) \(error.message)" == answer.expected, "\(answer.line)")
      }
    }
  }
}
