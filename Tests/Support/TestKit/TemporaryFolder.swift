// A folder of a test's own, removed with it.

import Foundation

package final class TemporaryFolder: Sendable {
  package let path: String

  package init(_ name: String = "cramped") throws {
    let base = FileManager.default.temporaryDirectory.appendingPathComponent("\(name)-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: base, withIntermediateDirectories: true)
    path = base.path
  }

  package func file(_ name: String) -> String { "\(path)/\(name)" }

  // A folder that cannot be removed is left for the system's own cleaning; a test's verdict does not depend on it.
  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// The root of the checkout.
package let checkout: String = {
  var url = URL(fileURLWithPath: #filePath)
  for _ in 0..<4 { url.deleteLastPathComponent() }
  return url.path
}()

/// The folder of shared documents and data beside the checkout, when this machine has it.
package let sharedFolder: String? = {
  let path = URL(fileURLWithPath: checkout).deletingLastPathComponent().appendingPathComponent("shared").path
  return FileManager.default.fileExists(atPath: path) ? path : nil
}()
