// The C interfaces of the block codecs. Only the module Compression imports this.
#pragma once
#include <brotli/decode.h>
#include <lz4.h>
#include <lz4frame.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>
