// simdjson's DOM parser behind C functions: bytes in, tape out. No logic of our own.
// Tape format: https://github.com/simdjson/simdjson/blob/master/doc/tape.md
#ifndef CRAMPED_CSIMDJSON_H
#define CRAMPED_CSIMDJSON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A parser with the memory of its last document. One thread at a time.
typedef struct cramped_json_parser cramped_json_parser;

/// NULL when memory is short.
cramped_json_parser *cramped_json_parser_create(size_t max_bytes, size_t max_depth);
void cramped_json_parser_destroy(cramped_json_parser *parser);

/// Parses one document, which need not be padded. 0, or an error code of simdjson. After 0, tape and strings stay valid
/// until the next call.
int cramped_json_parse(cramped_json_parser *parser, const uint8_t *bytes, size_t count);
const uint64_t *cramped_json_tape(const cramped_json_parser *parser);
const uint8_t *cramped_json_strings(const cramped_json_parser *parser);

/// The sentence that belongs to an error code; static memory.
const char *cramped_json_error_message(int code);

/// True when the error says that memory was short rather than that the document is wrong.
int cramped_json_error_is_memory(int code);
/// True when the error says that the bytes are not UTF-8.
int cramped_json_error_is_utf8(int code);

#ifdef __cplusplus
}
#endif
#endif
