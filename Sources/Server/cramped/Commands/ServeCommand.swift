import ArgumentParser
import Bedrock
import Logging
import Runtime
import Telemetry

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Runs the server until it gets SIGTERM or SIGINT.")

  @OptionGroup var source: ConfigurationOptions

  func run() async throws {
    Limits.check()
    let settings: Configuration
    do throws(Fault) { settings = try source.load() } catch { throw report(error) }
    // The choice was checked when the configuration was read.
    let level = Logger.Level(rawValue: settings.server.logLevel) ?? .info
    bootstrapLogging(level: level, format: settings.server.logFormat == .json ? .json : .text, clock: .system)
    let log = Logger(label: "cramped")
    do {
      try await Server(settings, log: log).run()
    } catch let fault as Fault {
      log.critical("\(fault.message)", metadata: ["sqlstate": "\(fault.state.text)"])
      throw report(fault)
    }
  }
}
