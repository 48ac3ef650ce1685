/* Other versions: whether a run could go on with another one, by replaying it against that one without doing anything, and the
 * records that move it there. See engine_act. */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/guard.h"
#include "engine/run.h"
#include "engine/run_parts.h"

/* ---- trying ---- */

void run_trial_reached(run *r, lua_State *L) {
  r->trial->is_clean = true;
  guard_kill(r->in, "trial");
  luaL_error(L, "the trial is over");
}

static void note_error(run *r) {
  error err;
  run_take_error(r, r->co, &err);
  r->trial->why = mem_text(err.text);
}

void run_trial_over(run *r, int status) {
  run_trial *trial = r->trial;
  bool was_reached = trial->is_clean;
  if (!was_reached && run_has_diverged(r, status))
    trial->why = mem_text(r->diverged);
  else if (!was_reached && status > LUA_YIELD && !r->in->kill)
    note_error(r);
  else if (!was_reached && r->in->kill)
    trial->why = mem_text("it breaks a limit");
  trial->is_clean = !trial->why;
  guard_settle(r->in, r->co);
}

/* Replays it, and forgets it: nothing of it was done. */
static const char *try_version(worker *w, const store_run *kept, uint32_t version, char **why) {
  store_run as = *kept;
  as.journey = version;
  run *r = run_wake(w, &as);
  if (!r) { /* what was read of it is not to keep it from being due */
    store_due_again(w->lane, &(store_due_run){kept->due_ms, kept->run});
    return "its journal or that version's scripts can't be read";
  }
  r->trial = mem_zero(sizeof *r->trial);
  list_remove(&r->ready_link);
  run_resume(r);
  bool is_clean = r->trial->is_clean;
  *why = r->trial->why;
  r->trial->why = NULL;
  run_forget(r);
  return is_clean ? NULL : "it would go another way there";
}

/* ---- moving ---- */

/* Out of the old version's ledger and into the new one's, in one commit. */
static const char *move(worker *w, const store_run *kept, uint32_t version) {
  run *r = run_with_journal(w, kept, NULL);
  if (!r) return "its journal can't be read";
  store_record leaves = {.kind = RECORD_MOVE, .element = NO_ELEMENT};
  store_record comes = {.kind = RECORD_MOVE, .element = NO_ELEMENT};
  if (kept->state == RUN_HELD) { /* what held it was another version's, and is no reason any more */
    comes.reason = "moved";
    comes.detail = kept->reason && strcmp(kept->reason, "moved") == 0 ? kept->detail : kept->reason;
  }
  leaves.converts = -(r->converted_ms != 0);
  comes.converts = r->converted_ms != 0;
  run_record(r, &leaves, RUN_NONE);
  r->version = version;
  r->gone = true;
  r->park = PARK_END;
  run_settle(r, &comes, kept->state, kept->due_ms);
  return NULL;
}

const char *run_move_to(worker *w, const store_run *kept, uint32_t version, bool moves, char **why) {
  if (kept->state >= RUN_COMPLETED) return "it has ended";
  if (run_is_active(kept->state)) return "it is about to go on: ask again";
  if (kept->journey == version) return "it has that version";
  const char *refused = try_version(w, kept, version, why);
  return refused || !moves ? refused : move(w, kept, version);
}
