// The C interfaces of the three block codecs. Only the module Compression imports this.
#pragma once
#include <lz4.h>
#include <snappy-c.h>
#include <zstd.h>
