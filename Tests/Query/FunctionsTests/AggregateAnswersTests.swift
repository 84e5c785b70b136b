// Every recorded answer of PostgreSQL for an aggregate: in one piece, and in two states merged.

import Bedrock
import Columnar
import Functions
import Testing

@Suite struct AggregateAnswersTests {
  private struct Asked {
    let line: Substring
    let function: AggregateFunction
    let expected: String
    let type: DataType
    let values: [Scalar]
  }

  private func asked(_ line: Substring) throws -> Asked {
    let fields = line.split(separator: "¦", omittingEmptySubsequences: false).map(String.init)
    let type = try #require(TypeNames.type(named: fields[2]), "\(line)")
    let function = FunctionCatalog.aggregates(named: fields[0]).first { candidate in
      candidate.parameters.count == 1 && (candidate.parameters[0] == .exact(type) || candidate.parameters[0] == .any
        || candidate.parameters[0] == .anyElement)
    }
    var values: [Scalar] = []
    for text in fields.dropFirst(3) {
      values.append(text == "NULL" ? .null : try ValueText.input(text, type: type, context: context))
    }
    return Asked(
      line: line, function: try #require(function, "\(line)"), expected: fields[1], type: type, values: values)
  }

  /// The answer over the values, of which the first `split` go to a state of their own that is merged.
  private func answer(_ asked: Asked, split: Int) throws(Fault) -> String {
    func state(_ values: ArraySlice<Scalar>) throws(Fault) -> any AggregateState {
      let state = asked.function.makeState([asked.type])
      // group 0 stays empty, the values go to group 1, and the last row to none
      state.grow(to: 2)
      let groups = [Int32](repeating: 1, count: values.count) + [-1]
      let column = ColumnBuilder.column(asked.type, Array(values) + [asked.values.first ?? .null])
      try state.update(groups: groups.span, arguments: [column])
      return state
    }
    let first = try state(asked.values[..<split])
    let mapping: [Int32] = [0, 1]
    try first.merge(try state(asked.values[split...]), mapping: mapping.span)
    let result = try first.finish()
    #expect(result.scalar(at: 0) == asked.function.valueOverNothing, "\(asked.line)")
    let printed = ValueText.output(result.scalar(at: 1), type: result.type, context: context)
    return printed.map { "=" + (result.type == .boolean ? ($0 == "t" ? "true" : "false") : $0) } ?? "NULL"
  }

  @Test func answers() throws {
    for line in AggregateAnswers.text.split(separator: "\n") {
      let asked = try asked(line)
      let isFloat = asked.type == .float8 && asked.expected.first == "=" && !line.hasPrefix("array_agg")
      for split in 0...asked.values.count {
        do throws(Fault) {
          let text = try answer(asked, split: split)
          // parts of a float sum add up in another order
          if let a = Double(text.dropFirst()), let b = Double(asked.expected.dropFirst()), isFloat, b.isFinite {
            #expect(abs(a - b) <= abs(b) * 1e-14, "split \(split): \(line)")
          } else {
            #expect(text == asked.expected, "split \(split): \(line)")
          }
        } catch {
          #expect("!\(error.state.text) \(error.message)" == asked.expected, "\(line)")
        }
      }
    }
  }
}
