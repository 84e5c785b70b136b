// How fast `ParquetWriter` writes the rows of a Parquet file that lies in memory as flat columns, and how large the result
// is. Tests/Benchmarks/parquet_bench.py runs it beside pyarrow and checks that both files hold the same rows.
//
//   ParquetBench INPUT OUTPUT [threads, 1] [rounds, 3] [zstd level, 3]
//
// Prints one line: rows, columns, best wall seconds, processor seconds of that round, bytes.

import Bedrock
import Columnar
import Glibc
import ParquetFormat
import Runtime

@main
struct ParquetBench {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count >= 3 else { throw Fault.bug("ParquetBench INPUT OUTPUT [threads] [rounds] [level]") }
    let number = { (index: Int, fallback: Int) in
      arguments.count > index ? Int(arguments[index]) ?? fallback : fallback
    }
    let input = try Table(bytes: try read(arguments[1]))
    let encoders = number(3, 1) > 1 ? WorkTeam(name: "parquet bench", threadCount: number(3, 1) - 1) : nil
    var options = ParquetWriterOptions()
    options.rowGroupRowsMax = 1_000_000
    options.zstdLevel = Int32(number(5, 3))
    var best = (wall: Double.infinity, cpu: 0.0)
    var output: [UInt8] = []
    for _ in 0..<number(4, 3) {
      output = []
      let wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID)
      var writer = try ParquetWriter(columns: input.columns, options: options)
      if let encoders { writer.parallel = { count, body in encoders.run(count, body) } }
      for chunk in input.chunks { try writer.append(chunk, to: &output) }
      _ = try writer.finish(to: &output)
      let took = (wall: seconds(CLOCK_MONOTONIC) - wall, cpu: seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu)
      if took.wall < best.wall { best = took }
    }
    try write(output, arguments[2])
    print(input.rowCount, input.columns.count, best.wall, best.cpu, output.count)
  }

  private static func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  private static func read(_ path: String) throws -> [UInt8] {
    guard let file = fopen(path, "rb") else { throw Fault(.ioError, "cannot open \(path)") }
    defer { fclose(file) }
    fseek(file, 0, SEEK_END)
    let count = ftell(file)
    rewind(file)
    return try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      filled = fread(buffer.baseAddress, 1, count, file)
      if filled != count { throw Fault(.ioError, "cannot read \(path)") }
    }
  }

  private static func write(_ bytes: [UInt8], _ path: String) throws {
    guard let file = fopen(path, "wb") else { throw Fault(.ioError, "cannot open \(path)") }
    let written = fwrite(bytes, 1, bytes.count, file)
    guard fclose(file) == 0, written == bytes.count else { throw Fault(.ioError, "cannot write \(path)") }
  }
}

/// A Parquet file as flat chunks.
private struct Table {
  var columns: [ParquetColumn] = []
  var chunks: [Chunk] = []
  var rowCount = 0

  init(bytes: [UInt8]) throws {
    guard case .file(let file) = try ParquetFooter.parse(tail: bytes.span.bytes, fileByteCount: bytes.count) else {
      throw Fault.bug("the whole file was given")
    }
    rowCount = file.rowCount
    for (index, leaf) in file.leaves.enumerated() {
      columns.append(
        ParquetColumn(
          name: leaf.name, type: ColumnChunkDecoder.naturalType(of: leaf), isNullable: leaf.isNullable,
          fieldID: Int32(index + 1)))
    }
    for group in file.rowGroups {
      let decoders = try file.leaves.indices.map { index in
        let chunk = group.columns[index]
        return try ColumnChunkDecoder(
          leaf: file.leaves[index], chunk: chunk, bytes: .copying(Array(bytes[chunk.byteRange])))
      }
      while decoders[0].rowsRemaining > 0 {
        let rows = min(Limits.chunkRowsMax, decoders[0].rowsRemaining)
        chunks.append(Chunk(columns: try decoders.map { try $0.decode(rows: rows).flat() }, rowCount: rows))
      }
    }
  }
}
