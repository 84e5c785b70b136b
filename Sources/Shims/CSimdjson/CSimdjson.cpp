#include "CSimdjson.h"

#include <simdjson.h>

#include <new>

struct cramped_json_parser {
  simdjson::dom::parser parser;
  size_t max_bytes;
  size_t max_depth;
};

namespace {

constexpr size_t smallest_capacity = 4096;

// Grows in powers of two, so that a stream of slowly growing documents does not reallocate each time.
simdjson::error_code reserve(cramped_json_parser *self, size_t count) {
  if (count > self->max_bytes) return simdjson::CAPACITY;
  if (self->parser.capacity() >= count && self->parser.doc.capacity() >= count) return simdjson::SUCCESS;
  size_t capacity = smallest_capacity;
  while (capacity < count) capacity *= 2;
  if (capacity > self->max_bytes) capacity = self->max_bytes > smallest_capacity ? self->max_bytes : smallest_capacity;
  auto error = self->parser.allocate(capacity, self->max_depth);
  if (error) return error;
  return self->parser.doc.allocate(capacity);
}

}  // namespace

extern "C" {

cramped_json_parser *cramped_json_parser_create(size_t max_bytes, size_t max_depth) {
  auto self = new (std::nothrow) cramped_json_parser{simdjson::dom::parser{}, max_bytes, max_depth};
  if (self && reserve(self, smallest_capacity < max_bytes ? smallest_capacity : max_bytes)) {
    delete self;
    return nullptr;
  }
  return self;
}

void cramped_json_parser_destroy(cramped_json_parser *parser) { delete parser; }

int cramped_json_parse(cramped_json_parser *self, const uint8_t *bytes, size_t count) {
  auto error = reserve(self, count);
  if (error) return error;
  return self->parser.parse(bytes, count, true).error();
}

const uint64_t *cramped_json_tape(const cramped_json_parser *self) { return self->parser.doc.tape.get(); }
const uint8_t *cramped_json_strings(const cramped_json_parser *self) { return self->parser.doc.string_buf.get(); }

const char *cramped_json_error_message(int code) {
  return simdjson::error_message(static_cast<simdjson::error_code>(code));
}

int cramped_json_error_is_memory(int code) { return code == simdjson::MEMALLOC; }
int cramped_json_error_is_utf8(int code) { return code == simdjson::UTF8_ERROR; }

}  // extern "C"
