// Where to go on after a start (RELIABILITY.md section 1.2). Our own W is the truth; the broker's state is compared with it.
//
//   no W                                     from the first message, epoch 0
//   created differs                          another stream:      epoch + 1, from the first message
//   last < W                                 rewound:             epoch + 1, from the first message
//   message W has another time or checksum   rewound, overtaken:  epoch + 1, from the first message
//   message W is gone and first > W + 1      hole: messages were lost that nobody fetched
//   else                                     from W + 1
//
// After an epoch bump the sink removes by identity what it already has.

import Bedrock
import StorageContract

enum Resume: Equatable {
  case from(sequence: UInt64, epoch: UInt16)
  case newEpoch(sequence: UInt64, epoch: UInt16, reason: NewEpochReason)
  /// Sequences `missing` are lost; going on would be from `missing.upperBound`.
  case hole(missing: Range<UInt64>, epoch: UInt16)

  enum NewEpochReason: String {
    case recreated = "the stream was created anew"
    case rewound = "the stream lost its newest messages"
    case overtaken = "the stream lost its newest messages and has others in their place"
  }

  /// - Parameter message: the message at W's sequence; asked for only when it decides.
  init(
    mark: LogMark?, stream: StreamState, message: (UInt64) throws(Fault) -> Broker.MessageMark?
  ) throws(Fault) {
    guard let mark else {
      self = .from(sequence: stream.first, epoch: 0)
      return
    }
    let position = mark.position
    func bump(_ reason: NewEpochReason) throws(Fault) -> Resume {
      guard position.epoch < 0x7FFF else {
        throw Fault(.programLimitExceeded, "the log has been replaced more often than positions can count")
      }
      return .newEpoch(sequence: stream.first, epoch: position.epoch + 1, reason: reason)
    }
    if stream.createdMicros != mark.streamCreatedMicros {
      self = try bump(.recreated)
    } else if stream.last < position.sequence {
      self = try bump(.rewound)
    } else if let found = try message(position.sequence) {
      let isSame = found.timeMicros == mark.messageTimeMicros && found.checksum == mark.checksum
      self = isSame ? .from(sequence: position.sequence + 1, epoch: position.epoch) : try bump(.overtaken)
    } else if stream.first > position.sequence + 1 {
      self = .hole(missing: (position.sequence + 1)..<stream.first, epoch: position.epoch)
    } else {
      self = .from(sequence: position.sequence + 1, epoch: position.epoch)
    }
  }
}
