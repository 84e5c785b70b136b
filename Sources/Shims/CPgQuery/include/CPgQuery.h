// PostgreSQL 15's own parser (libpg_query), its tree flattened into bytes.
//
// libpg_query keeps its tree in thread-local memory, reports errors by longjmp, and prints the tree with an unbounded
// recursion that ends the process on `1+1+1...`. So the tree is walked here, in C, between entering and leaving its
// memory context, with a limit on depth and on nodes, and leaves as one flat buffer in preorder. The parser itself
// keeps its stack on the heap (YYMAXDEPTH 10,000 levels), so no long statement can exhaust the caller's stack.
//
// A value begins with one byte:
//   'n'                                   nothing (a NULL node, string or list)
//   'i' int64                             integer, boolean, enumeration
//   's' uint32 count, bytes               string without its NUL
//   '[' uint32 count, values              list
//   '(' uint8 kind, int32 byte offset     node; its fields follow as values, in the order of write_node (flatten.c)
// Integers are little-endian and unaligned. A location of -1 is unknown.
#ifndef CPGQUERY_H
#define CPGQUERY_H

#include <stddef.h>
#include <stdint.h>

typedef enum __attribute__((enum_extensibility(closed))) SQLNodeKind : uint8_t {
  SQLNodeKindStatement = 1,
  SQLNodeKindSelect,
  SQLNodeKindExplain,
  SQLNodeKindSetVariable,
  SQLNodeKindShowVariable,
  SQLNodeKindTransaction,
  SQLNodeKindPrepare,
  SQLNodeKindExecute,
  SQLNodeKindDeallocate,
  SQLNodeKindDeclareCursor,
  SQLNodeKindFetch,
  SQLNodeKindCloseCursor,
  SQLNodeKindCall,
  SQLNodeKindDiscard,
  SQLNodeKindCopy,
  SQLNodeKindListen,
  SQLNodeKindUnlisten,
  SQLNodeKindCreateForeignTable,
  SQLNodeKindDropForeignTable,
  SQLNodeKindCreateView,
  SQLNodeKindDropView,
  SQLNodeKindComment,
  SQLNodeKindColumnDefinition,
  SQLNodeKindInsert,
  SQLNodeKindUpdate,
  SQLNodeKindDelete,
  SQLNodeKindTruncate,
  SQLNodeKindCreateTable,
  SQLNodeKindCreateTableAs,
  SQLNodeKindTableColumn,
  SQLNodeKindAssignment,
  SQLNodeKindCreateSchema,
  SQLNodeKindDropTable,
  SQLNodeKindDropSchema,
  SQLNodeKindRenameTable,
  SQLNodeKindAddColumn,
  SQLNodeKindOther,
  SQLNodeKindOption,
  SQLNodeKindWith,
  SQLNodeKindCommonTable,
  SQLNodeKindSearch,
  SQLNodeKindCycle,
  SQLNodeKindTarget,
  SQLNodeKindRelation,
  SQLNodeKindSubselect,
  SQLNodeKindFunctionTable,
  SQLNodeKindSample,
  SQLNodeKindJoin,
  SQLNodeKindAlias,
  SQLNodeKindSort,
  SQLNodeKindWindow,
  SQLNodeKindGroupingSet,
  SQLNodeKindColumn,
  SQLNodeKindParameter,
  SQLNodeKindConstant,
  SQLNodeKindOperator,
  SQLNodeKindBoolean,
  SQLNodeKindNullTest,
  SQLNodeKindBooleanTest,
  SQLNodeKindCase,
  SQLNodeKindCaseWhen,
  SQLNodeKindCoalesce,
  SQLNodeKindMinMax,
  SQLNodeKindCast,
  SQLNodeKindCollate,
  SQLNodeKindTypeName,
  SQLNodeKindFunction,
  SQLNodeKindNamedArgument,
  SQLNodeKindValueFunction,
  SQLNodeKindArray,
  SQLNodeKindRow,
  SQLNodeKindSubquery,
  SQLNodeKindIndirection,
  SQLNodeKindSubscript,
  SQLNodeKindField,
  SQLNodeKindGrouping,
  SQLNodeKindDefault,
  // A node with no form here: one string, what it is.
  SQLNodeKindUnsupported,
} SQLNodeKind;

typedef enum __attribute__((enum_extensibility(closed))) SQLParseStatus : uint8_t {
  SQLParseStatusParsed,
  SQLParseStatusSyntaxError,
  SQLParseStatusTooDeep,
  SQLParseStatusTooManyNodes,
  SQLParseStatusOutOfMemory,
} SQLParseStatus;

typedef struct SQLParseResult {
  SQLParseStatus status;
  // The flat tree: a list of statement nodes; NULL unless parsed.
  uint8_t *bytes;
  size_t count;
  // The parser's message, and its 1-based position in characters (0: none); NULL unless a syntax error.
  char *message;
  int32_t position;
} SQLParseResult;

// Parses NUL-terminated UTF-8. The result is freed with sql_parse_free, whatever its status.
SQLParseResult sql_parse(const char *text, uint32_t depth_max, uint32_t nodes_max);
void sql_parse_free(SQLParseResult result);

#endif
