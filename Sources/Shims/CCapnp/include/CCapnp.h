// Reads Cap'n Proto schema files with libcapnp's own parser and hands out what it found as plain C values.
//
// The files come as texts in memory: the parser sees nothing of the disk, so an import cannot leave the schema folder.
// All pointers live as long as the result. C++ exceptions end here.

#ifndef CRAMPED_CCAPNP_H
#define CRAMPED_CCAPNP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The wire type of a field; `schema.capnp` has the same order up to `any_pointer`.
typedef enum {
  CRAMPED_CAPNP_VOID, CRAMPED_CAPNP_BOOL, CRAMPED_CAPNP_INT8, CRAMPED_CAPNP_INT16, CRAMPED_CAPNP_INT32,
  CRAMPED_CAPNP_INT64, CRAMPED_CAPNP_UINT8, CRAMPED_CAPNP_UINT16, CRAMPED_CAPNP_UINT32, CRAMPED_CAPNP_UINT64,
  CRAMPED_CAPNP_FLOAT32, CRAMPED_CAPNP_FLOAT64, CRAMPED_CAPNP_TEXT, CRAMPED_CAPNP_DATA, CRAMPED_CAPNP_LIST,
  CRAMPED_CAPNP_ENUM, CRAMPED_CAPNP_STRUCT, CRAMPED_CAPNP_INTERFACE, CRAMPED_CAPNP_ANY_POINTER, CRAMPED_CAPNP_GROUP
} cramped_capnp_kind;

typedef struct {
  const char *path;
  const char *text;
  size_t length;
} cramped_capnp_file;

// An annotation of the vocabulary file. `text`: a Text value or the name of an enumerant, else null. `first`, `second`:
// the first two integer fields of a struct value.
typedef struct {
  const char *name;
  const char *text;
  uint64_t first;
  uint64_t second;
} cramped_capnp_annotation;

typedef struct {
  const char *name;
  cramped_capnp_kind kind;
  uint32_t offset;          // in units of the type's size, or the index of the pointer
  uint64_t default_bits;
  bool has_default_pointer;
  bool in_union;
  const char *const *enumerants;
  size_t enumerant_count;
  const cramped_capnp_annotation *annotations;
  size_t annotation_count;
} cramped_capnp_field;

typedef struct {
  const char *path;         // the file
  const char *name;         // within the file: `Outer.Inner`
  uint64_t id;
  const cramped_capnp_field *fields;
  size_t field_count;
  const cramped_capnp_annotation *annotations;
  size_t annotation_count;
} cramped_capnp_struct;

typedef struct cramped_capnp_result cramped_capnp_result;

// Parses `files[0 ..< count]`, which see each other. `vocabulary` is the path of the annotation file among them.
// Never null unless out of memory.
cramped_capnp_result *cramped_capnp_parse(
    const cramped_capnp_file *files, size_t count, const char *vocabulary);
void cramped_capnp_free(cramped_capnp_result *result);

// Null when all is well.
const char *cramped_capnp_error(const cramped_capnp_result *result);
const char *cramped_capnp_error_path(const cramped_capnp_result *result);
int32_t cramped_capnp_error_line(const cramped_capnp_result *result);

// Every struct of every file, in file order and order of declaration.
size_t cramped_capnp_struct_count(const cramped_capnp_result *result);
const cramped_capnp_struct *cramped_capnp_struct_at(const cramped_capnp_result *result, size_t index);

#ifdef __cplusplus
}
#endif
#endif
