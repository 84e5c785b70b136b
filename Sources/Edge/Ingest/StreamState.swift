// The stream: what it is now, how it is made, and which settings of a foreign one lose data.

import Bedrock
import CNATS
import Glibc

/// What tells whether a stream is still the one we know.
struct StreamState: Sendable, Equatable {
  var createdMicros: Int64
  /// First and last sequence there are; `first` is `last + 1` when the stream is empty.
  var first: UInt64
  var last: UInt64
}

struct StreamReport: Sendable {
  var state: StreamState
  /// Sentences for the log.
  var warnings: [String]
}

extension Broker {
  /// The state of the stream; makes it when there is none. Throws 55000 for a stream whose acks delete data.
  func prepareStream(_ options: StreamOptions) throws(Fault) -> StreamReport {
    var info: UnsafeMutablePointer<jsStreamInfo>?
    defer { jsStreamInfo_Destroy(info) }
    var code = jsErrCode(0)
    var status = js_GetStreamInfo(&info, context, options.name, nil, &code)
    if status == NATS_NOT_FOUND && options.createIfAbsent {
      let made = addStream(options)
      if made.status == NATS_OK { return StreamReport(state: try streamState(options.name), warnings: []) }
      // Another process may have made it between the two calls; only a stream that is still absent is a failure.
      let failure = BrokerFault.make(made.status, "stream \(options.name) cannot be made", code: made.code)
      status = js_GetStreamInfo(&info, context, options.name, nil, &code)
      if status == NATS_NOT_FOUND { throw failure }
    }
    guard status == NATS_OK, let info else { throw BrokerFault.make(status, "stream \(options.name)", code: code) }
    let warnings = try review(info.pointee, options)
    return StreamReport(state: Self.state(info.pointee), warnings: warnings)
  }

  func streamState(_ name: String) throws(Fault) -> StreamState {
    var info: UnsafeMutablePointer<jsStreamInfo>?
    defer { jsStreamInfo_Destroy(info) }
    var code = jsErrCode(0)
    let status = js_GetStreamInfo(&info, context, name, nil, &code)
    guard status == NATS_OK, let info else { throw BrokerFault.make(status, "stream \(name)", code: code) }
    return Self.state(info.pointee)
  }

  private static func state(_ info: jsStreamInfo) -> StreamState {
    let first = info.State.Msgs == 0 ? info.State.LastSeq + 1 : info.State.FirstSeq
    return StreamState(createdMicros: info.Created / 1_000, first: max(first, 1), last: info.State.LastSeq)
  }

  private func addStream(_ options: StreamOptions) -> (status: natsStatus, code: jsErrCode) {
    var config = jsStreamConfig()
    jsStreamConfig_Init(&config)
    config.Retention = js_LimitsPolicy
    config.Storage = js_FileStorage
    config.Discard = js_DiscardOld
    config.Replicas = options.replicas
    config.MaxAge = options.maxAgeSeconds * 1_000_000_000
    config.Duplicates = options.duplicateWindowSeconds * 1_000_000_000
    var code = jsErrCode(0)
    let status = options.name.withCString { name in
      config.Name = name
      var subjects = options.subjects.map { strdup($0).map { UnsafePointer($0) } }
      defer { for subject in subjects { free(UnsafeMutableRawPointer(mutating: subject)) } }
      let count = Int32(subjects.count)
      return subjects.withUnsafeMutableBufferPointer { list in
        config.Subjects = list.baseAddress
        config.SubjectsLen = count
        return js_AddStream(nil, context, &config, nil, &code)
      }
    }
    return (status, code)
  }

  private func review(_ info: jsStreamInfo, _ options: StreamOptions) throws(Fault) -> [String] {
    guard let config = info.Config?.pointee else { throw Fault.bug("stream information without configuration") }
    guard config.Retention == js_LimitsPolicy else {
      throw Fault(
        .objectNotInPrerequisiteState, "stream \(options.name) deletes messages once they are acknowledged",
        detail: "Its retention is not \"limits\"; a lost hot tier could not be rebuilt from it.",
        hint: "Make the stream with retention \"limits\", or name another stream.")
    }
    var warnings: [String] = []
    if config.Storage == js_MemoryStorage { warnings.append("keeps messages in memory: a restart of the broker loses them") }
    if config.MaxMsgs > 0 || config.MaxBytes > 0, config.Discard == js_DiscardOld {
      warnings.append("drops its oldest messages at a size limit, fetched or not")
    }
    if config.MaxMsgsPerSubject > 0 { warnings.append("keeps only \(config.MaxMsgsPerSubject) messages of a subject") }
    if config.MaxAge > 0 && config.MaxAge < 86_400_000_000_000 {
      warnings.append("drops messages after \(config.MaxAge / 1_000_000_000) s, fetched or not")
    }
    if config.NoAck { warnings.append("does not acknowledge publishers: they cannot know that an event is kept") }
    return warnings
  }

  // MARK: Single messages

  /// What identifies a stored message.
  struct MessageMark: Equatable {
    var timeMicros: Int64
    var checksum: UInt32
  }

  /// The mark of message `sequence`, or `nil` when the stream does not have it.
  func messageMark(stream: String, sequence: UInt64) throws(Fault) -> MessageMark? {
    var message: OpaquePointer?
    defer { natsMsg_Destroy(message) }
    var code = jsErrCode(0)
    let status = js_GetMsg(&message, context, stream, sequence, nil, &code)
    if status == NATS_NOT_FOUND { return nil }
    guard status == NATS_OK, let message else {
      throw BrokerFault.make(status, "message \(sequence) of stream \(stream)", code: code)
    }
    let view = MessageView(message)
    return MessageMark(timeMicros: natsMsg_GetTime(message) / 1_000, checksum: view.checksum)
  }
}
