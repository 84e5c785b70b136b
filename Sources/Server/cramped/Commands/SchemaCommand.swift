import ArgumentParser
import Bedrock
import CapnpSchema
import EventSchema
import Functions

struct SchemaCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema", abstract: "Works with schema files.", subcommands: [Check.self, Example.self])

  /// Offline: reads a folder as the server would, and ends 0 or 65.
  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "check", abstract: "Reads a folder of .capnp files and prints the tables they make.")

    @Argument(help: "The folder; without it, the example schemas built into the program.", completion: .directory)
    var folder: String?

    func run() throws {
      do throws(Fault) {
        let events = try SchemaSource.events(folder: folder ?? "")
        for schema in try SchemaSource.tables(of: events) {
          print("\(schema.name)  (\(schema.events.map(\.name.name).joined(separator: ", ")))")
          for column in schema.columns where !column.isHidden {
            let field = schema.events.flatMap(\.fields).first { $0.column == column.name }
            print("  \(column.name)  \(TypeNames.sqlName(column.type))\(field.map { note($0.policy) } ?? "")")
          }
        }
      } catch { throw report(error) }
    }

    private func note(_ policy: FieldPolicy) -> String {
      switch policy {
      case .keep: ""
      case .id: "  data subject"
      case .hash(let algorithm): "  hash(\(algorithm.rawValue))"
      case .tokenize: "  tokenize: not stored yet, always null"
      case .encrypt: "  encrypt: not stored yet, always null"
      case .drop: ""
      }
    }
  }

  /// Writes the built-in schemas, as a beginning for one's own.
  struct Example: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "example", abstract: "Writes the annotation vocabulary and the example schemas into a folder.")

    @Argument(help: "The folder; made when it is missing. Existing files are left as they are.", completion: .directory)
    var folder: String

    func run() throws {
      do throws(Fault) {
        for path in try SchemaSource.writeExamples(to: folder) { print(path) }
      } catch { throw report(error) }
    }
  }
}
