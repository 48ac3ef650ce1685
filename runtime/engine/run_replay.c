/* Replay: a run that comes back into memory runs its script from the top, and each primitive answers from the journal
 * instead of acting, until the run has come to its present.
 *
 * A step finds its record by number and fingerprint. Anything else is a divergence: the run is held with what was recorded,
 * what was asked and the script line; it is never dropped, and nothing is done in its name. */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/guard.h"
#include "engine/run.h"
#include "engine/run_parts.h"

/* ---- the records ---- */

static bool is_void_by(const run_cut *cut, size_t index, const store_record *record) {
  if (index > cut->index || record->step < cut->step) return false;
  return !cut->resends || record->kind == RECORD_RESULT;
}

/* What replay passes by: notes for people, the end of a run that goes on all the same, and what a redrive has made void. */
static bool is_answer(const run_past *past) {
  const store_record *record = &past->ahead;
  if (record->kind == RECORD_ATTEMPT || record->kind == RECORD_END || record->kind == RECORD_REDRIVE)
    return false;
  for (size_t i = 0; i < past->cut_count; i++) {
    if (is_void_by(&past->cuts[i], past->index, record)) return false;
  }
  return true;
}

static void note_in_passing(run_past *past) {
  const store_record *record = &past->ahead;
  if (record->kind == RECORD_REDRIVE) past->step_ms = 0;
  if (record->kind == RECORD_REDRIVE || record->kind == RECORD_STEP) past->attempts = 0;
  if (record->kind != RECORD_ATTEMPT) return;
  if (record->numbers[2] == ATTEMPT_RECALLED) past->recalled = true;
  if (record->numbers[2] == ATTEMPT_ENDED) past->ended = true;
  if (!record->numbers[2]) past->attempts++, past->last_attempt = *record;
}

static void look_ahead(run_past *past) {
  const char *end = past->bytes.data + past->bytes.len;
  past->recalled = past->ended = false;
  do {
    past->more = store_record_next(&past->at, end, &past->ahead);
    past->index++;
    if (past->more) note_in_passing(past);
  } while (past->more && !is_answer(past));
}

/* Whether what it says can be read on without looking. */
static bool is_sound(const store_record *record) {
  bool answers = record->kind == RECORD_STEP || record->kind == RECORD_RESULT ||
                 record->kind == RECORD_WOKE || record->kind == RECORD_TAKEN;
  if (record->kind == RECORD_TAKEN && !run_is_json(record->data, record->data_length)) return false;
  return !record->newer ||
         (answers && run_is_json(record->newer, record->newer_length) && *record->newer == '{');
}

/* Finds the redrives, which make void what stands before them, and counts them. False where the bytes are no journal: then
 * nothing may be told again from them, as what can't be read would be done anew. */
static bool find_cuts(run_past *past, uint32_t *redrives) {
  size_t index = 0;
  const char *at = past->bytes.data, *end = at + past->bytes.len;
  for (store_record record = {0}; store_record_next(&at, end, &record);) {
    index++;
    if (!is_sound(&record)) return false;
    if (record.kind != RECORD_REDRIVE) continue;
    ++*redrives;
    if (!record.numbers[0]) continue;
    past->cuts = mem_grow(past->cuts, (past->cut_count + 1) * sizeof *past->cuts);
    past->cuts[past->cut_count++] = (run_cut){index, (uint32_t)record.numbers[0], record.numbers[2] != 0};
  }
  return at == end;
}

bool run_begin_past(run *r, buf *bytes) {
  r->past = mem_zero(sizeof *r->past);
  r->past->bytes = *bytes;
  r->past->at = bytes->data;
  *bytes = BUF_EMPTY;
  r->redrives = 0;
  bool whole = find_cuts(r->past, &r->redrives);
  if (whole) look_ahead(r->past);
  return whole;
}

void run_end_past(run *r) {
  if (!r->past) return;
  buf_free(&r->past->bytes);
  free(r->past->cuts);
  free(r->past);
  r->past = NULL;
}

bool run_in_past(const run *r) {
  return r->past && r->past->more;
}

bool run_recorded(run *r, record_kind kind, store_record *out) {
  if (!run_in_past(r) || r->past->ahead.kind != kind) return false;
  *out = r->past->ahead;
  r->now_ms = out->at_ms;
  if (kind == RECORD_WOKE || kind == RECORD_TAKEN || kind == RECORD_RESULT) guard_renew(r->in);
  run_take_recorded(r, out);
  look_ahead(r->past);
  return true;
}

/* ---- divergence ---- */

static void describe(buf *out, const store_record *record) {
  static const char *const names[RECORD_KINDS] = {
      [RECORD_ENTER] = "the entry",         [RECORD_STEP] = "a step",
      [RECORD_INTENT] = "a request",        [RECORD_RESULT] = "a result",
      [RECORD_WRITE] = "a write to person", [RECORD_WOKE] = "the end of a wait",
      [RECORD_TAKEN] = "the event",         [RECORD_RESTART] = "a new beginning",
  };
  if (record->kind == RECORD_STEP && record->extra)
    buf_add(out, record->extra, record->extra_length);
  else
    buf_text_add(out, names[record->kind]);
  if (record->name && record->kind != RECORD_INTENT && record->kind != RECORD_RESULT)
    buf_format(out, " \"%s\"", record->name);
}

/* The script asks for a `kind` named `name` (or NULL), and the journal has something else there: raises, and the script is
 * stopped. */
static void diverge(run *r, lua_State *L, const char *kind, const char *name) {
  buf text = BUF_EMPTY;
  buf_format(&text, "step %u was recorded as ", r->past->ahead.step);
  describe(&text, &r->past->ahead);
  luaL_where(L, 1);
  size_t length = strlen(lua_tostring(L, -1));
  buf_format(&text, "; now the script asks for %s", kind);
  if (name) buf_format(&text, " \"%s\"", name);
  if (length > 2) buf_format(&text, " at %.*s", (int)length - 2, lua_tostring(L, -1)); /* without ": " */
  lua_pop(L, 1);
  free(r->diverged);
  r->diverged = buf_take(&text, &length);
  guard_kill(r->in, "diverged");
  luaL_error(L, "%s", r->diverged);
}

void run_say_stopped_short(run *r, bool completed) {
  buf text = BUF_EMPTY;
  size_t length;
  buf_text_add(&text, "what was recorded after its last step is ");
  describe(&text, &r->past->ahead);
  buf_text_add(&text, completed ? "; now the script ends there" : "; now the script pauses there");
  free(r->diverged);
  r->diverged = buf_take(&text, &length);
}

/* ---- steps ---- */

void run_replay_step(run *r, lua_State *L, run_step_info *info) {
  const store_record *ahead = &r->past->ahead;
  if (ahead->kind != RECORD_STEP || ahead->step != r->step || ahead->fingerprint != r->call_print)
    diverge(r, L, info->kind, info->name);
  store_record was;
  r->past->step_ms = ahead->at_ms; /* a redrive that comes next takes it back */
  run_recorded(r, RECORD_STEP, &was);
  buf *verdict = &r->in->verdict;
  buf_clear(verdict);
  buf_add(verdict, was.data, was.data_length);
  info->data = was.data ? buf_text(verdict) : NULL;
  info->number = was.numbers[0];
}

void run_replay_write(run *r, lua_State *L, uint64_t fingerprint, const char *name) {
  const store_record *ahead = &r->past->ahead;
  if (ahead->kind != RECORD_WRITE || ahead->step != r->step || ahead->fingerprint != fingerprint)
    diverge(r, L, "a write to person", name);
  store_record was;
  run_recorded(r, RECORD_WRITE, &was);
}
