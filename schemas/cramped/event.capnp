# The envelope of an event in Cap'n Proto, with the same meaning as the JSON envelope.
#
# A message on the broker is one Envelope in standard stream framing, plain or packed, with the header
# `Content-Type: application/capnp`.

@0x924bf90ca207293f;

struct Envelope {
  event @0 :Text;
  # domain.entity.name; the subject is `events.` and this.

  sequence @1 :Int64 = -1;
  # Of this event within its domain and entity, from 0. -1: the header Cramped-Sequence has it.

  published @2 :Int64;
  # Microseconds since 1970-01-01 00:00 UTC.

  metadata @3 :List(Entry);
  # Whatever else the producer wants kept; column `metadata` has it as a JSON object of texts.

  content @4 :AnyPointer;
  # The event's own struct (the one with $Metadata.event), or a Data that holds a message in stream framing whose root
  # is that struct.

  struct Entry {
    key @0 :Text;
    value @1 :Text;
  }
}
