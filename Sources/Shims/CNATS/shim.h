// The C API of libnats 3.4.1 (https://nats-io.github.io/nats.c/). Only Ingest imports this module.
#include <nats/nats.h>
