// One parsed struct to one event: the name, and a column type and policy for each field.
//
//   Cap'n Proto            SQL                 with an annotation
//   Bool                   boolean
//   Int8, Int16, UInt8     smallint
//   Int32, UInt16          integer             date: date (Int32)    decimal(p, s): numeric(p,s) (Int32)
//   Int64, UInt32          bigint              timestamp(micros): timestamptz    decimal(p, s): numeric(p,s) (Int64)
//   UInt64                 numeric(20,0)
//   Float32, Float64       real, double precision
//   Text                   text                uuid: uuid    decimal(p, s): numeric(p,s)
//   Data                   bytea
//   enum                   text
//   all others             refused by name
//
// The column of `userId` is `user_id`. A field whose column would be a system column's gets the prefix `content_`:
// `name` becomes `content_name`.

import Bedrock
import CCapnp
import Columnar
import EventSchema

struct EventReader {
  let files: [SchemaText]

  /// `nil` for a struct that is no event.
  func event(_ declared: cramped_capnp_struct) throws(Fault) -> EventType? {
    let marks = annotations(declared.annotations, declared.annotation_count)
    guard let mark = marks.first(where: { $0.name == "event" }) else { return nil }
    let path = String(cString: declared.path), structName = String(cString: declared.name)
    let name: EventName
    do { name = try EventName(mark.text ?? "") } catch {
      throw Fault(
        .invalidSchemaDefinition, "\(path): struct \(structName): \(error.message)",
        hint: error.hint ?? "Write $Metadata.event(\"domain.entity.name\").")
    }
    var fields: [EventField] = []
    for index in 0..<declared.field_count {
      let declaredField = declared.fields[index]
      let place = FieldPlace(path: path, structName: structName, field: String(cString: declaredField.name), files: files)
      let field = try FieldReader(place: place, declared: declaredField).field(
        marks: annotations(declaredField.annotations, declaredField.annotation_count))
      if let twin = fields.first(where: { $0.column == field.column }) {
        throw place.refuse("it would have the same column \"\(field.column)\" as field \"\(twin.name)\"")
      }
      fields.append(field)
    }
    return EventType(name: name, fields: fields, typeID: declared.id, file: path)
  }

  private func annotations(
    _ base: UnsafePointer<cramped_capnp_annotation>?, _ count: Int
  ) -> [Mark] {
    UnsafeBufferPointer(start: base, count: base == nil ? 0 : count).map { mark in
      Mark(
        name: String(cString: mark.name), text: mark.text.map { String(cString: $0) }, first: mark.first,
        second: mark.second)
    }
  }
}

/// An annotation of the vocabulary at a struct or field.
struct Mark {
  let name: String
  let text: String?
  let first: UInt64
  let second: UInt64
}

/// Where a field stands, for messages.
struct FieldPlace {
  let path: String
  let structName: String
  let field: String
  let files: [SchemaText]

  /// The line that declares the field: the first after `struct Name` that begins with the field's name and `@`.
  private var line: Int? {
    guard let file = files.first(where: { $0.path == path }) else { return nil }
    let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false)
    let inner = structName.split(separator: ".").last.map(String.init) ?? structName
    let start = lines.firstIndex { $0.contains("struct \(inner)") } ?? 0
    for index in start..<lines.count {
      let words = lines[index].split { $0 == " " || $0 == "\t" || $0 == "{" }
      if zip(words, words.dropFirst()).contains(where: { $0 == field && ($1.first == "@" || $1.first == ":") }) {
        return index + 1
      }
    }
    return nil
  }

  private var prefix: String { line.map { "\(path):\($0)" } ?? path }

  func refuse(_ reason: String, hint: String? = nil) -> Fault {
    Fault(.invalidSchemaDefinition, "\(prefix): field \"\(field)\" of \(structName): \(reason)", hint: hint)
  }
  func unsupported(_ what: String, hint: String?) -> Fault {
    Fault.unsupported("\(prefix): field \"\(field)\" of \(structName): \(what)", hint: hint)
  }
}
