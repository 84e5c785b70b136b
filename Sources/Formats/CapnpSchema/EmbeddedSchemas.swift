// The vocabulary, the envelope and the example schemas, for a server that runs on embedded defaults. Each text equals the file
// of the same path under `schemas/`; a test compares them.

package enum EmbeddedSchemas {
  /// The id by which a vocabulary file is recognised.
  static let vocabularyID = "@0xc3d6b944f67024a1"

  /// Everything under `schemas/`.
  package static let files: [SchemaText] = [
    SchemaText(path: "cramped/metadata.capnp", text: vocabulary),
    SchemaText(path: "cramped/event.capnp", text: envelope),
    SchemaText(path: "user/identity.capnp", text: identity),
    SchemaText(path: "iot/measurement.capnp", text: measurement),
    SchemaText(path: "shop/order.capnp", text: order),
  ]

  static let vocabulary = #"""
    # The annotation vocabulary of Cramped. Import it as
    #
    #   using Metadata = import "/cramped/metadata.capnp";
    #
    # and give the compiler this folder's parent as import path: `capnp compile -I schemas ...`.
    # Never change an id or an ordinal of this file: compiled producers carry them.

    @0xc3d6b944f67024a1;

    annotation event (struct) :Text;
    # Binds a struct to an event: $Metadata.event("user.identity.created"). The name has the form domain.entity.name; each
    # part is [a-z][a-z0-9_]*. Events of one domain and entity share a table. Field userId is column user_id there; a field
    # named as a column that every table has (sequence, name, published, received, metadata) is column content_<name>.

    # --- What happens to a value before anything is stored. At most one of these stands at a field. ---

    annotation id (field) :Void;
    # The data subject of the event. Stored as it is, never in statistics.

    annotation hash (field) :HashAlgorithm;
    # Stored as a hash only: $Metadata.hash(sha256). Text, Data and integers can be hashed; integers by their decimal digits.

    annotation tokenize (field) :Void;
    # Stored as a token that is the same for the same value within a domain.

    annotation encrypt (field) :Void;
    # Stored sealed under the key of the data subject.

    annotation drop (field) :Void;
    # Never stored; the field has no column.

    annotation none (field) :Void;
    # Reviewed: not personal. Stored as it is.

    annotation onError (field) :ErrorAction;
    # What a value that breaks its type does: $Metadata.onError(reject) (the default) sends the event to cramped.errors,
    # $Metadata.onError(null) stores null.

    # --- What a value means, where the Cap'n Proto type alone does not say it. ---

    annotation timestamp (field) :TimeUnit;
    # An Int64 that counts from 1970-01-01 00:00 UTC: SQL timestamptz. JSON: RFC 3339 text or the number.

    annotation date (field) :Void;
    # An Int32 that counts days from 1970-01-01: SQL date. JSON: "YYYY-MM-DD" or the number.

    annotation uuid (field) :Void;
    # A Text with a UUID: SQL uuid.

    annotation decimal (field) :Decimal;
    # An exact decimal: $Metadata.decimal(precision = 12, scale = 2), SQL numeric(12,2). An Int64 or Int32 holds
    # value * 10^scale; a Text holds the digits. JSON: a number or a text with at most `scale` decimal places.

    enum HashAlgorithm {
      sha256 @0;       # HMAC-SHA-256 under the domain's key, 64 hexadecimal characters
      sha256Plain @1;  # the bare SHA-256, for joins with other systems; short values can be guessed from it
      sha512 @2;       # HMAC-SHA-512 under the domain's key, 128 hexadecimal characters
    }

    enum ErrorAction {
      reject @0;
      null @1;
    }

    enum TimeUnit {
      micros @0;
    }

    struct Decimal {
      precision @0 :UInt8;  # digits in all, 1 to 35
      scale @1 :UInt8;      # digits after the point, at most the precision
    }

    """#

  static let envelope = #"""
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

    """#

  static let identity = #"""
    # A person's identity. Table "user".identity.

    @0xf9ba71397f381ae0;

    using Metadata = import "/cramped/metadata.capnp";

    struct IdentityCreated $Metadata.event("user.identity.created") {
      userId @0 :Text $Metadata.id;             # the data subject
      email  @1 :Text $Metadata.hash(sha256);
      name   @2 :Text $Metadata.tokenize;
    }

    """#

  static let measurement = #"""
    # One measured value of a time series. Table iot.measurement.

    @0xb42766e9790a0d38;

    using Metadata = import "/cramped/metadata.capnp";

    struct MeasurementRecorded $Metadata.event("iot.measurement.recorded") {
      series @0 :Text $Metadata.none;     # what is measured: the device or the metric
      value  @1 :Float64 $Metadata.none;
      unit   @2 :Text $Metadata.none;     # such as "°C"; may be absent
      site   @3 :Text $Metadata.none;     # where; may be absent
    }

    """#

  static let order = #"""
    # An order in a shop. Table shop."order".

    @0xd1acd2cb7a8656dd;

    using Metadata = import "/cramped/metadata.capnp";

    struct OrderPlaced $Metadata.event("shop.order.placed") {
      orderId  @0 :Text $Metadata.none;
      userId   @1 :Text $Metadata.id;
      amount   @2 :Int64 $Metadata.decimal(precision = 12, scale = 2);
      currency @3 :Text $Metadata.none;   # ISO 4217
      country  @4 :Text $Metadata.none;   # ISO 3166-1 alpha-2
      items    @5 :Int32 $Metadata.none;
      channel  @6 :Channel $Metadata.none;
      coupon   @7 :Text $Metadata.none;   # may be absent

      enum Channel {
        web @0;
        app @1;
        store @2;
      }
    }

    """#
}
