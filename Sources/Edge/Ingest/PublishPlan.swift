// The work of `cramped publish`: files in, events on the stream, a report out.

package import Bedrock
package import Runtime
import Glibc
import JSONTape

package struct PublishPlan: Sendable {
  private let options: PublishOptions
  private let clock: Clock
  private static let problemsMax = 100

  package init(_ options: PublishOptions, clock: Clock = .system) {
    self.options = options
    self.clock = clock
  }

  /// Publishes all files and waits until the broker has acknowledged every event. Blocks. `progress` is called about ten
  /// times a second. Throws for files that cannot be read and for a broker that gives no answer; bad records are in
  /// the report.
  package func run(
    to publisher: EventPublisher, cancellation: Cancellation = Cancellation(), progress: (PublishProgress) -> Void
  ) throws(Fault) -> PublishReport {
    var run = Run(options: options, clock: clock, publisher: publisher, cancellation: cancellation)
    for (index, path) in options.files.enumerated() where !run.isDone {
      run.progress.file = path
      run.progress.fileIndex = index
      try path.hasSuffix(".csv") ? run.publishCSV(path, progress) : run.publishLines(path, progress)
    }
    run.report.totals = try publisher.finish()
    run.report.seconds = Double(clock.monotonicNanos() - run.startNanos) / 1e9
    progress(run.progress)
    return run.report
  }

  /// One run: counters and the pace.
  private struct Run {
    let options: PublishOptions
    let clock: Clock
    let publisher: EventPublisher
    let cancellation: Cancellation
    let builder: EnvelopeBuilder
    let rate: Pace
    let startNanos: UInt64
    var report = PublishReport()
    var progress = PublishProgress()
    var isDone = false
    private var records = 0
    private var counted: Int64
    private var lastProgressNanos: UInt64 = 0
    private var bytesBefore: Int64 = 0

    init(options: PublishOptions, clock: Clock, publisher: EventPublisher, cancellation: Cancellation) {
      self.options = options
      self.clock = clock
      self.publisher = publisher
      self.cancellation = cancellation
      builder = EnvelopeBuilder(options: options, subjectPrefix: publisher.subjectPrefix, clock: clock)
      rate = Pace(ratePerSecond: options.ratePerSecond ?? 0, clock: clock)
      startNanos = clock.monotonicNanos()
      if case .start(let first) = options.sequence { counted = first } else { counted = 0 }
      progress.fileCount = options.files.count
      for path in options.files {
        var status = stat()
        if stat(path, &status) == 0 { progress.bytesTotal += Int64(status.st_size) }
      }
    }

    mutating func publishLines(_ path: String, _ tell: (PublishProgress) -> Void) throws(Fault) {
      var reader = try LineReader(path: path)
      var parser = JSONParser(bytesMax: Limits.eventBytesMax, depthMax: Limits.jsonDepthMax)
      var line: [UInt8] = []
      var number = 0
      while !isDone, try reader.next(into: &line) {
        number += 1
        if line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) {
          let automatic = sequence(path, record: number)
          do throws(RecordProblem) {
            let event = try builder.event(line: line, &parser, path: path, automatic: automatic)
            try send(event)
          } catch { note(path, number, error) }
          try pace(reader.bytesRead, tell)
        }
        line.removeAll(keepingCapacity: true)
      }
      bytesBefore += reader.bytesRead
    }

    mutating func publishCSV(_ path: String, _ tell: (PublishProgress) -> Void) throws(Fault) {
      var reader = try LineReader(path: path)
      var text: [UInt8] = []
      var lines = 0
      guard let header = try record(&reader, &text, &lines) else { return }
      let plan: EnvelopeBuilder.CSVPlan
      do throws(RecordProblem) {
        guard let names = CSVRecord.fields(header) else { throw RecordProblem("the header is no CSV") }
        plan = try builder.plan(header: names, path: path)
      } catch { throw Fault(.invalidParameterValue, "\(path):1: \(error.message)") }
      var number = 0
      while !isDone {
        let line = lines + 1
        guard let record = try record(&reader, &text, &lines) else { break }
        if record.isEmpty || record == [0x0D] { continue }
        number += 1
        let automatic = sequence(path, record: number)
        do throws(RecordProblem) {
          guard let fields = CSVRecord.fields(record) else { throw RecordProblem("the record is no CSV") }
          try send(try builder.event(fields, plan, automatic: automatic))
        } catch { note(path, line, error) }
        try pace(reader.bytesRead, tell)
      }
      bytesBefore += reader.bytesRead
    }

    /// The text of the next CSV record, quoted line ends included.
    private func record(_ reader: inout LineReader, _ text: inout [UInt8], _ lines: inout Int) throws(Fault) -> [UInt8]? {
      text.removeAll(keepingCapacity: true)
      guard try reader.next(into: &text) else { return nil }
      lines += 1
      while CSVRecord.isOpen(text) {
        text.append(0x0A)
        guard try reader.next(into: &text) else { break }
        lines += 1
      }
      return text
    }

    /// The sequence of a record that brings none.
    private mutating func sequence(_ path: String, record: Int) -> Int64 {
      switch options.sequence {
      case .auto:
        let base = Array((path.split(separator: "/").last ?? "").utf8)
        let hash = CRC32C.checksum(base.span.bytes) & 0x7FFF_FFFF
        return Int64(hash) << 32 | Int64(UInt32(truncatingIfNeeded: record))
      case .start:
        defer { counted += 1 }
        return counted
      case .column: return 0
      }
    }

    private mutating func send(_ event: OutgoingEvent) throws(RecordProblem) {
      do throws(Fault) { try publisher.publish(event) } catch {
        guard error.kind == .callersMistake else {
          fatal = error
          isDone = true
          return
        }
        throw RecordProblem(error.message)
      }
      report.events += 1
      progress.events += 1
      records += 1
      if let most = options.recordsMax, records >= most { isDone = true }
    }
    private var fatal: Fault?

    private mutating func note(_ path: String, _ line: Int, _ problem: RecordProblem) {
      report.problemCount += 1
      if report.problems.count < PublishPlan.problemsMax {
        report.problems.append(PublishProblem(file: path, line: line, message: problem.message))
      }
      if options.stopAtFirstProblem { isDone = true }
    }

    /// Keeps the rate, tells the progress, and ends on a cancel or a broker that is gone.
    private mutating func pace(_ bytes: Int64, _ tell: (PublishProgress) -> Void) throws(Fault) {
      if let fatal { throw fatal }
      try rate.wait(after: records, cancellation)
      if records & 255 == 0 { try cancellation.check() }
      let now = clock.monotonicNanos()
      guard now - lastProgressNanos > 100_000_000 else { return }
      lastProgressNanos = now
      progress.bytesRead = bytesBefore + bytes
      tell(progress)
    }
  }
}
