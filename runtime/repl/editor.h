/* One line, edited by readline while the loop goes on. The only user of libreadline.h; no Lua in here.
 *
 * Where readline can't be had, editor_start says so and nothing else may be called. There is one line at a time in a process. */
#ifndef JAUNT_REPL_EDITOR_H
#define JAUNT_REPL_EDITOR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* What the editor asks of whoever uses it. */
typedef struct editor_user {
  void *data;
  /* The line is done; `line` is to be freed, NULL at the end of the input. The terminal is no longer the editor's. */
  void (*done)(void *data, char *line);
  /* The terminal has been given back by readline, with the settings from before. */
  void (*released)(void *data);
  /* What the word from `start` to `end` of `line` may become: allocated texts, NULL at the end, the array allocated, too; or NULL for
   * nothing. `append`: what stands behind the only one there is; '\0' for nothing. */
  char **(*complete)(void *data, const char *line, int start, int end, char *append);
  /* The line with colours, allocated: nothing but SGR sequences is put into it; NULL: as it is. `point` is the cursor, in bytes. */
  char *(*paint)(void *data, const char *line, int point);
} editor_user;

/* Returns 0; or -1 and fills `err` where there is no readline. */
int editor_start(const editor_user *user, error *err);

/* Begins a line: shows the prompt (with \001 and \002 around what takes no columns), and `initial` to be edited. */
void editor_read(const char *prompt, const char *initial);
/* A key is there to be read. May call `done`. */
void editor_key(void);
/* Leaves the line as it stands, unread; `done` is not called. */
void editor_drop(void);
/* Shows a text above the line. */
void editor_say(const char *text, size_t length);
void editor_resized(void);
/* A line for the history in memory. */
void editor_remember(const char *line);

#endif
