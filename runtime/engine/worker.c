/* A worker's thread: its loop, its turns, its start and its end. See worker.h. */
#include "engine/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/guard.h"
#include "engine/run.h"

enum {
  TURN_RESUMES = 256, /* runs resumed and timers fired before the loop looks at its sockets again */
};

worker *worker_of(lua_State *L) {
  return *(worker **)lua_getextraspace(L);
}

const connection *worker_connection(const worker *w, const char *name) {
  const engine_options *options = w->shared->options;
  for (size_t i = 0; i < options->connection_count; i++) {
    if (strcmp(options->connections[i]->name, name) == 0) return options->connections[i];
  }
  return NULL;
}

/* ---- the turn ---- */

static bool admit(worker *w, const message *m) {
  run_admission outcome = w->draining ? RUN_NOT_ADMITTED : run_admit(w, m);
  if (outcome == RUN_NOT_ADMITTED) shared_active(w->shared, -1);
  return outcome != RUN_UNREAD;
}

static bool take_event(worker *w, const message *m) {
  if (!w->draining && !run_event_came(w, m)) return false;
  shared_event_done(w->shared, m);
  return true;
}

/* False where the state can't be read: it was not dealt with. */
static bool handle(worker *w, message *m) {
  switch (m->kind) {
  case MESSAGE_ADMIT: return admit(w, m);
  case MESSAGE_EVENT: return take_event(w, m);
  case MESSAGE_ACT: run_act(w, m); break;
  case MESSAGE_INTERRUPT: run_interrupt(w); break;
  case MESSAGE_PAYLOADS: worker_take_payloads(w, m); break;
  case MESSAGE_GRANT: calls_granted(w->calls, m->waiter); break;
  case MESSAGE_TICK: break; /* timers are looked at in every turn */
  case MESSAGE_DRAIN:
    w->draining = true;
    w->grace_ms = m->number;
    break;
  }
  return true;
}

/* Behind another one for the same person, which waits for the state to be read. */
static bool has_to_wait(const worker *w, const message *m) {
  if (m->kind != MESSAGE_ADMIT && m->kind != MESSAGE_EVENT) return false;
  for (const list *l = w->unread.next; l != &w->unread; l = l->next) {
    const message *before = LIST_OF(message, link, l);
    if (before->lengths[0] == m->lengths[0] && memcmp(before->texts[0], m->texts[0], m->lengths[0]) == 0)
      return true;
  }
  return false;
}

static void take_all(worker *w, list *messages) {
  for (list *l; (l = list_pop(messages));) {
    message *m = LIST_OF(message, link, l);
    if (has_to_wait(w, m) || !handle(w, m)) {
      list_push(&w->unread, l);
      continue;
    }
    free(m);
    w->taken++;
  }
}

static void take_unread(worker *w) {
  list messages;
  list_init(&messages);
  list_move_all(&messages, &w->unread);
  take_all(w, &messages);
}

static void take_inbox(worker *w) {
  list messages;
  if (!w->retries) take_unread(w);
  inbox_take(&w->inbox, &messages);
  take_all(w, &messages);
  if (w->draining) take_unread(w);
}

/* ---- what can't be read ---- */

enum { READ_AGAIN_MS = 200 };

static void read_again(uv_timer_t *retry) {
  worker *w = retry->data;
  w->retries = false; /* the turn that follows takes what is unread */
  run_due_again(w);
}

void worker_read_later(worker *w) {
  w->unread_times++;
  if (!w->retries && !w->closing) uv_timer_start(&w->retry, read_again, READ_AGAIN_MS, 0);
  w->retries = !w->closing;
}

bool worker_unread(worker *w) {
  if (!store_unread(w->lane)) return false;
  worker_read_later(w);
  return true;
}

/* Once all that could not be read was. */
static void tell_readable(worker *w) {
  if (!w->unread_times || w->retries || w->draining) return;
  w->unread_times = 0;
  store_unread_over(w->lane);
  shared_warn(w->shared, "the state can be read again");
}

static void durable(void *data, store_position up_to) {
  worker *w = data;
  while (!list_empty(&w->gated)) {
    run *r = LIST_OF(run, ready_link, w->gated.next);
    if (r->gate > up_to) break;
    list_remove(&r->ready_link);
    call_release(r->call);
  }
  run_tell_acts(w, up_to);
  run_forget_waiting(w, up_to);
  run_forget_changes(w, up_to);
}

enum { PATIENCE_MS = 2000 }; /* with a store that can't write, once the engine is being stopped */

bool worker_make_room(worker *w) {
  for (int ms = 0; !w->lost; ms++) {
    store_flush(w->lane);
    if (!store_lane_full(w->lane)) return true;
    if (!atomic_load(&w->shared->ending)) ms = 0;
    w->lost = ms >= PATIENCE_MS;
    uv_sleep(1);
  }
  return false;
}

/* Resumes what is ready, lets the store take the records, starts what they let through; returns whether something is left
 * for the next turn. */
static bool work_off(worker *w) {
  int left = TURN_RESUMES;
  bool more;
  do {
    calls_run(w->calls);
    while (left > 0 && !list_empty(&w->ready) && !store_lane_full(w->lane)) {
      left--;
      run_resume(LIST_OF(run, ready_link, list_pop(&w->ready)));
    }
    calls_run(w->calls);  /* those that have begun: their intents ride in the commit of what led to them */
    store_flush(w->lane); /* what it makes durable lets calls go */
    more = calls_due(w->calls) || !list_empty(&w->ready);
  } while (more && left > 0 && !store_lane_full(w->lane));
  return more;
}

/* Runs that wait leave memory, where the store can bring them back. Only where that is not enough the one that holds most is held.
 * Returns whether something was recorded. */
static bool relieve_memory(worker *w) {
  int64_t most = (int64_t)w->shared->options->limits.worker_memory;
  bool is_leaving = store_durable(w->lane) < w->evicted_to; /* what it frees is not known yet */
  if (w->memory <= most || w->memory < w->collect_at || is_leaving) return false;
  lua_gc(w->L, LUA_GCCOLLECT);
  w->collect_at = w->memory + w->memory / 16; /* a full collection is dear: not in every turn */
  if (w->memory <= most) return false;
  int64_t before = w->memory;
  if (!run_evict(w, before - most)) run_hold_largest(w);
  w->evicted_to = store_last(w->lane);
  if (w->evicted_to > store_durable(w->lane)) w->collect_at = 0;
  return true;
}

static void cut_calls(worker *w, bool on_wire_too) {
  for (list *l = w->living.next, *next; l != &w->living; l = next) {
    next = l->next;
    call *c = LIST_OF(run, link, l)->call;
    bool open = c && c->started && c->state != CALL_DONE;
    if (open && (on_wire_too || c->state != CALL_WIRE)) call_cut(c);
  }
}

static void grace_over(uv_timer_t *alarm) {
  cut_calls(alarm->data, true); /* done in the turn that follows */
}

static void http_closed(void *data) {
  worker *w = data;
  uv_handle_t *handles[] = {(uv_handle_t *)&w->async, (uv_handle_t *)&w->prepare, (uv_handle_t *)&w->idle,
                            (uv_handle_t *)&w->alarm, (uv_handle_t *)&w->retry};
  for (size_t i = 0; i < sizeof handles / sizeof *handles; i++) {
    if (!uv_is_closing(handles[i])) uv_close(handles[i], NULL);
  }
}

static void idle_turn(uv_idle_t *idle) {
  (void)idle; /* only keeps the loop from sleeping */
}

/* Stops in two steps: what is not on the wire, or comes off it to be tried again, was cut when the turn began, what is gets the
 * grace. Then everything is closed. */
static void drain(worker *w) {
  if (!w->stopping) uv_timer_start(&w->alarm, grace_over, (uint64_t)(w->grace_ms > 0 ? w->grace_ms : 0), 0);
  w->stopping = true;
  bool goes_on = !list_empty(&w->ready) && !store_lane_full(w->lane);
  if (goes_on || calls_due(w->calls))
    uv_idle_start(&w->idle, idle_turn); /* what was cut is done in the next turn */
  if (goes_on || calls_open(w->calls)) return;
  w->closing = true;
  inbox_close(&w->inbox);
  timers_free(&w->timers);
  timers_free(&w->pauses);
  while (!list_empty(&w->living)) run_forget(LIST_OF(run, link, w->living.next));
  http_close(w->wire, http_closed, w);
  w->wire = NULL;
}

static void alarm_rang(uv_timer_t *alarm) {
  (void)alarm; /* the turn that follows fires what is due */
}

/* When there is something to do, on the logical clock; INT64_MAX: never by its time. */
static int64_t next_due(worker *w) {
  const logical_clock *clock = &w->shared->clock;
  int64_t next = timers_next(&w->timers), wake = run_next_wake(w), pause = timers_next(&w->pauses);
  if (pause != INT64_MAX) pause += logical_now_ms(clock) - logical_elapsed_ms(clock);
  if (pause < next) next = pause;
  return wake < next ? wake : next;
}

static void arm(worker *w, bool more) {
  int64_t next = next_due(w);
  atomic_store(&w->next_due, next);
  bool full = store_lane_full(w->lane); /* then the store wakes the loop, when it has made room */
  if (more && !full)
    uv_idle_start(&w->idle, idle_turn);
  else
    uv_idle_stop(&w->idle);
  if (w->stopping || w->shared->clock.is_virtual) return;
  if (next == INT64_MAX || full) {
    uv_timer_stop(&w->alarm);
    return;
  }
  int64_t ms = next - logical_now_ms(&w->shared->clock);
  if (ms > CLOCK_LOOK_MS) ms = CLOCK_LOOK_MS; /* the wall clock may be stepped meanwhile */
  uv_update_time(&w->loop);
  uv_timer_start(&w->alarm, alarm_rang, ms > 0 ? (uint64_t)ms : 0, 0);
}

/* Keeps one token of the shared work while something may happen here without a timer, and gives back those of the
 * messages that were dealt with. */
static void settle_tokens(worker *w, bool busy) {
  int64_t change = (int64_t)busy - (int64_t)w->token - w->taken;
  w->token = busy;
  w->taken = 0;
  if (change) shared_work(w->shared, change);
}

/* Returns how many; *more: others are due. */
static size_t fire_timers(worker *w, int64_t now, bool *more) {
  int64_t elapsed = logical_elapsed_ms(&w->shared->clock);
  size_t fired = timers_fire(&w->timers, now, TURN_RESUMES);
  fired += timers_fire(&w->pauses, elapsed, TURN_RESUMES - fired);
  *more = fired == TURN_RESUMES && (timers_next(&w->timers) <= now || timers_next(&w->pauses) <= elapsed);
  return fired;
}

static void turn(uv_prepare_t *prepare) {
  worker *w = prepare->data;
  if (w->closing) return;
  take_inbox(w);
  if (w->draining)
    cut_calls(w, w->grace_ms <= 0); /* before timers: no pause may be over that leads to another attempt */
  int64_t now = logical_now_ms(&w->shared->clock);
  bool full = store_lane_full(w->lane), due = false;
  size_t fired = full ? 0 : fire_timers(w, now, &due);
  size_t woken = full || w->draining ? 0 : run_wake_due(w, now);
  if (fired + woken && !w->token) { /* a real clock's timers bring no token along */
    w->token = true;
    shared_work(w->shared, 1);
  }
  bool more = work_off(w) || due;
  run_leave(w);
  bool is_late = run_meet_late_events(w), is_relieved = relieve_memory(w);
  if (is_late || is_relieved) { /* their records are to be taken, too: nothing else may come that does it */
    store_flush(w->lane);
    more = more || calls_due(w->calls) || !list_empty(&w->ready) || !list_empty(&w->late_events);
  }
  arm(w, more);
  tell_readable(w);
  run_tell_crowded(w);
  settle_tokens(w, more || w->retries || w->calls_busy > 0 || store_last(w->lane) > store_durable(w->lane));
  if (w->draining) drain(w);
}

/* ---- what calls/ asks of the worker ---- */

static void post_grant(void *data, limit_waiter *waiter) {
  message *m = message_new(MESSAGE_GRANT);
  m->waiter = waiter;
  worker_post(data, m);
}

static void busy(void *data, int change) {
  ((worker *)data)->calls_busy += change;
}

/* ---- start and end ---- */

static void records_durable(void *data) {
  uv_async_send(&((worker *)data)->async); /* the turn that follows flushes, and is told */
}

static int open_lane(worker *w) {
  const engine_shared *s = w->shared;
  store_lane_options options = {.durable = durable,
                                .wake = records_durable,
                                .data = w,
                                .inbox = s->options->limits.inbox,
                                .index = w->index,
                                .lanes = s->options->workers};
  w->lane = store_lane_open(s->store, s->journey, &options, &w->start_error);
  return w->lane ? 0 : -1;
}

static void open_wire(worker *w) {
  w->wire = http_new(&w->loop, &(http_options){0});
  w->calls = calls_new(&(calls_options){
      .wire = w->wire,
      .pauses = &w->pauses,
      .clock = &w->shared->clock,
      .hooks = &run_call_hooks,
      .post_grant = post_grant,
      .busy = busy,
      .worker = w,
      .reroute = w->shared->options->reroute,
  });
}

static int panic(lua_State *L) {
  const char *text = lua_tostring(L, -1);
  fprintf(stderr, "jaunt: an error in a worker that nobody caught (a mistake in jaunt): %s\n",
          text ? text : "no text");
  return 0; /* Lua aborts */
}

static int open_lua(worker *w) {
  w->L = lua_newstate(guard_alloc, w);
  if (!w->L) return error_set(&w->start_error, "no memory for a worker's Lua state");
  *(worker **)lua_getextraspace(w->L) = w;
  lua_atpanic(w->L, panic);
  lua_pushcfunction(w->L, worker_open_scripts);
  if (lua_pcall(w->L, 0, 0, 0) == LUA_OK) return 0;
  error_set(&w->start_error, "%s", lua_tostring(w->L, -1));
  return -1;
}

static void worker_init(worker *w) {
  uv_loop_init(&w->loop);
  uv_async_init(&w->loop, &w->async, NULL);
  uv_prepare_init(&w->loop, &w->prepare);
  uv_idle_init(&w->loop, &w->idle);
  uv_timer_init(&w->loop, &w->alarm);
  uv_timer_init(&w->loop, &w->retry);
  w->prepare.data = w->alarm.data = w->idle.data = w->retry.data = w;
  timers_init(&w->timers);
  timers_init(&w->pauses);
  list_init(&w->ready);
  list_init(&w->gated);
  list_init(&w->acts);
  list_init(&w->unread);
  list_init(&w->waiting_events);
  list_init(&w->late_events);
  list_init(&w->changes);
  for (int i = 0; i < WAITING_BUCKETS; i++) {
    list_init(&w->waiting_by_run[i]);
    list_init(&w->changes_by_person[i]);
  }
  list_init(&w->leaving);
  list_init(&w->lingering);
  list_init(&w->living);
  atomic_init(&w->next_due, INT64_MAX);
  inbox_init(&w->inbox, &w->async);
}

static void run_loop(void *data) {
  worker *w = data;
  watchdog_adopt(w);
  uv_prepare_start(&w->prepare, turn);
  uv_run(&w->loop, UV_RUN_DEFAULT);
  store_flush(w->lane);
  store_lane_close(w->lane);
  run_tell_acts(w, UINT64_MAX); /* or it could not be made durable, which was told */
  run_forget_all_waiting(w);
  run_forget_changes(w, UINT64_MAX);
  calls_free(w->calls);
  lua_close(w->L);
  blocks_free(&w->blocks);
  buf_free(&w->text);
  buf_free(&w->verdict);
  buf_free(&w->newest);
  buf_free(&w->profile);
  free(w->others);
  uv_loop_close(&w->loop);
  atomic_fetch_add(&w->shared->stopped, 1);
  uv_async_send(&w->shared->wake);
}

static void close_failed(worker *w) {
  if (w->lane) store_lane_close(w->lane);
  if (w->calls) calls_free(w->calls);
  if (w->wire)
    http_close(w->wire, http_closed, w);
  else
    http_closed(w);
  uv_run(&w->loop, UV_RUN_DEFAULT);
  uv_loop_close(&w->loop);
  if (w->L) lua_close(w->L);
  blocks_free(&w->blocks);
}

int worker_start(worker *w) {
  worker_init(w);
  open_wire(w);
  if (open_lua(w) || open_lane(w)) {
    close_failed(w);
    return -1;
  }
  if (uv_thread_create(&w->thread, run_loop, w)) {
    close_failed(w);
    return error_set(&w->start_error, "the system has no thread for another worker: try a smaller --workers");
  }
  w->started = true;
  if (store_keeps(w->shared->store))
    worker_post(w, message_new(MESSAGE_TICK)); /* all is not over before it has looked for runs */
  return 0;
}

void worker_post(worker *w, message *m) {
  shared_work(w->shared, 1);
  if (!inbox_post(&w->inbox, m)) shared_work(w->shared, -1);
}

void worker_join(worker *w) {
  if (w->started) uv_thread_join(&w->thread);
  inbox_free(&w->inbox);
}
