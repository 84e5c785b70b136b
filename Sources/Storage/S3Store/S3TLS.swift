// Whom a TLS connection to the store trusts.
//
//   no CA file             the system's certificate authorities
//   a CA file              the authorities in it (PEM), and no others
//   verification off       anybody: said aloud in the log at every start, for a store that is being tried out
//
// A wrong certificate is no trouble of the line: it is not tried again, and its fault says what is wrong.

import Bedrock
import Logging
import NIOSSL

enum S3TLS {
  /// Throws F0000 when the CA file cannot be used, or when TLS settings are given for an address without TLS.
  static func configuration(
    _ options: S3Options, _ endpoint: S3Endpoint, _ log: Logger
  ) throws(Fault) -> TLSConfiguration {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    guard endpoint.isSecure else {
      guard options.caFile.isEmpty && options.verifiesCertificate else {
        throw Fault(
          .configFileError, "certificates of the object store are spoken of, but its address is \(endpoint.scheme)://",
          hint: "Set \"lake.s3.endpoint\" to https://..., or leave \"lake.s3.ca_file\" and \"lake.s3.verify_tls\" alone.")
      }
      return configuration
    }
    if !options.caFile.isEmpty {
      configuration.trustRoots = .certificates(try authorities(options.caFile))
      configuration.additionalTrustRoots = []
    }
    if !options.verifiesCertificate {
      configuration.certificateVerification = .none
      log.warning(
        "certificates of the object store are not verified: anybody on the way can read and change the lake",
        metadata: ["setting": "lake.s3.verify_tls", "store": "\(endpoint.description)"])
    }
    return configuration
  }

  private static func authorities(_ path: String) throws(Fault) -> [NIOSSLCertificate] {
    let certificates: [NIOSSLCertificate]
    do { certificates = try NIOSSLCertificate.fromPEMFile(path) } catch { throw broken(path) }
    guard !certificates.isEmpty else { throw broken(path) }
    return certificates
  }

  private static func broken(_ path: String) -> Fault {
    Fault(
      .configFileError, "\"\(path)\" holds no certificates that can be read",
      hint: "\"lake.s3.ca_file\" names a file with certificates of authorities in PEM form.")
  }

  private static let untrusted = HTTPLoss(
    reason: "the store's certificate is not signed by an authority that is trusted", isFinal: true,
    hint: "For an authority of your own, name its certificate in \"lake.s3.ca_file\".")

  /// What a failed handshake says; nil for errors of other kinds.
  static func loss(_ error: any Error) -> HTTPLoss? {
    if let error = error as? NIOSSLExtraError {
      guard error == .failedToValidateHostname else { return HTTPLoss(reason: "the TLS connection failed") }
      return HTTPLoss(reason: "the store's certificate is for another name", isFinal: true)
    }
    guard let error = error as? NIOSSLError else { return nil }
    if case .handshakeFailed(let reason) = error {
      let text = "\(reason)"
      if text.contains("CERTIFICATE_VERIFY_FAILED") { return untrusted }
      if text.contains("WRONG_VERSION_NUMBER") {
        return HTTPLoss(reason: "the store does not speak TLS at this address", isFinal: true)
      }
    }
    if case .unableToValidateCertificate = error { return untrusted }
    return HTTPLoss(reason: "the TLS connection failed")
  }
}
