// See CPgQuery.h. PostgreSQL's node structs are read through its own server headers (15); they are stable within a
// major version, and the tests parse one statement of every kind.

#include "postgres.h"

#include "nodes/parsenodes.h"
#include "nodes/primnodes.h"
#include "nodes/value.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <pg_query.h>
#include <pg_query/pg_query_internal.h>

#include "flatten.h"

_Static_assert(PG_VERSION_NUM / 10000 == 15, "libpg_query 15 needs the server headers of PostgreSQL 15");

static void put(Writer *w, const void *bytes, size_t count) {
  if (w->status != SQLParseStatusParsed) return;
  if (w->capacity - w->count < count) {
    size_t capacity = (w->capacity + count) * 2;
    uint8_t *grown = realloc(w->bytes, capacity);
    if (grown == NULL) {
      w->status = SQLParseStatusOutOfMemory;
      return;
    }
    w->bytes = grown;
    w->capacity = capacity;
  }
  memcpy(w->bytes + w->count, bytes, count);
  w->count += count;
}

static void put_tag(Writer *w, char tag) { put(w, &tag, 1); }

void put_null(Writer *w) { put_tag(w, 'n'); }

void put_int(Writer *w, int64_t value) {
  put_tag(w, 'i');
  put(w, &value, sizeof value);
}

void put_string(Writer *w, const char *text) {
  if (text == NULL) {
    put_null(w);
    return;
  }
  uint32_t count = (uint32_t)strlen(text);
  put_tag(w, 's');
  put(w, &count, sizeof count);
  put(w, text, count);
}

void put_list_head(Writer *w, const List *list) {
  uint32_t count = (uint32_t)list_length(list);
  put_tag(w, '[');
  put(w, &count, sizeof count);
}

void put_list(Writer *w, const List *list) {
  put_list_head(w, list);
  const ListCell *cell;
  foreach (cell, list) {
    if (w->status != SQLParseStatusParsed) return;
    write_node(w, lfirst(cell));
  }
}

// Names: a list of strings, with nothing for `*`.
void put_names(Writer *w, const List *list) {
  put_list_head(w, list);
  const ListCell *cell;
  foreach (cell, list) {
    const Node *node = lfirst(cell);
    if (node != NULL && IsA(node, String)) {
      put_string(w, strVal(node));
    } else {
      put_null(w);
    }
  }
}

void open_node(Writer *w, SQLNodeKind kind, int location) {
  int32_t place = location;
  uint8_t byte = kind;
  put_tag(w, '(');
  put(w, &byte, 1);
  put(w, &place, sizeof place);
}

void put_unsupported(Writer *w, const char *what, int location) {
  open_node(w, SQLNodeKindUnsupported, location);
  put_string(w, what);
}

static void put_constant_value(Writer *w, const Node *value) {
  switch (nodeTag(value)) {
    case T_Integer:
      put_string(w, "i");
      put_int(w, intVal(value));
      break;
    case T_Float:
      put_string(w, "f");
      put_string(w, castNode(Float, (Node *)value)->fval);
      break;
    case T_Boolean:
      put_string(w, "b");
      put_int(w, boolVal(value));
      break;
    case T_String:
      put_string(w, "s");
      put_string(w, strVal(value));
      break;
    case T_BitString:
      put_string(w, "x");
      put_string(w, castNode(BitString, (Node *)value)->bsval);
      break;
    default:
      put_string(w, "n");
      put_null(w);
  }
}

static void put_select(Writer *w, const SelectStmt *s) {
  open_node(w, SQLNodeKindSelect, -1);
  put_int(w, s->intoClause != NULL);
  write_node(w, s->withClause);
  put_int(w, s->op);
  put_int(w, s->all);
  write_node(w, s->larg);
  write_node(w, s->rarg);
  put_list_head(w, s->valuesLists);
  const ListCell *cell;
  foreach (cell, s->valuesLists) put_list(w, lfirst(cell));
  // DISTINCT without ON is a list of one NULL.
  put_int(w, s->distinctClause != NIL);
  put_list(w, s->distinctClause != NIL && linitial(s->distinctClause) == NULL ? NIL : s->distinctClause);
  put_list(w, s->targetList);
  put_list(w, s->fromClause);
  write_node(w, s->whereClause);
  put_list(w, s->groupClause);
  put_int(w, s->groupDistinct);
  write_node(w, s->havingClause);
  put_list(w, s->windowClause);
  put_list(w, s->sortClause);
  write_node(w, s->limitOffset);
  write_node(w, s->limitCount);
  // libpg_query patches this enumeration: 0 none, 1 LIMIT or FETCH ONLY, 2 WITH TIES.
  put_int(w, (int)s->limitOption == 2);
  put_int(w, s->lockingClause != NIL);
}

static void put_function(Writer *w, const FuncCall *f) {
  open_node(w, SQLNodeKindFunction, f->location);
  put_names(w, f->funcname);
  put_list(w, f->args);
  put_list(w, f->agg_order);
  write_node(w, f->agg_filter);
  write_node(w, f->over);
  put_int(w, f->agg_within_group);
  put_int(w, f->agg_star);
  put_int(w, f->agg_distinct);
  put_int(w, f->func_variadic);
  put_int(w, f->funcformat == COERCE_SQL_SYNTAX);
}

static void put_type(Writer *w, const TypeName *t) {
  open_node(w, SQLNodeKindTypeName, t->location);
  put_names(w, t->names);
  put_list(w, t->typmods);
  put_int(w, list_length(t->arrayBounds));
  put_int(w, t->setof || t->pct_type);
}

// FROM ROWS FROM (f(...) AS (columns), ...): each element is a list of the call and its column definitions.
static void put_function_table(Writer *w, const RangeFunction *r) {
  int location = -1;
  if (r->functions != NIL) {
    const Node *call = linitial((List *)linitial(r->functions));
    if (IsA(call, FuncCall)) location = ((const FuncCall *)call)->location;
  }
  open_node(w, SQLNodeKindFunctionTable, location);
  put_int(w, r->lateral);
  put_int(w, r->ordinality);
  put_int(w, r->coldeflist != NIL);
  put_list_head(w, r->functions);
  const ListCell *cell;
  foreach (cell, r->functions) write_node(w, linitial((List *)lfirst(cell)));
  write_node(w, r->alias);
}

static bool write_expression(Writer *w, const Node *node) {
  switch (nodeTag(node)) {
    case T_ColumnRef: {
      const ColumnRef *n = (const ColumnRef *)node;
      open_node(w, SQLNodeKindColumn, n->location);
      put_names(w, n->fields);
      return true;
    }
    case T_ParamRef: {
      const ParamRef *n = (const ParamRef *)node;
      open_node(w, SQLNodeKindParameter, n->location);
      put_int(w, n->number);
      return true;
    }
    case T_A_Const: {
      const A_Const *n = (const A_Const *)node;
      open_node(w, SQLNodeKindConstant, n->location);
      if (n->isnull) {
        put_string(w, "n");
        put_null(w);
      } else {
        put_constant_value(w, &n->val.node);
      }
      return true;
    }
    // Option arguments are bare values.
    case T_Integer:
    case T_Float:
    case T_Boolean:
    case T_String:
    case T_BitString:
      open_node(w, SQLNodeKindConstant, -1);
      put_constant_value(w, node);
      return true;
    case T_A_Expr: {
      const A_Expr *n = (const A_Expr *)node;
      open_node(w, SQLNodeKindOperator, n->location);
      put_int(w, n->kind);
      put_names(w, n->name);
      write_node(w, n->lexpr);
      // IN (...), BETWEEN: the right side is a list.
      if (n->rexpr != NULL && IsA(n->rexpr, List)) {
        put_list(w, (const List *)n->rexpr);
      } else {
        write_node(w, n->rexpr);
      }
      return true;
    }
    case T_BoolExpr: {
      const BoolExpr *n = (const BoolExpr *)node;
      open_node(w, SQLNodeKindBoolean, n->location);
      put_int(w, n->boolop);
      put_list(w, n->args);
      return true;
    }
    case T_NullTest: {
      const NullTest *n = (const NullTest *)node;
      open_node(w, SQLNodeKindNullTest, n->location);
      write_node(w, n->arg);
      put_int(w, n->nulltesttype == IS_NOT_NULL);
      return true;
    }
    case T_BooleanTest: {
      const BooleanTest *n = (const BooleanTest *)node;
      open_node(w, SQLNodeKindBooleanTest, n->location);
      write_node(w, n->arg);
      put_int(w, n->booltesttype);
      return true;
    }
    case T_CaseExpr: {
      const CaseExpr *n = (const CaseExpr *)node;
      open_node(w, SQLNodeKindCase, n->location);
      write_node(w, n->arg);
      put_list(w, n->args);
      write_node(w, n->defresult);
      return true;
    }
    case T_CaseWhen: {
      const CaseWhen *n = (const CaseWhen *)node;
      open_node(w, SQLNodeKindCaseWhen, n->location);
      write_node(w, n->expr);
      write_node(w, n->result);
      return true;
    }
    case T_CoalesceExpr: {
      const CoalesceExpr *n = (const CoalesceExpr *)node;
      open_node(w, SQLNodeKindCoalesce, n->location);
      put_list(w, n->args);
      return true;
    }
    case T_MinMaxExpr: {
      const MinMaxExpr *n = (const MinMaxExpr *)node;
      open_node(w, SQLNodeKindMinMax, n->location);
      put_int(w, n->op == IS_GREATEST);
      put_list(w, n->args);
      return true;
    }
    case T_TypeCast: {
      const TypeCast *n = (const TypeCast *)node;
      open_node(w, SQLNodeKindCast, n->location);
      write_node(w, n->arg);
      write_node(w, n->typeName);
      return true;
    }
    case T_CollateClause: {
      const CollateClause *n = (const CollateClause *)node;
      open_node(w, SQLNodeKindCollate, n->location);
      write_node(w, n->arg);
      put_names(w, n->collname);
      return true;
    }
    case T_TypeName:
      put_type(w, (const TypeName *)node);
      return true;
    case T_FuncCall:
      put_function(w, (const FuncCall *)node);
      return true;
    case T_NamedArgExpr: {
      const NamedArgExpr *n = (const NamedArgExpr *)node;
      open_node(w, SQLNodeKindNamedArgument, n->location);
      put_string(w, n->name);
      write_node(w, n->arg);
      return true;
    }
    case T_SQLValueFunction: {
      const SQLValueFunction *n = (const SQLValueFunction *)node;
      open_node(w, SQLNodeKindValueFunction, n->location);
      put_int(w, n->op);
      put_int(w, n->typmod);
      return true;
    }
    case T_A_ArrayExpr: {
      const A_ArrayExpr *n = (const A_ArrayExpr *)node;
      open_node(w, SQLNodeKindArray, n->location);
      put_list(w, n->elements);
      return true;
    }
    case T_RowExpr: {
      const RowExpr *n = (const RowExpr *)node;
      open_node(w, SQLNodeKindRow, n->location);
      put_list(w, n->args);
      put_int(w, n->row_format == COERCE_EXPLICIT_CALL);
      return true;
    }
    case T_SubLink: {
      const SubLink *n = (const SubLink *)node;
      open_node(w, SQLNodeKindSubquery, n->location);
      put_int(w, n->subLinkType);
      write_node(w, n->testexpr);
      put_names(w, n->operName);
      write_node(w, n->subselect);
      return true;
    }
    case T_A_Indirection: {
      const A_Indirection *n = (const A_Indirection *)node;
      open_node(w, SQLNodeKindIndirection, -1);
      write_node(w, n->arg);
      put_list_head(w, n->indirection);
      const ListCell *cell;
      foreach (cell, n->indirection) {
        const Node *step = lfirst(cell);
        if (IsA(step, A_Indices)) {
          write_node(w, step);
        } else {
          open_node(w, SQLNodeKindField, -1);
          put_string(w, IsA(step, String) ? strVal(step) : NULL);
        }
      }
      return true;
    }
    case T_A_Indices: {
      const A_Indices *n = (const A_Indices *)node;
      open_node(w, SQLNodeKindSubscript, -1);
      put_int(w, n->is_slice);
      write_node(w, n->lidx);
      write_node(w, n->uidx);
      return true;
    }
    case T_GroupingFunc: {
      const GroupingFunc *n = (const GroupingFunc *)node;
      open_node(w, SQLNodeKindGrouping, n->location);
      put_list(w, n->args);
      return true;
    }
    case T_SetToDefault:
      open_node(w, SQLNodeKindDefault, ((const SetToDefault *)node)->location);
      return true;
    case T_XmlExpr:
      put_unsupported(w, "XML", ((const XmlExpr *)node)->location);
      return true;
    case T_XmlSerialize:
      put_unsupported(w, "XMLSERIALIZE", ((const XmlSerialize *)node)->location);
      return true;
    case T_CurrentOfExpr:
      put_unsupported(w, "WHERE CURRENT OF", -1);
      return true;
    default:
      return false;
  }
}

static bool write_clause(Writer *w, const Node *node) {
  switch (nodeTag(node)) {
    case T_SelectStmt:
      put_select(w, (const SelectStmt *)node);
      return true;
    case T_WithClause: {
      const WithClause *n = (const WithClause *)node;
      open_node(w, SQLNodeKindWith, n->location);
      put_int(w, n->recursive);
      put_list(w, n->ctes);
      return true;
    }
    case T_CommonTableExpr: {
      const CommonTableExpr *n = (const CommonTableExpr *)node;
      open_node(w, SQLNodeKindCommonTable, n->location);
      put_string(w, n->ctename);
      put_names(w, n->aliascolnames);
      put_int(w, n->ctematerialized);
      write_node(w, n->search_clause);
      write_node(w, n->cycle_clause);
      write_node(w, n->ctequery);
      return true;
    }
    case T_CTESearchClause: {
      const CTESearchClause *n = (const CTESearchClause *)node;
      open_node(w, SQLNodeKindSearch, n->location);
      put_names(w, n->search_col_list);
      put_int(w, n->search_breadth_first);
      put_string(w, n->search_seq_column);
      return true;
    }
    case T_CTECycleClause: {
      const CTECycleClause *n = (const CTECycleClause *)node;
      open_node(w, SQLNodeKindCycle, n->location);
      put_names(w, n->cycle_col_list);
      put_string(w, n->cycle_mark_column);
      write_node(w, n->cycle_mark_value);
      write_node(w, n->cycle_mark_default);
      put_string(w, n->cycle_path_column);
      return true;
    }
    case T_ResTarget: {
      const ResTarget *n = (const ResTarget *)node;
      open_node(w, SQLNodeKindTarget, n->location);
      put_string(w, n->name);
      write_node(w, n->val);
      return true;
    }
    case T_RangeVar: {
      const RangeVar *n = (const RangeVar *)node;
      open_node(w, SQLNodeKindRelation, n->location);
      put_string(w, n->catalogname);
      put_string(w, n->schemaname);
      put_string(w, n->relname);
      write_node(w, n->alias);
      return true;
    }
    case T_RangeSubselect: {
      const RangeSubselect *n = (const RangeSubselect *)node;
      open_node(w, SQLNodeKindSubselect, -1);
      put_int(w, n->lateral);
      write_node(w, n->subquery);
      write_node(w, n->alias);
      return true;
    }
    case T_RangeFunction:
      put_function_table(w, (const RangeFunction *)node);
      return true;
    case T_RangeTableSample: {
      const RangeTableSample *n = (const RangeTableSample *)node;
      open_node(w, SQLNodeKindSample, n->location);
      write_node(w, n->relation);
      put_names(w, n->method);
      put_list(w, n->args);
      write_node(w, n->repeatable);
      return true;
    }
    case T_RangeTableFunc:
      put_unsupported(w, "XMLTABLE", ((const RangeTableFunc *)node)->location);
      return true;
    case T_JoinExpr: {
      const JoinExpr *n = (const JoinExpr *)node;
      open_node(w, SQLNodeKindJoin, -1);
      put_int(w, n->jointype);
      put_int(w, n->isNatural);
      write_node(w, n->larg);
      write_node(w, n->rarg);
      put_int(w, n->usingClause != NIL);
      put_names(w, n->usingClause);
      write_node(w, n->join_using_alias);
      write_node(w, n->quals);
      write_node(w, n->alias);
      return true;
    }
    case T_Alias: {
      const Alias *n = (const Alias *)node;
      open_node(w, SQLNodeKindAlias, -1);
      put_string(w, n->aliasname);
      put_names(w, n->colnames);
      return true;
    }
    case T_SortBy: {
      const SortBy *n = (const SortBy *)node;
      open_node(w, SQLNodeKindSort, n->location);
      write_node(w, n->node);
      put_int(w, n->sortby_dir);
      put_int(w, n->sortby_nulls);
      put_names(w, n->useOp);
      return true;
    }
    case T_WindowDef: {
      const WindowDef *n = (const WindowDef *)node;
      open_node(w, SQLNodeKindWindow, n->location);
      put_string(w, n->name);
      put_string(w, n->refname);
      put_list(w, n->partitionClause);
      put_list(w, n->orderClause);
      put_int(w, n->frameOptions);
      write_node(w, n->startOffset);
      write_node(w, n->endOffset);
      return true;
    }
    case T_GroupingSet: {
      const GroupingSet *n = (const GroupingSet *)node;
      open_node(w, SQLNodeKindGroupingSet, n->location);
      put_int(w, n->kind);
      put_list(w, n->content);
      return true;
    }
    case T_DefElem: {
      const DefElem *n = (const DefElem *)node;
      open_node(w, SQLNodeKindOption, n->location);
      put_string(w, n->defname);
      if (n->arg != NULL && IsA(n->arg, List)) {
        put_names(w, (const List *)n->arg);
      } else if (n->arg != NULL && IsA(n->arg, A_Star)) {
        put_null(w);
      } else {
        write_node(w, n->arg);
      }
      return true;
    }
    default:
      return false;
  }
}

// The command's name as PostgreSQL's own messages and command tags write it; NULL: not a command refused by name.
static const char *command_name(NodeTag tag) {
  switch (tag) {
    case T_InsertStmt: return "INSERT";
    case T_UpdateStmt: return "UPDATE";
    case T_DeleteStmt: return "DELETE";
    case T_MergeStmt: return "MERGE";
    case T_TruncateStmt: return "TRUNCATE TABLE";
    case T_CreateStmt: return "CREATE TABLE";
    case T_CreateTableAsStmt: return "CREATE TABLE AS";
    case T_CreateSchemaStmt: return "CREATE SCHEMA";
    case T_CreateSeqStmt: return "CREATE SEQUENCE";
    case T_CreateFunctionStmt: return "CREATE FUNCTION";
    case T_CreateRoleStmt: return "CREATE ROLE";
    case T_CreatedbStmt: return "CREATE DATABASE";
    case T_CreateExtensionStmt: return "CREATE EXTENSION";
    case T_CreateTrigStmt: return "CREATE TRIGGER";
    case T_CreatePublicationStmt: return "CREATE PUBLICATION";
    case T_CreateSubscriptionStmt: return "CREATE SUBSCRIPTION";
    case T_CreateForeignTableStmt: return "CREATE FOREIGN TABLE";
    case T_CreateForeignServerStmt: return "CREATE SERVER";
    case T_CreateEnumStmt:
    case T_CompositeTypeStmt:
    case T_CreateRangeStmt: return "CREATE TYPE";
    case T_CreateDomainStmt: return "CREATE DOMAIN";
    case T_CreatePolicyStmt: return "CREATE POLICY";
    case T_DefineStmt: return "CREATE";
    case T_ViewStmt: return "CREATE VIEW";
    case T_IndexStmt: return "CREATE INDEX";
    case T_RuleStmt: return "CREATE RULE";
    case T_AlterTableStmt: return "ALTER TABLE";
    case T_AlterRoleStmt:
    case T_AlterRoleSetStmt: return "ALTER ROLE";
    case T_AlterDatabaseStmt:
    case T_AlterDatabaseSetStmt: return "ALTER DATABASE";
    case T_AlterSystemStmt: return "ALTER SYSTEM";
    case T_RenameStmt: return "ALTER ... RENAME";
    case T_AlterOwnerStmt: return "ALTER ... OWNER";
    case T_AlterObjectSchemaStmt: return "ALTER ... SET SCHEMA";
    case T_DropStmt:
    case T_DropRoleStmt:
    case T_DropdbStmt: return "DROP";
    case T_GrantStmt:
    case T_GrantRoleStmt: return "GRANT";
    case T_CommentStmt: return "COMMENT";
    case T_SecLabelStmt: return "SECURITY LABEL";
    case T_VacuumStmt: return "VACUUM";
    case T_ReindexStmt: return "REINDEX";
    case T_ClusterStmt: return "CLUSTER";
    case T_CheckPointStmt: return "CHECKPOINT";
    case T_RefreshMatViewStmt: return "REFRESH MATERIALIZED VIEW";
    case T_LockStmt: return "LOCK TABLE";
    case T_LoadStmt: return "LOAD";
    case T_DoStmt: return "DO";
    case T_NotifyStmt: return "NOTIFY";
    case T_ConstraintsSetStmt: return "SET CONSTRAINTS";
    case T_ImportForeignSchemaStmt: return "IMPORT FOREIGN SCHEMA";
    default: return "this command";
  }
}

// Of CREATE FOREIGN TABLE: names, types and NOT NULL; what else a column or a table may have is refused by name.
static void put_column_definitions(Writer *w, const List *elements) {
  put_list_head(w, elements);
  const ListCell *cell;
  foreach (cell, elements) {
    const Node *element = lfirst(cell);
    if (!IsA(element, ColumnDef)) {
      put_unsupported(w, IsA(element, Constraint) ? "a table constraint" : "LIKE", -1);
      continue;
    }
    const ColumnDef *n = (const ColumnDef *)element;
    bool is_required = n->is_not_null;
    const char *refused = n->collClause != NULL ? "COLLATE of a foreign table's column" : NULL;
    if (n->fdwoptions != NIL) refused = "OPTIONS of a foreign table's column";
    const ListCell *inner;
    foreach (inner, n->constraints) {
      const Constraint *constraint = lfirst(inner);
      if (constraint->contype == CONSTR_NOTNULL) {
        is_required = true;
      } else if (constraint->contype != CONSTR_NULL) {
        refused = "a constraint or default of a foreign table's column";
      }
    }
    if (refused != NULL) {
      put_unsupported(w, refused, n->location);
      continue;
    }
    open_node(w, SQLNodeKindColumnDefinition, n->location);
    put_string(w, n->colname);
    write_node(w, n->typeName);
    put_int(w, is_required);
  }
}

static void write_statement(Writer *w, const Node *node) {
  if (write_table_statement(w, node)) return;
  switch (nodeTag(node)) {
    case T_RawStmt: {
      const RawStmt *n = (const RawStmt *)node;
      open_node(w, SQLNodeKindStatement, n->stmt_location);
      put_int(w, n->stmt_len);
      if (!write_select_into(w, n->stmt)) write_node(w, n->stmt);
      return;
    }
    case T_ExplainStmt: {
      const ExplainStmt *n = (const ExplainStmt *)node;
      open_node(w, SQLNodeKindExplain, -1);
      put_list(w, n->options);
      write_node(w, n->query);
      return;
    }
    case T_VariableSetStmt: {
      const VariableSetStmt *n = (const VariableSetStmt *)node;
      open_node(w, SQLNodeKindSetVariable, -1);
      put_int(w, n->kind);
      put_string(w, n->name);
      put_list(w, n->args);
      put_int(w, n->is_local);
      return;
    }
    case T_VariableShowStmt:
      open_node(w, SQLNodeKindShowVariable, -1);
      put_string(w, ((const VariableShowStmt *)node)->name);
      return;
    case T_TransactionStmt: {
      const TransactionStmt *n = (const TransactionStmt *)node;
      open_node(w, SQLNodeKindTransaction, -1);
      put_int(w, n->kind);
      put_list(w, n->options);
      put_string(w, n->savepoint_name);
      put_int(w, n->chain);
      return;
    }
    case T_PrepareStmt: {
      const PrepareStmt *n = (const PrepareStmt *)node;
      open_node(w, SQLNodeKindPrepare, -1);
      put_string(w, n->name);
      put_list(w, n->argtypes);
      write_node(w, n->query);
      return;
    }
    case T_ExecuteStmt: {
      const ExecuteStmt *n = (const ExecuteStmt *)node;
      open_node(w, SQLNodeKindExecute, -1);
      put_string(w, n->name);
      put_list(w, n->params);
      return;
    }
    case T_DeallocateStmt:
      open_node(w, SQLNodeKindDeallocate, -1);
      put_string(w, ((const DeallocateStmt *)node)->name);
      return;
    case T_DeclareCursorStmt: {
      const DeclareCursorStmt *n = (const DeclareCursorStmt *)node;
      open_node(w, SQLNodeKindDeclareCursor, -1);
      put_string(w, n->portalname);
      put_int(w, (n->options & CURSOR_OPT_BINARY) != 0);
      put_int(w, (n->options & CURSOR_OPT_SCROLL) != 0);
      put_int(w, (n->options & CURSOR_OPT_HOLD) != 0);
      write_node(w, n->query);
      return;
    }
    case T_FetchStmt: {
      const FetchStmt *n = (const FetchStmt *)node;
      open_node(w, SQLNodeKindFetch, -1);
      put_string(w, n->portalname);
      put_int(w, n->direction);
      put_int(w, n->howMany);
      put_int(w, n->howMany == FETCH_ALL);
      put_int(w, n->ismove);
      return;
    }
    case T_ClosePortalStmt:
      open_node(w, SQLNodeKindCloseCursor, -1);
      put_string(w, ((const ClosePortalStmt *)node)->portalname);
      return;
    case T_CallStmt:
      open_node(w, SQLNodeKindCall, -1);
      write_node(w, ((const CallStmt *)node)->funccall);
      return;
    case T_DiscardStmt:
      open_node(w, SQLNodeKindDiscard, -1);
      put_int(w, ((const DiscardStmt *)node)->target);
      return;
    case T_CopyStmt: {
      const CopyStmt *n = (const CopyStmt *)node;
      open_node(w, SQLNodeKindCopy, -1);
      write_node(w, n->relation);
      write_node(w, n->query);
      put_names(w, n->attlist);
      put_int(w, n->is_from);
      put_int(w, n->is_program);
      put_string(w, n->filename);
      put_list(w, n->options);
      write_node(w, n->whereClause);
      return;
    }
    case T_ListenStmt:
      open_node(w, SQLNodeKindListen, -1);
      put_string(w, ((const ListenStmt *)node)->conditionname);
      return;
    case T_UnlistenStmt:
      open_node(w, SQLNodeKindUnlisten, -1);
      put_string(w, ((const UnlistenStmt *)node)->conditionname);
      return;
    case T_CreateForeignTableStmt: {
      const CreateForeignTableStmt *n = (const CreateForeignTableStmt *)node;
      open_node(w, SQLNodeKindCreateForeignTable, -1);
      write_node(w, n->base.relation);
      put_int(w, n->base.if_not_exists);
      put_int(w, n->base.inhRelations != NIL || n->base.partbound != NULL);
      put_column_definitions(w, n->base.tableElts);
      put_string(w, n->servername);
      put_list(w, n->options);
      return;
    }
    case T_DropStmt: {
      const DropStmt *n = (const DropStmt *)node;
      if (n->removeType != OBJECT_FOREIGN_TABLE && n->removeType != OBJECT_VIEW) {
        open_node(w, SQLNodeKindOther, -1);
        put_string(w, command_name(nodeTag(node)));
        return;
      }
      open_node(w, n->removeType == OBJECT_VIEW ? SQLNodeKindDropView : SQLNodeKindDropForeignTable, -1);
      put_int(w, n->missing_ok);
      put_list_head(w, n->objects);
      const ListCell *cell;
      foreach (cell, n->objects) {
        put_names(w, castNode(List, lfirst(cell)));
      }
      return;
    }
    case T_ViewStmt: {
      const ViewStmt *n = (const ViewStmt *)node;
      open_node(w, SQLNodeKindCreateView, -1);
      write_node(w, n->view);
      put_int(w, n->view->relpersistence == 't');
      put_names(w, n->aliases);
      put_int(w, n->replace);
      put_int(w, n->withCheckOption != NO_CHECK_OPTION);
      put_list(w, n->options);
      write_node(w, n->query);
      return;
    }
    case T_CommentStmt: {
      const CommentStmt *n = (const CommentStmt *)node;
      const char *kind = NULL;
      if (n->objtype == OBJECT_TABLE) kind = "table";
      if (n->objtype == OBJECT_FOREIGN_TABLE) kind = "foreign table";
      if (n->objtype == OBJECT_VIEW) kind = "view";
      if (n->objtype == OBJECT_COLUMN) kind = "column";
      if (kind == NULL || !IsA(n->object, List)) {
        open_node(w, SQLNodeKindOther, -1);
        put_string(w, command_name(nodeTag(node)));
        return;
      }
      open_node(w, SQLNodeKindComment, -1);
      put_string(w, kind);
      put_names(w, (const List *)n->object);
      put_string(w, n->comment);
      return;
    }
    default:
      open_node(w, SQLNodeKindOther, -1);
      put_string(w, command_name(nodeTag(node)));
  }
}

void write_node(Writer *w, const void *pointer) {
  const Node *node = pointer;
  if (w->status != SQLParseStatusParsed) return;
  if (node == NULL) {
    put_null(w);
    return;
  }
  if (w->depth == w->depth_max) {
    w->status = SQLParseStatusTooDeep;
    return;
  }
  if (w->nodes == w->nodes_max) {
    w->status = SQLParseStatusTooManyNodes;
    return;
  }
  w->depth++;
  w->nodes++;
  // GROUP BY () and row lists arrive as bare lists.
  if (IsA(node, List)) {
    put_list(w, (const List *)node);
  } else if (!write_expression(w, node) && !write_clause(w, node)) {
    write_statement(w, node);
  }
  w->depth--;
}

SQLParseResult sql_parse(const char *text, uint32_t depth_max, uint32_t nodes_max) {
  SQLParseResult result = {.status = SQLParseStatusParsed};
  Writer writer = {.depth_max = depth_max, .nodes_max = nodes_max, .status = SQLParseStatusParsed};

  MemoryContext context = pg_query_enter_memory_context();
  PgQueryInternalParsetreeAndError parsed = pg_query_raw_parse(text);
  if (parsed.error != NULL) {
    result.status = SQLParseStatusSyntaxError;
    result.message = strdup(parsed.error->message != NULL ? parsed.error->message : "syntax error");
    result.position = parsed.error->cursorpos;
    if (result.message == NULL) result.status = SQLParseStatusOutOfMemory;
    pg_query_free_error(parsed.error);
  } else {
    put_list(&writer, parsed.tree);
    result.status = writer.status;
    if (writer.status == SQLParseStatusParsed) {
      result.bytes = writer.bytes;
      result.count = writer.count;
      writer.bytes = NULL;
    }
  }
  free(parsed.stderr_buffer);
  free(writer.bytes);
  pg_query_exit_memory_context(context);
  return result;
}

void sql_parse_free(SQLParseResult result) {
  free(result.bytes);
  free(result.message);
}
