// Statements that make, change and fill tables: INSERT, UPDATE, DELETE, TRUNCATE, CREATE TABLE (AS), CREATE SCHEMA,
// DROP, and of ALTER TABLE what renames a table or adds a column. See CPgQuery.h.
//
// What a table or a column may have beyond names, types, NOT NULL and DEFAULT leaves as its name, to be refused.

#include "postgres.h"

#include "nodes/parsenodes.h"
#include "nodes/primnodes.h"
#include "nodes/value.h"

#include "flatten.h"

static const char *constraint_name(ConstrType type) {
  switch (type) {
    case CONSTR_PRIMARY: return "PRIMARY KEY";
    case CONSTR_UNIQUE: return "UNIQUE";
    case CONSTR_FOREIGN: return "FOREIGN KEY";
    case CONSTR_CHECK: return "CHECK";
    case CONSTR_EXCLUSION: return "EXCLUDE";
    case CONSTR_IDENTITY: return "GENERATED AS IDENTITY";
    case CONSTR_GENERATED: return "GENERATED ALWAYS AS (...) STORED";
    default: return "a constraint attribute";
  }
}

// name, type, NOT NULL, where DEFAULT begins and where the next constraint begins (-1), what is refused.
static void put_column(Writer *w, const ColumnDef *n) {
  bool is_required = n->is_not_null;
  const char *refused = n->collClause != NULL ? "COLLATE of a column" : NULL;
  if (n->compression != NULL) refused = "COMPRESSION of a column";
  int default_begin = -1, default_end = -1;
  const ListCell *cell;
  foreach (cell, n->constraints) {
    const Constraint *constraint = lfirst(cell);
    if (default_begin >= 0 && default_end < 0) default_end = constraint->location;
    switch (constraint->contype) {
      case CONSTR_NOTNULL: is_required = true; break;
      case CONSTR_NULL: break;
      case CONSTR_DEFAULT: default_begin = constraint->location; break;
      default: refused = constraint_name(constraint->contype);
    }
  }
  open_node(w, SQLNodeKindTableColumn, n->location);
  put_string(w, n->colname);
  write_node(w, n->typeName);
  put_int(w, is_required);
  put_int(w, default_begin);
  put_int(w, default_end);
  put_string(w, refused);
}

static void put_columns(Writer *w, const List *elements) {
  put_list_head(w, elements);
  const ListCell *cell;
  foreach (cell, elements) {
    const Node *element = lfirst(cell);
    if (IsA(element, ColumnDef)) {
      put_column(w, (const ColumnDef *)element);
      continue;
    }
    bool is_constraint = IsA(element, Constraint);
    open_node(w, SQLNodeKindTableColumn, is_constraint ? ((const Constraint *)element)->location : -1);
    put_string(w, "");
    put_null(w);
    put_int(w, 0);
    put_int(w, -1);
    put_int(w, -1);
    put_string(w, is_constraint ? constraint_name(((const Constraint *)element)->contype) : "LIKE");
  }
}

static bool is_temporary(const RangeVar *relation) { return relation->relpersistence == 't'; }

// What of a table's options is refused by name; NULL: nothing.
static const char *refused_options(const List *options, const char *space, const char *method) {
  if (options != NIL) return "WITH (...) of a table";
  if (space != NULL) return "TABLESPACE";
  if (method != NULL) return "USING of a table";
  return NULL;
}

static void put_into(Writer *w, const IntoClause *into, bool if_not_exists) {
  write_node(w, into->rel);
  put_int(w, is_temporary(into->rel));
  put_int(w, into->onCommit);
  put_int(w, if_not_exists);
  put_names(w, into->colNames);
  put_int(w, into->skipData);
  put_string(w, refused_options(into->options, into->tableSpaceName, into->accessMethod));
}

// name, whether a part of the column is meant, place among the columns of a row (0: a value of its own) and their
// number, value.
static void put_assignments(Writer *w, const List *targets) {
  put_list_head(w, targets);
  const ListCell *cell;
  foreach (cell, targets) {
    const ResTarget *n = lfirst(cell);
    open_node(w, SQLNodeKindAssignment, n->location);
    put_string(w, n->name);
    put_int(w, n->indirection != NIL);
    if (n->val != NULL && IsA(n->val, MultiAssignRef)) {
      const MultiAssignRef *reference = (const MultiAssignRef *)n->val;
      put_int(w, reference->colno);
      put_int(w, reference->ncolumns);
      write_node(w, reference->source);
    } else {
      put_int(w, 0);
      put_int(w, 0);
      write_node(w, n->val);
    }
  }
}

static void put_relations(Writer *w, const List *relations) { put_list(w, relations); }

static void put_name_lists(Writer *w, const List *objects) {
  put_list_head(w, objects);
  const ListCell *cell;
  foreach (cell, objects) {
    const Node *object = lfirst(cell);
    if (IsA(object, List)) {
      put_names(w, (const List *)object);
    } else {
      put_names(w, list_make1((void *)object));
    }
  }
}

static bool write_alteration(Writer *w, const AlterTableStmt *n) {
  if (n->objtype != OBJECT_TABLE || list_length(n->cmds) != 1) return false;
  const AlterTableCmd *command = linitial(n->cmds);
  if (command->subtype != AT_AddColumn || !IsA(command->def, ColumnDef)) return false;
  open_node(w, SQLNodeKindAddColumn, -1);
  write_node(w, n->relation);
  put_int(w, n->missing_ok);
  put_int(w, command->missing_ok);
  put_column(w, (const ColumnDef *)command->def);
  return true;
}

bool write_table_statement(Writer *w, const Node *node) {
  switch (nodeTag(node)) {
    case T_InsertStmt: {
      const InsertStmt *n = (const InsertStmt *)node;
      open_node(w, SQLNodeKindInsert, -1);
      write_node(w, n->withClause);
      write_node(w, n->relation);
      put_assignments(w, n->cols);
      write_node(w, n->selectStmt);
      put_list(w, n->returningList);
      put_string(w, n->onConflictClause != NULL ? "ON CONFLICT" : NULL);
      return true;
    }
    case T_UpdateStmt: {
      const UpdateStmt *n = (const UpdateStmt *)node;
      open_node(w, SQLNodeKindUpdate, -1);
      write_node(w, n->withClause);
      write_node(w, n->relation);
      put_assignments(w, n->targetList);
      put_list(w, n->fromClause);
      write_node(w, n->whereClause);
      put_list(w, n->returningList);
      return true;
    }
    case T_DeleteStmt: {
      const DeleteStmt *n = (const DeleteStmt *)node;
      open_node(w, SQLNodeKindDelete, -1);
      write_node(w, n->withClause);
      write_node(w, n->relation);
      put_list(w, n->usingClause);
      write_node(w, n->whereClause);
      put_list(w, n->returningList);
      return true;
    }
    case T_TruncateStmt: {
      const TruncateStmt *n = (const TruncateStmt *)node;
      open_node(w, SQLNodeKindTruncate, -1);
      put_relations(w, n->relations);
      return true;
    }
    case T_CreateStmt: {
      const CreateStmt *n = (const CreateStmt *)node;
      const char *refused = refused_options(n->options, n->tablespacename, n->accessMethod);
      if (n->inhRelations != NIL) refused = n->partbound != NULL ? "PARTITION OF" : "INHERITS";
      if (n->partspec != NULL) refused = "PARTITION BY";
      if (n->ofTypename != NULL) refused = "OF a type";
      open_node(w, SQLNodeKindCreateTable, -1);
      write_node(w, n->relation);
      put_int(w, is_temporary(n->relation));
      put_int(w, n->oncommit);
      put_int(w, n->if_not_exists);
      put_columns(w, n->tableElts);
      put_string(w, refused);
      return true;
    }
    case T_CreateTableAsStmt: {
      const CreateTableAsStmt *n = (const CreateTableAsStmt *)node;
      if (n->objtype != OBJECT_TABLE || !IsA(n->query, SelectStmt)) return false;
      open_node(w, SQLNodeKindCreateTableAs, -1);
      put_into(w, n->into, n->if_not_exists);
      write_node(w, n->query);
      put_int(w, 0);
      return true;
    }
    case T_CreateSchemaStmt: {
      const CreateSchemaStmt *n = (const CreateSchemaStmt *)node;
      open_node(w, SQLNodeKindCreateSchema, -1);
      put_string(w, n->schemaname);
      put_int(w, n->if_not_exists);
      put_string(w, n->schemaElts != NIL ? "a schema's elements" : n->authrole != NULL ? "AUTHORIZATION" : NULL);
      return true;
    }
    case T_DropStmt: {
      const DropStmt *n = (const DropStmt *)node;
      if (n->removeType != OBJECT_TABLE && n->removeType != OBJECT_SCHEMA) return false;
      open_node(w, n->removeType == OBJECT_TABLE ? SQLNodeKindDropTable : SQLNodeKindDropSchema, -1);
      put_int(w, n->missing_ok);
      put_int(w, n->behavior == DROP_CASCADE);
      put_name_lists(w, n->objects);
      return true;
    }
    case T_RenameStmt: {
      const RenameStmt *n = (const RenameStmt *)node;
      if (n->renameType != OBJECT_TABLE) return false;
      open_node(w, SQLNodeKindRenameTable, -1);
      write_node(w, n->relation);
      put_int(w, n->missing_ok);
      put_string(w, n->newname);
      return true;
    }
    case T_AlterTableStmt: return write_alteration(w, (const AlterTableStmt *)node);
    default: return false;
  }
}

bool write_select_into(Writer *w, Node *statement) {
  if (statement == NULL || !IsA(statement, SelectStmt)) return false;
  SelectStmt *n = (SelectStmt *)statement;
  if (n->intoClause == NULL) return false;
  open_node(w, SQLNodeKindCreateTableAs, -1);
  put_into(w, n->intoClause, false);
  // The tree is ours: without the clause the rest is a query as any other.
  n->intoClause = NULL;
  write_node(w, n);
  put_int(w, 1);
  return true;
}
