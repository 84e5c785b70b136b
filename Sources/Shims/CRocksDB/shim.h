// RocksDB's C interface, for HotTier only.
#include <rocksdb/c.h>
