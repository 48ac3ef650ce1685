/* What operators do with single runs: redriving and ending them. Both are records like any other, so that replay, the ledger
 * and whoever asks `why` know of them. What was done is told when it is durable. See engine_act. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/run.h"
#include "engine/run_parts.h"

/* Writes the record that changes a run which is not in memory; the run goes with it. */
static void change(run *r, store_record *record, run_state to, int64_t due_ms) {
  r->gone = true;
  r->park = PARK_END;
  run_settle(r, record, to, due_ms);
  if (run_is_active(to)) shared_active(r->in->shared, -1); /* it counts when it is woken */
}

/* ---- redriving ---- */

/* What a run's journal says of how it ended, and of the times it was sent on before. */
typedef struct last_call {
  uint32_t step; /* of the call whose result is the last thing that was recorded; 0: something else was */
  bool mistake;  /* ours, and not its answer, ended it */
  bool unknown;
  bool unclear; /* it has left, or may have, and nobody knows whether it was done */
  uint32_t redrives;
} last_call;

static last_call read_last_call(const buf *journal) {
  const char *at = journal->data, *end = at + journal->len;
  last_call last = {0};
  for (store_record record = {0}; store_record_next(&at, end, &record);) {
    if (record.kind == RECORD_REDRIVE) last.redrives++;
    if (record.kind == RECORD_END || record.kind == RECORD_ATTEMPT) continue;
    bool is_result = record.kind == RECORD_RESULT && strcmp(record.name, "ok") != 0;
    last.step = is_result ? record.step : 0;
    last.mistake = is_result && strcmp(record.name, "mistake") == 0;
    last.unknown = is_result && strcmp(record.name, "unknown") == 0;
    last.unclear = is_result && record.numbers[3] & RESULT_UNCLEAR;
  }
  return last;
}

static bool is_reason(const store_run *kept, const char *reason) {
  return kept->reason && strcmp(kept->reason, reason) == 0;
}

/* The same, or it was before the run was moved to another version. */
static bool was_reason(const store_run *kept, const char *reason) {
  bool was_moved = is_reason(kept, "moved") && kept->detail && strcmp(kept->detail, reason) == 0;
  return was_moved || is_reason(kept, reason);
}

/* Why it would only come to the same end again; NULL. Its script is the one that it began with, or was moved to. */
static const char *would_end_again(const store_run *kept, const last_call *last) {
  if (is_reason(kept, "drop")) return "its script says drop(), and would again";
  if (is_reason(kept, "script") && !last->mistake)
    return "its script has failed, and would again: move it to a mended version first";
  if (is_reason(kept, "diverged"))
    return "its replay asks for something else than was recorded, and would again: move it to a mended "
           "version first";
  return NULL;
}

/* The step from which it is taken back: that of the call that ended it; 0: it goes on from where it is. */
static uint32_t step_to_redo(const store_run *kept, const last_call *last) {
  bool by_script = was_reason(kept, "script") || was_reason(kept, "limit") || was_reason(kept, "config");
  return last->unknown || (by_script && !last->mistake) ? 0 : last->step;
}

static bool is_newer(const store_run *kept, uint64_t number, const char *per) {
  bool same = per && kept->per ? strcmp(per, kept->per) == 0 : per == kept->per;
  return same && number > kept->run;
}

/* Why the person's older run can't live again; NULL: it can. */
static const char *is_replaced(worker *w, const store_run *kept) {
  store_run *runs = NULL;
  size_t count = 0;
  bool is = false;
  for (const run *r = *run_bucket(w, kept->person); r && !is; r = r->same_bucket)
    is = strcmp(r->person, kept->person) == 0 && is_newer(kept, r->journal.run, r->per);
  if (store_runs_of(w->lane, kept->person, &runs, &count)) return "the state can't be read: ask again";
  for (size_t i = 0; i < count; i++) {
    is = is || is_newer(kept, runs[i].run, runs[i].per);
    store_run_free(&runs[i]);
  }
  free(runs);
  return is ? "the person has entered again since" : NULL;
}

/* A call that may have been done is not made anew: it is sent again as it was. Where a mistake of ours was in the way of that it would
 * have been by itself; where the vendor gave no answer the operator has to say so. */
static const char *may_have_been_done(const store_run *kept, const last_call *last) {
  if (!step_to_redo(kept, last) || !last->unclear || last->mistake) return NULL;
  return "whether its call was done is not known: --unknown sends it again, the same bytes under the same "
         "key";
}

static const char *send_on(run *r, const store_run *kept, const last_call *last, bool resends) {
  const char *why = would_end_again(kept, last);
  if (!why && !resends) why = may_have_been_done(kept, last);
  if (why) {
    run_forget(r);
    return why;
  }
  uint32_t step = step_to_redo(kept, last);
  bool as_it_was = step && last->unclear;
  store_record record = {
      .kind = RECORD_REDRIVE,
      .numbers = {step, last->redrives + 1, as_it_was},
      .element = kept->element,
      .counts = as_it_was ? 1 << ELEMENT_REACHED : 0, /* else it comes to its step anew */
      .reason = "redriven",
      .detail = kept->reason,
  };
  change(r, &record, RUN_RUNNING, 0);
  return NULL;
}

static const char *redrive(worker *w, const store_run *kept, bool resends) {
  if (kept->state != RUN_HELD && kept->state != RUN_DROPPED) return "it is neither held nor dropped";
  const char *why = is_replaced(w, kept);
  if (why) return why;
  buf journal = BUF_EMPTY;
  run *r = run_with_journal(w, kept, &journal);
  last_call last = read_last_call(&journal);
  buf_free(&journal);
  return r ? send_on(r, kept, &last, resends) : "its journal can't be read";
}

/* ---- ending ---- */

static const char *end_present(run *r) {
  bool calling = run_is_calling(r);
  if (r->park == PARK_END) return "it is about to end";
  if (calling && r->call->state == CALL_WIRE)
    run_note_attempt(r, ATTEMPT_ENDED); /* it ends after its answer */
  run_end(r, RUN_EXITED, "operator", "");
  run_end_soon(r, calling);
  return NULL;
}

static const char *end_kept(worker *w, const store_run *kept) {
  if (kept->state >= RUN_COMPLETED) return "it has ended";
  run *r = run_with_journal(w, kept, NULL);
  if (!r) return "its journal can't be read";
  if (run_is_active(r->state)) shared_active(w->shared, 1);
  store_record record = {.kind = RECORD_END, .element = NO_ELEMENT, .reason = "operator", .detail = ""};
  change(r, &record, RUN_EXITED, INT64_MAX);
  return NULL;
}

/* ---- interrupting ---- */

static void interrupt(run *r) {
  bool calling = run_is_calling(r);
  run_end(r, RUN_EXITED, "operator", "");
  if (calling)
    call_cut(r->call);
  else
    run_finish(r);
}

void run_interrupt(worker *w) {
  atomic_store(&w->interrupted, false); /* it was seen, or nothing ran */
  for (list *l = w->living.next, *next; l != &w->living; l = next) {
    next = l->next;
    run *r = LIST_OF(run, link, l);
    if (!r->gone && !r->lingers && r->park != PARK_END) interrupt(r);
  }
}

/* ---- what was asked ---- */

/* The run in memory: by its person, or, when it has left those, by its number. */
static run *present_run(worker *w, uint64_t number, const char *person) {
  run *r = *run_bucket(w, person);
  while (r && r->journal.run != number) r = r->same_bucket;
  return r ? r : run_in_memory(w, number);
}

static const char *act_on_kept(worker *w, const message *m, const store_run *kept, char **why) {
  switch ((engine_act)m->act) {
  case ENGINE_REDRIVE: return redrive(w, kept, false);
  case ENGINE_RESEND: return redrive(w, kept, true);
  case ENGINE_MOVE: return run_move_to(w, kept, m->version, true, why);
  case ENGINE_TRY: return run_move_to(w, kept, m->version, false, why);
  default: return end_kept(w, kept);
  }
}

static const char *act(worker *w, const message *m, char **why) {
  uint64_t number = (uint64_t)m->number;
  const char *person = m->texts[0];
  run *present = present_run(w, number, person);
  if (present && present->lingers) {
    run_forget(present);
    present = NULL;
  }
  if (present && present->gone) return "it has just changed: ask again";
  if (present) return m->act == ENGINE_END ? end_present(present) : "it is under way";
  store_run kept;
  int found = store_find(w->lane, number, &kept);
  if (found != 1) return found < 0 ? "the state can't be read: ask again" : "there is no such run";
  const char *refused = act_on_kept(w, m, &kept, why);
  store_run_free(&kept);
  return refused;
}

/* An act that was carried out, and is told when that is durable. */
typedef struct act_done {
  list link;
  uint64_t run;
  store_position position;
} act_done;

void run_act(worker *w, const message *m) {
  uint64_t number = (uint64_t)m->number;
  bool kept = store_keeps(w->shared->store);
  char *why = NULL;
  const char *refused = kept ? act(w, m, &why) : "the state is in memory";
  if (refused || store_last(w->lane) <= store_durable(w->lane)) { /* nothing is to be waited for */
    shared_outcome(w->shared, number, refused, why);
    return;
  }
  act_done *done = mem_zero(sizeof *done);
  done->run = number;
  done->position = store_last(w->lane);
  list_push(&w->acts, &done->link);
}

void run_tell_acts(worker *w, store_position up_to) {
  while (!list_empty(&w->acts)) {
    act_done *done = LIST_OF(act_done, link, w->acts.next);
    if (done->position > up_to) return;
    list_remove(&done->link);
    shared_outcome(w->shared, done->run, NULL, NULL);
    free(done);
  }
}
