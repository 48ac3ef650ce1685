/* The columns of a CSV or TSV file: their names, where their cells go, and which one holds the id. */
#ifndef JAUNT_PEOPLE_COLUMNS_H
#define JAUNT_PEOPLE_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

typedef enum column_kind {
  COLUMN_PROFILE,
  COLUMN_EVENT,   /* `event.NAME`: belongs to the event, as NAME */
  COLUMN_IGNORED, /* has no name (as behind a header's last comma), or is an "id" that is not the id asked for
                   */
} column_kind;

typedef struct column {
  column_kind kind;
  buf name; /* trimmed */
  buf key;  /* `"NAME":`, what stands before its values */
} column;

typedef struct columns {
  column *items;
  size_t count, room;
  size_t id;   /* the index of the one that holds the id */
  bool add_id; /* the profile does not have it as "id" by itself */
} columns;

/* Adds the next column, white space around its name left out. */
void columns_add(columns *c, const char *name, size_t length);

/* Finds the id column and checks all names. Returns 0, or -1 and says what is wrong: no such column (with
 * those there are, and the one that may be meant), a name that comes twice, too many. */
int columns_settle(columns *c, const char *id_name, error *err);

void columns_free(columns *c);

#endif
