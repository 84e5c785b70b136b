import ArgumentParser
import Bedrock
import Columnar
import Functions
import JSONTape
import ParquetFormat

/// Shows what a Parquet file says of itself, and its first rows. Ends 0; 65 for a damaged file; 74 for an unreadable one.
struct ParquetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "parquet",
    abstract: "Prints the schema, row groups, encodings, statistics and rows of a Parquet file.",
    discussion: "Every page of the rows printed is read and its checksum proved.")

  @Argument(help: "The file.", completion: .file(extensions: ["parquet"]))
  var file: String

  @Option(name: .long, help: "Also print this many rows from the beginning.")
  var rows = 0

  @Flag(name: .long, help: "Print one JSON object in place of aligned text.")
  var json = false

  func validate() throws {
    guard rows >= 0 else { throw ValidationError("--rows counts from 0.") }
  }

  func run() throws {
    do throws(Fault) {
      let source = try ParquetFileSource(path: file)
      let metadata = try source.metadata()
      let table = rows > 0 ? try firstRows(source, metadata) : []
      if json {
        print(ParquetDescription(source: source, file: metadata).json(rows: table))
      } else {
        print(ParquetDescription(source: source, file: metadata).text(rows: table))
      }
    } catch { throw report(error) }
  }

  /// One array of JSON texts a field; a field that is refused has the reason in every row.
  private func firstRows(_ source: ParquetFileSource, _ file: ParquetFile) throws(Fault) -> [[String]] {
    var columns: [[String]] = []
    for field in file.fields {
      var values: [String] = []
      for group in file.rowGroups.indices where values.count < rows {
        var parts: [ParquetChunkSource] = []
        for index in field.leaves {
          let chunk = file.rowGroups[group].columns[index]
          parts.append(ParquetChunkSource(chunk: chunk, bytes: try source.read(chunk.byteRange)))
        }
        let reader: any ParquetColumnReader
        do throws(Fault) {
          reader = try file.columnReader(field, rowGroup: group, sources: parts)
        } catch {
          guard error.kind == .unsupported else { throw error }
          let refused = ParquetDescription.quoted("(\(error.message))")
          values += [String](repeating: refused, count: min(rows - values.count, file.rowGroups[group].rowCount))
          continue
        }
        while values.count < rows, reader.rowsRemaining > 0 {
          values += try ParquetJSON.texts(reader.decode(rows: min(rows - values.count, Limits.chunkRowsMax)))
        }
      }
      columns.append(values)
    }
    return columns
  }
}
