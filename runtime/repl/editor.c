/* The line editor: see editor.h. */
#include "repl/editor.h"

#include "repl/libreadline.h"

#ifdef JAUNT_READLINE

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { MATCHES_SHOWN = 120, HISTORY_MOST = 2000 };

#define rl readline_lib

/* Readline's callbacks carry no data of ours. */
static editor_user user;
static char *prompt_shown; /* without colours it is as wide as on the screen */
static bool reading;

/* ---- the line ---- */

static void line_done(char *line) {
  rl.rl_callback_handler_remove();
  reading = false;
  user.done(user.data, line);
}

static void released(void) {
  rl.rl_deprep_terminal();
  user.released(user.data);
}

void editor_read(const char *prompt, const char *initial) {
  free(prompt_shown);
  prompt_shown = mem_text(prompt);
  reading = true;
  rl.rl_callback_handler_install(prompt, line_done);
  if (!initial || !*initial) return;
  rl.rl_insert_text(initial);
  (*rl.rl_redisplay_function)();
}

void editor_key(void) {
  if (reading) rl.rl_callback_read_char();
}

void editor_drop(void) {
  if (!reading) return;
  *rl.rl_point = *rl.rl_end; /* what follows stands below the line, not on it */
  (*rl.rl_redisplay_function)();
  fputs("^C", *rl.rl_outstream);
  rl.rl_free_line_state();
  rl.rl_callback_sigcleanup();
  reading = false;
  rl.rl_callback_handler_remove();
  fputc('\n', *rl.rl_outstream);
  fflush(*rl.rl_outstream);
}

void editor_say(const char *text, size_t length) {
  if (reading) rl.rl_clear_visible_line();
  fwrite(text, 1, length, *rl.rl_outstream);
  fputc('\n', *rl.rl_outstream);
  fflush(*rl.rl_outstream);
  if (!reading) return;
  rl.rl_on_new_line();
  (*rl.rl_redisplay_function)();
}

/* Readline takes away what stands of the line in the old width only where it shows lines itself. */
void editor_resized(void) {
  if (!reading) return;
  void (*shows)(void) = *rl.rl_redisplay_function;
  *rl.rl_redisplay_function = rl.rl_redisplay;
  rl.rl_resize_terminal();
  *rl.rl_redisplay_function = shows;
  shows();
}

void editor_remember(const char *line) {
  rl.add_history(line);
}

/* ---- completion ---- */

static char **found; /* for `next_match` */

static char *next_match(const char *text, int state) {
  (void)text, (void)state;
  return *found ? *found++ : NULL; /* readline frees it */
}

static char **complete(const char *text, int start, int end) {
  char append = '\0';
  *rl.rl_attempted_completion_over = 1; /* no names of files where we know of none */
  char **all = user.complete(user.data, *rl.rl_line_buffer, start, end, &append);
  if (!all) return NULL;
  *rl.rl_completion_append_character = (unsigned char)append;
  found = all;
  char **matches = rl.rl_completion_matches(text, next_match);
  free(all);
  return matches;
}

/* A command's words are parted by blanks alone: files have all sorts of names. */
static char *word_breaks(void) {
  static char of_commands[] = " \t", of_lua[] = " \t\n\"'`=+-*/^%#<>~&|;,(){}[]?!";
  const char *line = *rl.rl_line_buffer;
  return *line == '.' ? of_commands : of_lua;
}

static void show_matches(char **matches, int count, int longest) {
  int shown = count < MATCHES_SHOWN ? count : MATCHES_SHOWN;
  char *cut = shown < count ? matches[shown + 1] : NULL;
  if (cut) matches[shown + 1] = NULL;
  rl.rl_crlf();
  rl.rl_display_match_list(matches, shown, longest);
  if (cut) {
    matches[shown + 1] = cut;
    fprintf(*rl.rl_outstream, "… and %d more\n", count - shown);
  }
  rl.rl_forced_update_display();
}

/* ---- colours ---- */

/* Where the cursor stands after so many columns, lines and what was wrapped counted. */
typedef struct place {
  int row, column;
} place;

/* Goes on over `length` bytes of text in a window `width` columns wide; false where their width is not known to us. */
static bool go_over(place *at, const char *text, size_t length, int width) {
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c == '\n') {
      at->row++;
      at->column = 0;
      continue;
    }
    if (c == 0x1b || c == 127 || c < ' ' || c >= 0xe1) return false; /* beyond U+0FFF some are wide */
    if ((c & 0xc0) == 0x80) continue;
    if (++at->column == width) at->row++, at->column = 0;
  }
  return true;
}

/* Shows the plain line as readline does, then the same letters in colours above it: so that readline goes on to know where
 * everything stands. */
static void redisplay(void) {
  int height = 0, width = 0;
  place cursor = {0, 0}, end;
  rl.rl_redisplay();
  rl.rl_get_screen_size(&height, &width);
  char *line = *rl.rl_line_buffer;
  char *painted = *rl.rl_end && width > 0 ? user.paint(user.data, line, *rl.rl_point) : NULL;
  if (!painted) return;
  size_t point = (size_t)*rl.rl_point, length = (size_t)*rl.rl_end;
  for (const char *p = prompt_shown; *p; p++) { /* what is between \001 and \002 takes no room */
    if (*p == '\001')
      p = strchr(p, '\002') ? strchr(p, '\002') : p;
    else if ((*p & 0xc0) != 0x80)
      cursor.column++;
  }
  place start = cursor;
  bool known = start.column < width && go_over(&cursor, line, point, width);
  end = cursor;
  known = known && go_over(&end, line + point, length - point, width);
  if (known && end.row < height) {
    FILE *out = *rl.rl_outstream;
    fputs("\0337\r", out);
    if (cursor.row) fprintf(out, "\033[%dA", cursor.row);
    if (start.column) fprintf(out, "\033[%dC", start.column);
    for (const char *p = painted; *p; p++) {
      if (*p == '\n') fputc('\r', out);
      fputc(*p, out);
    }
    fputs("\033[0m\0338", out);
    fflush(out);
  }
  free(painted);
}

/* ---- start ---- */

int editor_start(const editor_user *who, error *err) {
  if (libreadline_load(err)) return -1;
  user = *who;
  *rl.rl_readline_name = "jaunt";
  *rl.rl_catch_signals = 0; /* they are the loop's */
  *rl.rl_catch_sigwinch = 0;
  *rl.rl_change_environment = 0;
  *rl.rl_deprep_term_function = released;
  *rl.rl_attempted_completion_function = complete;
  *rl.rl_completion_word_break_hook = word_breaks;
  *rl.rl_completion_display_matches_hook = show_matches;
  *rl.rl_completion_query_items = -1;
  rl.rl_initialize(); /* before the next line, or it takes the terminal for one that it knows nothing of */
  if (user.paint) *rl.rl_redisplay_function = redisplay;
  rl.stifle_history(HISTORY_MOST);
  return 0;
}

#else

int editor_start(const editor_user *who, error *err) {
  (void)who;
  return libreadline_load(err);
}

void editor_read(const char *prompt, const char *initial) {
  (void)prompt, (void)initial;
}
void editor_key(void) {}
void editor_drop(void) {}
void editor_say(const char *text, size_t length) {
  (void)text, (void)length;
}
void editor_resized(void) {}
void editor_remember(const char *line) {
  (void)line;
}

#endif
