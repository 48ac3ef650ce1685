/* GNU Readline, loaded when somebody sits at a prompt. It is not linked: without it, or where it was built without its headers, the
 * prompt takes plain lines, as the terminal gives them.
 *
 * Readline is under the GPL: see README, "The prompt". Its state is global by its own making, so that a process edits one line at a
 * time. */
#ifndef JAUNT_REPL_LIBREADLINE_H
#define JAUNT_REPL_LIBREADLINE_H

#include "base/error.h"

#ifdef JAUNT_READLINE

#include <stdio.h> /* readline.h needs it before */

#include <readline/history.h>
#include <readline/readline.h>

#include "base/shared_library.h"

/* Functions and variables of it, each as a pointer of that name. */
#define READLINE_NAMES(each)                                                                                 \
  each(rl_initialize) each(rl_callback_handler_install) each(rl_callback_handler_remove)                     \
      each(rl_callback_read_char) each(rl_callback_sigcleanup) each(rl_free_line_state) each(rl_redisplay)   \
          each(rl_on_new_line) each(rl_clear_visible_line) each(rl_insert_text) each(rl_resize_terminal)     \
              each(rl_deprep_terminal) each(rl_completion_matches) each(rl_display_match_list)               \
                  each(rl_forced_update_display) each(rl_variable_bind) each(rl_get_screen_size)             \
                      each(rl_crlf) each(add_history) each(stifle_history) each(rl_line_buffer)              \
                          each(rl_point) each(rl_end) each(rl_catch_signals) each(rl_catch_sigwinch)         \
                              each(rl_change_environment) each(rl_readline_name) each(rl_outstream)          \
                                  each(rl_deprep_term_function) each(rl_redisplay_function)                  \
                                      each(rl_attempted_completion_function)                                 \
                                          each(rl_attempted_completion_over)                                 \
                                              each(rl_completion_append_character)                           \
                                                  each(rl_completion_word_break_hook)                        \
                                                      each(rl_completion_display_matches_hook)               \
                                                          each(rl_completion_query_items)

typedef struct readline_names {
  READLINE_NAMES(SHARED_POINTER)
} readline_names;

extern readline_names readline_lib; /* filled by libreadline_load */

#endif

/* Loads it. Returns 0; or -1 and fills `err` where there is none. */
int libreadline_load(error *err);

#endif
