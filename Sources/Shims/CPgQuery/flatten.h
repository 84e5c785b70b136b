// What the files that flatten the tree share. Not for importers.
#ifndef CPGQUERY_FLATTEN_H
#define CPGQUERY_FLATTEN_H

#include "CPgQuery.h"

typedef struct Writer {
  uint8_t *bytes;
  size_t count, capacity;
  uint32_t depth, depth_max, nodes, nodes_max;
  SQLParseStatus status;
} Writer;

#define put_null sql_put_null
#define put_int sql_put_int
#define put_string sql_put_string
#define put_list_head sql_put_list_head
#define put_list sql_put_list
#define put_names sql_put_names
#define put_unsupported sql_put_unsupported
#define open_node sql_open_node
#define write_node sql_write_node
#define write_table_statement sql_write_table_statement
#define write_select_into sql_write_select_into

void put_null(Writer *w);
void put_int(Writer *w, int64_t value);
void put_string(Writer *w, const char *text);
void put_list_head(Writer *w, const List *list);
void put_list(Writer *w, const List *list);
void put_names(Writer *w, const List *list);
void put_unsupported(Writer *w, const char *what, int location);
void open_node(Writer *w, SQLNodeKind kind, int location);
void write_node(Writer *w, const void *node);

// flatten_tables.c: statements that make, change and fill tables; false: another statement.
bool write_table_statement(Writer *w, const Node *node);
// SELECT ... INTO, which is CREATE TABLE AS; false: another statement.
bool write_select_into(Writer *w, Node *statement);

#endif
