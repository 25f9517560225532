#pragma once

#include <zlib.h>

// What Swift cannot import: macros that pass the header's version and the stream's size.

/// Prepares `stream` to write a gzip file (RFC 1952).
static inline int dimple_deflate_init_gzip(z_stream *stream, int level) {
  return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}

/// Prepares `stream` to read a gzip file (RFC 1952) and nothing else.
static inline int dimple_inflate_init_gzip(z_stream *stream) { return inflateInit2(stream, 15 + 16); }
