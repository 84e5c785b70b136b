import ArgumentParser
import Bedrock
import EventSchema
import Foundation
import Ingest
import Runtime

struct PublishCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "publish", abstract: "Publishes events from NDJSON or CSV files to NATS.",
    discussion: """
      NDJSON: one event a line, as {"event": ..., "sequence": ..., "metadata": {"published": ...}, "content": {...}}, or \
      with --event just the content. CSV: a header line, then one event a line.

        cramped publish events.ndjson
        cramped publish --event iot.measurement.recorded --published timestamp --map value=value \\
          --set 'series={file}' --sequence-start 1 data/*.csv

      Publishing the same files again stores nothing twice: sequences are the same, so the events are known.
      Exit status 65 when some records could not be published; they are listed with file and line.
      """)

  @OptionGroup var broker: BrokerArguments

  @Option(name: .long, help: "The event of records that do not name one: domain.entity.name.")
  var event: String?

  @Option(name: .customLong("sequence-start"), help: "Number the records from here on, over all files.")
  var sequenceStart: Int64?

  @Option(name: .customLong("sequence-column"), help: "Take the sequence from this column.")
  var sequenceColumn: String?

  @Option(name: .long, help: "The column with the time: RFC 3339, the same without offset (UTC), or microseconds.")
  var published: String?

  @Option(name: .long, help: "A content field and its column, field=column. May be repeated. Default: all columns.")
  var map: [String] = []

  @Option(name: .long, help: "A content field with one value, field=value; {file} is the file's base name.")
  var set: [String] = []

  @Option(name: .long, help: "Events a second at most.")
  var rate: Double?

  @Flag(name: .customLong("without-message-ids"), help: "Send no Nats-Msg-Id, so that the broker recognises no repeats.")
  var withoutMessageIDs = false

  @Option(name: .customLong("schemas"), help: "Folder of schema files, for the types of CSV values.")
  var schemas: String = ""

  @Flag(name: .long, help: "No progress bar.")
  var quiet = false

  @Argument(help: ".csv files are CSV, all others NDJSON.", completion: .file())
  var files: [String]

  func validate() throws {
    if sequenceStart != nil && sequenceColumn != nil {
      throw ValidationError("--sequence-start and --sequence-column exclude each other")
    }
    if let rate, rate <= 0 { throw ValidationError("--rate must be over 0") }
    if files.isEmpty { throw ValidationError("name at least one file") }
    for pair in map + set where !pair.contains("=") { throw ValidationError("\"\(pair)\" has no =") }
  }

  func run() throws {
    do throws(Fault) {
      let bar = ProgressBar(isShown: !quiet)
      let publisher = try EventPublisher(broker: try broker.options(), stream: try broker.stream())
      let report = try PublishPlan(try options()).run(to: publisher) { bar.show($0) }
      bar.finish()
      for problem in report.problems { writeError("\(problem)\n") }
      let rate = report.seconds > 0 ? Int(Double(report.events) / report.seconds) : 0
      print("\(report.events) events published in \(Int(report.seconds)) s (\(rate)/s); "
        + "\(report.totals.duplicates) known to the broker already; \(report.problemCount) records refused")
      if report.problemCount > 0 {
        throw Fault(.invalidParameterValue, "\(report.problemCount) records could not be published")
      }
    } catch { throw report(error) }
  }

  private func options() throws(Fault) -> PublishOptions {
    var options = PublishOptions()
    options.files = files
    if let event { options.event = try EventName(event) }
    if let sequenceStart { options.sequence = .start(sequenceStart) }
    if let sequenceColumn { options.sequence = .column(sequenceColumn) }
    options.publishedColumn = published
    options.mappings = map.map { pair in
      let (field, column) = Self.split(pair)
      return (field: field, column: column)
    }
    options.literals = set.map { pair in
      let (field, value) = Self.split(pair)
      return (field: field, value: value)
    }
    options.eventTypes = try SchemaSource.events(folder: schemas)
    options.ratePerSecond = rate
    options.sendsMessageIDs = !withoutMessageIDs
    return options
  }

  private static func split(_ pair: String) -> (String, String) {
    let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    return (String(parts[0]), String(parts[1]))
  }
}

/// How a command reaches NATS: the server's configuration, or an address on the command line.
struct BrokerArguments: ParsableArguments {
  @OptionGroup var source: ConfigurationOptions

  @Option(name: .long, help: "Address of the NATS server; without it, that of the configuration.")
  var nats: String?

  private func settings() throws(Fault) -> Configuration.NATS {
    var settings = try source.load().nats
    if let nats { settings.url = nats }
    return settings
  }

  func options() throws(Fault) -> BrokerOptions { try BrokerSettings.options(try settings()) }
  func stream() throws(Fault) -> StreamOptions { BrokerSettings.stream(try settings()) }
  func subjectPrefix() throws(Fault) -> String { try settings().subjectPrefix }
}

/// A line on standard error that fills up; nothing when standard error is not a terminal.
struct ProgressBar {
  private let isShown: Bool
  private static let width = 30

  init(isShown: Bool) { self.isShown = isShown && isatty(2) == 1 }

  func show(_ progress: PublishProgress) {
    guard isShown else { return }
    let total = max(progress.bytesTotal, 1)
    let filled = min(Self.width, Int(Int64(Self.width) * min(progress.bytesRead, total) / total))
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: Self.width - filled)
    let name = URL(fileURLWithPath: progress.file).lastPathComponent
    writeError("\r[\(bar)] \(progress.events) events, file \(progress.fileIndex + 1) of \(progress.fileCount): \(name)\u{1B}[K")
  }

  func finish() {
    if isShown { writeError("\n") }
  }
}
