import ArgumentParser
import Bedrock
import Foundation

struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Prints every setting as `cramped serve` would use it, and checks them.")

  @OptionGroup var source: ConfigurationOptions

  func run() throws {
    do throws(Fault) {
      for (key, value) in try source.load().listing { print("\(key): \(value)") }
    } catch { throw report(error) }
  }
}

/// Where the configuration comes from, for every command that needs one.
struct ConfigurationOptions: ParsableArguments {
  @Option(
    name: .long, help: "The configuration file. Without it: CRAMPED_CONFIG, else the defaults.", completion: .file())
  var config: String?

  /// Throws F0000 for a file that cannot be read or holds something wrong.
  func load() throws(Fault) -> Configuration {
    let environment = ProcessInfo.processInfo.environment
    var source = SettingSource()
    if let path = config ?? environment["CRAMPED_CONFIG"] {
      guard let data = FileManager.default.contents(atPath: path) else {
        throw Fault(.configFileError, "cannot read the configuration file \(path)")
      }
      guard let text = String(data: data, encoding: .utf8) else {
        throw Fault(.configFileError, "\(path) is not UTF-8")
      }
      try source.add(yaml: text, file: path)
    }
    source.add(environment: environment)
    return try Configuration(&source)
  }
}
