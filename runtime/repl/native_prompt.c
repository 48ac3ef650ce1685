/* jaunt.native.prompt: lines that somebody types, while the loop goes on.
 *
 *   local prompt <close> = open { edit = true, complete = function, paint = function, meanwhile = function }
 *                           edit: with readline, where that can be had; without it lines come as the terminal, or a pipe, gives them
 *   prompt:edits()          whether readline is in use; else false, and why it is not
 *   prompt:read(text [, initial])
 *                           suspends the command until a line is there: the line; nil at the end of the input; false when it was
 *                           interrupted. `text` is shown before it: with colours between \1 and \2
 *   prompt:interrupt()      from a signal's callback: drops the line that is being read
 *   prompt:finish()         the same, and the input is over
 *   prompt:say(text)        shows a line above the one that is being read
 *   prompt:remember(line)   puts it into the history in memory
 *   prompt:quiet(on)        whether what is typed while no line is read is shown, and comes in lines: off for other programs' sake. It
 *                           is kept for the next line either way
 *
 *   complete(line, start, stop)   what the bytes start to stop may become: a list of texts, and what is put behind the only one
 *   paint(line, cursor)           the line with colours in it; nil: as it is
 *   meanwhile()                   called every half second while a line is read
 * They are called on the loop and can't wait; an error in the first two means nothing to show. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "native/control.h"
#include "native/native.h"
#include "repl/editor.h"
#include "repl/native.h"

static const char PROMPT[] = "jaunt.prompt";

enum {
  LINE_MOST = 8 << 20, /* bytes of one line */
  MEANWHILE_MS = 500,
};

typedef enum answer { ANSWER_LINE, ANSWER_END, ANSWER_INTERRUPTED } answer;

/* Outlives its userdata: the close callback of its last handle frees it. */
typedef struct prompt {
  control *owner;
  uv_poll_t input;
  uv_signal_t resized;
  uv_timer_t timer; /* for `meanwhile` */
  bool polls;       /* `input` is initialised; a file can't be waited for, and need not be */
  int open_handles;
  bool edits, is_terminal, reading, over;
  bool done; /* within a callback: the line is there, or whatever `answer` says */
  answer answer;
  char *line;                         /* of the editor; freed once it is told */
  buf text;                           /* what came without the editor, and was not told yet */
  struct termios before, quiet, loud; /* as it was; between lines; and quiet, but what is typed is shown */
  error why;                          /* it does not edit */
  int complete, paint, meanwhile;     /* references */
} prompt;

static prompt *prompt_at(lua_State *L) {
  prompt **held = luaL_checkudata(L, 1, PROMPT);
  if (!*held) luaL_error(L, "this prompt is closed");
  return *held;
}

/* ---- the terminal ---- */

static void set_terminal(const prompt *p, const struct termios *settings) {
  if (p->is_terminal) tcsetattr(STDIN_FILENO, TCSADRAIN, settings);
}

static void look_at_terminal(prompt *p) {
  p->is_terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &p->before) == 0;
  p->quiet = p->before;
  p->quiet.c_lflag &= (tcflag_t) ~(ECHO | ICANON);
  p->quiet.c_cc[VMIN] = 1;
  p->quiet.c_cc[VTIME] = 0;
  p->loud = p->quiet;
  p->loud.c_lflag |= ECHO;
}

/* ---- answers ---- */

/* The first line of `text`; without its end. */
static void push_line(lua_State *L, prompt *p) {
  const char *end = memchr(p->text.data, '\n', p->text.len);
  size_t length = end ? (size_t)(end - p->text.data) : p->text.len;
  size_t whole = end ? length + 1 : length;
  lua_pushlstring(L, p->text.data, length);
  memmove(p->text.data, p->text.data + whole, p->text.len - whole);
  p->text.len -= whole;
}

static void push_answer(lua_State *L, prompt *p, answer a) {
  if (a == ANSWER_INTERRUPTED)
    lua_pushboolean(L, 0);
  else if (a == ANSWER_END)
    lua_pushnil(L);
  else if (p->line)
    lua_pushstring(L, p->line);
  else
    push_line(L, p);
}

static bool has_line(const prompt *p) {
  return p->text.len && (p->over || memchr(p->text.data, '\n', p->text.len) || p->text.len > LINE_MOST);
}

static void answer_with(prompt *p, answer a) {
  if (!p->reading) return;
  p->reading = p->done = false;
  if (p->polls) uv_poll_stop(&p->input);
  uv_timer_stop(&p->timer);
  lua_State *co = p->owner->co;
  if (!lua_checkstack(co, 2)) return;
  push_answer(co, p, a);
  free(p->line);
  p->line = NULL;
  control_resume(p->owner, co, 1);
}

/* ---- with the editor ---- */

static void line_came(void *data, char *line) {
  prompt *p = data;
  p->line = line;
  p->answer = line ? ANSWER_LINE : ANSWER_END;
  p->done = true;
}

static void terminal_released(void *data) {
  const prompt *p = data;
  set_terminal(p, &p->quiet);
}

/* The list on top of L as an array for the editor. */
static char **texts_of(lua_State *L) {
  size_t count = lua_rawlen(L, -1);
  if (!lua_istable(L, -1) || !count) return NULL;
  char **texts = mem_zero((count + 1) * sizeof *texts);
  size_t kept = 0;
  for (size_t i = 1; i <= count; i++) {
    if (lua_rawgeti(L, -1, (lua_Integer)i) == LUA_TSTRING) texts[kept++] = mem_text(lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  return texts;
}

static char **complete(void *data, const char *line, int start, int end, char *append) {
  const prompt *p = data;
  lua_State *L = p->owner->L;
  int top = lua_gettop(L);
  char **texts = NULL;
  if (!lua_checkstack(L, 8)) return NULL;
  lua_rawgeti(L, LUA_REGISTRYINDEX, p->complete);
  lua_pushstring(L, line);
  lua_pushinteger(L, start + 1);
  lua_pushinteger(L, end);
  if (lua_pcall(L, 3, 2, 0) == LUA_OK) {
    const char *behind = lua_tostring(L, -1);
    if (behind) *append = *behind;
    lua_pop(L, 1);
    texts = texts_of(L);
  }
  lua_settop(L, top);
  return texts;
}

static char *paint(void *data, const char *line, int point) {
  const prompt *p = data;
  lua_State *L = p->owner->L;
  int top = lua_gettop(L);
  char *painted = NULL;
  if (!lua_checkstack(L, 8)) return NULL;
  lua_rawgeti(L, LUA_REGISTRYINDEX, p->paint);
  lua_pushstring(L, line);
  lua_pushinteger(L, point + 1);
  if (lua_pcall(L, 2, 1, 0) == LUA_OK && lua_type(L, -1) == LUA_TSTRING)
    painted = mem_text(lua_tostring(L, -1));
  lua_settop(L, top);
  return painted;
}

static void start_editor(lua_State *L, prompt *p) {
  editor_user user = {.data = p, .done = line_came, .released = terminal_released, .complete = complete};
  lua_getfield(L, 1, "complete");
  p->complete = luaL_ref(L, LUA_REGISTRYINDEX);
  if (lua_getfield(L, 1, "paint") == LUA_TFUNCTION) user.paint = paint;
  p->paint = luaL_ref(L, LUA_REGISTRYINDEX);
  p->edits = editor_start(&user, &p->why) == 0;
}

/* ---- without ---- */

/* Reads what is there. False where nothing more will come. */
static bool read_some(prompt *p) {
  char bytes[1 << 16];
  ssize_t count;
  do count = read(STDIN_FILENO, bytes, sizeof bytes);
  while (count < 0 && errno == EINTR);
  if (count < 0 && errno == EAGAIN) return true;
  if (count > 0) buf_add(&p->text, bytes, (size_t)count);
  return count > 0;
}

static void readable(uv_poll_t *handle, int status, int events) {
  prompt *p = handle->data;
  (void)events;
  if (p->edits && status == 0) {
    editor_key();
    if (p->done) answer_with(p, p->answer);
    return;
  }
  if (status < 0 || !read_some(p)) p->over = true;
  if (has_line(p))
    answer_with(p, ANSWER_LINE);
  else if (p->over)
    answer_with(p, ANSWER_END);
}

/* ---- read ---- */

static void look_meanwhile(uv_timer_t *timer) {
  const prompt *p = timer->data;
  lua_rawgeti(p->owner->L, LUA_REGISTRYINDEX, p->meanwhile);
  control_call(p->owner, 0);
}

static int prompt_read(lua_State *L) {
  prompt *p = prompt_at(L);
  const char *shown = luaL_optstring(L, 2, ""), *initial = luaL_optstring(L, 3, NULL);
  control_can_yield(L);
  if (!p->edits) {
    fputs(shown, stdout);
    fflush(stdout);
    while (!p->polls && !p->over && !has_line(p)) p->over = !read_some(p);
    if (has_line(p)) {
      push_line(L, p);
      return 1;
    }
  }
  if (p->over) return lua_pushnil(L), 1;
  p->reading = true;
  p->done = false;
  set_terminal(p, p->edits ? &p->loud : &p->before); /* readline shows nothing where the terminal does not */
  if (p->edits) editor_read(shown, initial);
  uv_poll_start(&p->input, UV_READABLE, readable);
  if (p->meanwhile != LUA_NOREF) uv_timer_start(&p->timer, look_meanwhile, MEANWHILE_MS, MEANWHILE_MS);
  return control_yield(L);
}

static int prompt_interrupt(lua_State *L) {
  prompt *p = prompt_at(L);
  if (!p->reading) return 0;
  if (p->edits)
    editor_drop();
  else
    fputc('\n', stdout);
  answer_with(p, ANSWER_INTERRUPTED);
  return 0;
}

static int prompt_finish(lua_State *L) {
  prompt *p = prompt_at(L);
  p->over = true;
  if (!p->reading) return 0;
  if (p->edits) editor_drop();
  answer_with(p, ANSWER_END);
  return 0;
}

/* ---- beside ---- */

static int prompt_say(lua_State *L) {
  const prompt *p = prompt_at(L);
  size_t length;
  const char *text = luaL_checklstring(L, 2, &length);
  if (p->edits) {
    editor_say(text, length);
    return 0;
  }
  fwrite(text, 1, length, stdout);
  fputc('\n', stdout);
  fflush(stdout);
  return 0;
}

static int prompt_remember(lua_State *L) {
  const prompt *p = prompt_at(L);
  const char *line = luaL_checkstring(L, 2);
  if (p->edits) editor_remember(line);
  return 0;
}

static int prompt_quiet(lua_State *L) {
  const prompt *p = prompt_at(L);
  set_terminal(p, lua_toboolean(L, 2) && p->edits ? &p->quiet : &p->before);
  return 0;
}

static int prompt_edits(lua_State *L) {
  const prompt *p = prompt_at(L);
  lua_pushboolean(L, p->edits);
  if (p->edits) return 1;
  lua_pushstring(L, p->why.text);
  return 2;
}

static void window_changed(uv_signal_t *handle, int number) {
  (void)handle, (void)number;
  editor_resized();
}

/* ---- life ---- */

static void handle_closed(uv_handle_t *handle) {
  prompt *p = handle->data;
  if (--p->open_handles > 0) return;
  p->owner->endings--;
  free(p);
}

static int prompt_close(lua_State *L) {
  prompt **held = luaL_checkudata(L, 1, PROMPT);
  prompt *p = *held;
  *held = NULL;
  if (!p) return 0;
  if (p->reading && p->edits) editor_drop();
  set_terminal(p, &p->before);
  luaL_unref(L, LUA_REGISTRYINDEX, p->complete);
  luaL_unref(L, LUA_REGISTRYINDEX, p->paint);
  luaL_unref(L, LUA_REGISTRYINDEX, p->meanwhile);
  buf_free(&p->text);
  free(p->line);
  uv_close((uv_handle_t *)&p->resized, handle_closed);
  uv_close((uv_handle_t *)&p->timer, handle_closed);
  if (p->polls) uv_close((uv_handle_t *)&p->input, handle_closed);
  return 0;
}

/* The terminal is somebody else's, too: libuv makes it one that does not wait, and all that write to it would have to know. */
static void open_input(prompt *p) {
  int flags = fcntl(STDIN_FILENO, F_GETFL);
  p->polls = uv_poll_init(&p->owner->loop, &p->input, STDIN_FILENO) == 0;
  if (flags >= 0) fcntl(STDIN_FILENO, F_SETFL, flags);
  if (!p->polls) return;
  p->input.data = p;
  p->open_handles++;
}

static int prompt_open(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  prompt **held = lua_newuserdatauv(L, sizeof *held, 0);
  *held = NULL;
  luaL_setmetatable(L, PROMPT);
  prompt *p = *held = mem_zero(sizeof *p);
  p->owner = control_of(L);
  p->owner->endings++;
  p->complete = p->paint = p->meanwhile = LUA_NOREF;
  error_set(&p->why, "nobody asked for it");
  uv_signal_init(&p->owner->loop, &p->resized);
  uv_timer_init(&p->owner->loop, &p->timer);
  p->resized.data = p->timer.data = p;
  p->open_handles = 2;
  if (lua_getfield(L, 1, "meanwhile") == LUA_TFUNCTION)
    p->meanwhile = luaL_ref(L, LUA_REGISTRYINDEX);
  else
    lua_pop(L, 1);
  open_input(p);
  look_at_terminal(p);
  lua_getfield(L, 1, "edit");
  if (lua_toboolean(L, -1) && p->is_terminal && p->polls) start_editor(L, p);
  if (p->edits) uv_signal_start(&p->resized, window_changed, SIGWINCH);
  uv_unref((uv_handle_t *)&p->resized);
  lua_settop(L, 2);
  return 1;
}

static const luaL_Reg methods[] = {{"read", prompt_read},         {"interrupt", prompt_interrupt},
                                   {"finish", prompt_finish},     {"say", prompt_say},
                                   {"remember", prompt_remember}, {"quiet", prompt_quiet},
                                   {"edits", prompt_edits},       {NULL, NULL}};
static const luaL_Reg module[] = {{"open", prompt_open}, {NULL, NULL}};

int native_prompt_open(lua_State *L) {
  native_type(L, PROMPT, methods, prompt_close, prompt_close);
  luaL_newlib(L, module);
  return 1;
}
