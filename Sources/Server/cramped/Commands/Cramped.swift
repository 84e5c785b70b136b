// The command line: one binary, one subcommand a purpose.

import ArgumentParser
import Bedrock
import Glibc

@main
struct Cramped: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cramped",
    abstract: "A lakehouse for domain events: NATS in, PostgreSQL protocol out, Delta Lake below.",
    discussion: """
      Exit status: 0 done; 64 wrong usage; 65 bad input (a schema, an event file, stored data); 69 a server this one \
      needs cannot be reached; 70 a defect; 73 an address or a folder is taken; 74 a disk or file error; 78 wrong \
      configuration.
      """,
    version: ServerVersion.text,
    subcommands: [
      ServeCommand.self, PublishCommand.self, DemoCommand.self, SchemaCommand.self, ConfigCommand.self, ParquetCommand.self,
    ])
}

/// The version that `cramped --version`, `version()` and the logs tell.
enum ServerVersion {
  static let text = "0.1.0"
}

/// Ends a command by a fault: its text on standard error, its status as sysexits.h has them.
func report(_ fault: Fault) -> ExitCode {
  var text = "cramped: \(fault.message)\n"
  if let detail = fault.detail { text += "  \(detail)\n" }
  if let hint = fault.hint { text += "  \(hint)\n" }
  writeError(text)
  return ExitCode(exitStatus(fault))
}

private func exitStatus(_ fault: Fault) -> Int32 {
  switch fault.state {
  case .configFileError: return 78
  case .connectionFailure, .cannotConnectNow: return 69
  case .objectNotInPrerequisiteState: return 73
  case .ioError, .diskFull, .undefinedFile: return 74
  default: break
  }
  switch fault.kind {
  case .callersMistake, .unsupported, .corrupt, .gone: return 65
  case .tryLater, .cancelled: return 69
  case .bug: return 70
  }
}

/// A text on standard error, where progress and complaints go; answers go to standard output.
func writeError(_ text: String) {
  var text = text
  // Standard error that cannot be written leaves nobody to tell.
  text.withUTF8 { _ = write(2, $0.baseAddress, $0.count) }
}
