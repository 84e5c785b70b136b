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
