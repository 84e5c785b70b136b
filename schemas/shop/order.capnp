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
