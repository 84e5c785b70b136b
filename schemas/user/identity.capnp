# A person's identity. Table "user".identity.

@0xf9ba71397f381ae0;

using Metadata = import "/cramped/metadata.capnp";

struct IdentityCreated $Metadata.event("user.identity.created") {
  userId @0 :Text $Metadata.id;             # the data subject
  email  @1 :Text $Metadata.hash(sha256);
  name   @2 :Text $Metadata.tokenize;
}
