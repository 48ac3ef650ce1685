/* The engine: starting, admission, the virtual clock, events, figures, stopping. See engine.h. */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/guard.h"
#include "engine/worker.h"

enum {
  CLOCK_QUANTUM_MS = 100, /* a virtual clock jumps to the end of the one in which a timer is due */
  EVENTS_AHEAD = 256,     /* events that wait for their time here */
};

typedef struct coming_event {
  list link;
  int64_t at_ms;
  message *m;
} coming_event;

const script_limits script_limits_default = {
    .run_memory = (size_t)16 << 20,
    .text = (size_t)4 << 20,
    .slice_ms = 250,
    .pattern_steps = 10000000,
    .coroutines = 1000,
    .elements = ELEMENTS_MOST,
    .inbox = 1000,
};

struct engine {
  engine_options options;
  engine_shared shared;
  worker *workers;
  int worker_count;
  watchdog *dog;
  latency **latencies;
  uv_timer_t event_timer;
  list events; /* coming_event, in the order of their times */
  size_t event_count;
  int64_t event_bytes;
  bool admission_over, events_over, finished;
  bool advances; /* engine_advance says how far: the clock comes to that time, whatever happens by then */
  uint64_t found_entered, found_states[RUN_STATES];
  bool stopping;
  int closing_handles;
  void (*stopped)(void *data);
  void *stopped_data;
};

/* ---- what workers tell ---- */

int engine_next_outcome(engine *e, engine_outcome *out) {
  return shared_next_outcome(&e->shared, out);
}

int engine_next_message(engine *e, buf *out) {
  return shared_next_message(&e->shared, out);
}

/* ---- admission ---- */

static worker *worker_for(engine *e, const char *person, size_t length) {
  if (e->worker_count == 1) return e->workers;
  return &e->workers[store_shard(person, length) % (uint32_t)e->worker_count];
}

bool engine_has_room(engine *e) {
  engine_shared *s = &e->shared;
  if (e->stopping || atomic_load(&s->paused) || atomic_load(&s->script_errors) >= SCRIPT_ERRORS_PAUSE)
    return false;
  if (atomic_load(&s->active) < (int64_t)e->options.in_flight) return true;
  atomic_store(&s->starved, true);
  if (atomic_load(&s->active) >= (int64_t)e->options.in_flight) return false;
  atomic_store(&s->starved, false);
  return true;
}

void engine_admit(engine *e, const char *id, size_t id_length, const char *profile, size_t profile_length,
                  const char *event, size_t event_length) {
  e->finished = false; /* something happens once more */
  shared_active(&e->shared, 1);
  const char *texts[3] = {id, profile, event};
  size_t lengths[3] = {id_length, profile_length, event_length};
  worker_post(worker_for(e, id, id_length), message_with_texts(MESSAGE_ADMIT, texts, lengths));
}

static void consider(engine *e);

void engine_advance(engine *e, int64_t to_ms) {
  e->options.until_ms = to_ms;
  e->advances = true;
  e->finished = false;
  consider(e);
}

void engine_interrupt(engine *e) {
  for (int i = 0; i < e->worker_count; i++) {
    worker *w = &e->workers[i];
    if (!w->started) continue; /* its thread is gone */
    atomic_store(&w->interrupted, true);
    watchdog_interrupt(w);
    worker_post(w, message_new(MESSAGE_INTERRUPT));
  }
}

void engine_payloads(engine *e, const char *json, size_t length) {
  const char *texts[3] = {json, "", ""};
  size_t lengths[3] = {length, 0, 0};
  for (int i = 0; i < e->worker_count; i++)
    worker_post(&e->workers[i], message_with_texts(MESSAGE_PAYLOADS, texts, lengths));
}

uint32_t engine_version(engine *e, const char *version, const char *bundle, size_t bundle_length) {
  return store_journey(e->shared.store, e->options.journey, version, bundle, bundle_length);
}

void engine_act_on(engine *e, engine_act act, uint64_t number, const char *person, uint32_t version) {
  const char *texts[3] = {person, "", ""};
  size_t lengths[3] = {strlen(person), 0, 0};
  message *m = message_with_texts(MESSAGE_ACT, texts, lengths);
  m->act = act;
  m->version = version ? version : e->shared.journey;
  m->number = (int64_t)number;
  e->finished = false; /* something happens once more */
  worker_post(worker_for(e, person, lengths[0]), m);
}

void engine_pause(engine *e, bool paused) {
  engine_shared *s = &e->shared;
  if (paused && store_paused(s->store, s->journey)) return; /* since then */
  store_pause(s->store, s->journey, paused ? clock_wall_ms() : 0);
  atomic_store(&s->paused, paused);
  if (!paused) atomic_store(&s->script_errors, 0); /* who says that it goes on has looked */
  e->finished = false;
  for (int i = 0; i < e->worker_count; i++) worker_post(&e->workers[i], message_new(MESSAGE_TICK));
  if (e->options.changed) e->options.changed(e->options.data);
}

bool engine_pause_kept(engine *e) {
  const engine_shared *s = &e->shared;
  return store_pause_kept(s->store, s->journey) == store_paused(s->store, s->journey);
}

void engine_admission_over(engine *e) {
  e->admission_over = true;
  consider(e);
}

/* ---- events ---- */

bool engine_wants_event(const engine *e) {
  return !e->events_over && e->event_count < EVENTS_AHEAD && e->event_bytes < EVENT_BYTES_MOST;
}

void engine_event(engine *e, int64_t at_ms, const char *person, const char *name, const char *json,
                  size_t length) {
  const char *texts[3] = {person, name, json};
  size_t lengths[3] = {strlen(person), strlen(name), length};
  coming_event *coming = mem_zero(sizeof *coming);
  coming->at_ms = at_ms;
  coming->m = message_with_texts(MESSAGE_EVENT, texts, lengths);
  e->finished = false; /* something happens once more */
  list_push(&e->events, &coming->link);
  e->event_count++;
  e->event_bytes += message_bytes(coming->m);
  if (!engine_wants_event(e)) consider(e);
}

void engine_events_over(engine *e) {
  e->events_over = true;
  consider(e);
}

static int64_t next_event(const engine *e) {
  return list_empty(&e->events) ? INT64_MAX : LIST_OF(coming_event, link, e->events.next)->at_ms;
}

static bool is_among(uint64_t hash, const uint64_t *hashes, size_t count) {
  while (count && hashes[count - 1] != hash) count--;
  return count > 0;
}

/* Hands over the events whose time has come. On a virtual clock nobody gets two of them at once: what the first one does to
 * a run is done before the second comes, however quick its worker is. */
static void deliver_events(engine *e, int64_t now) {
  uint64_t told[EVENTS_AHEAD];
  size_t count = 0;
  while (next_event(e) <= now && count < EVENTS_AHEAD && shared_takes_events(&e->shared)) {
    coming_event *coming = LIST_OF(coming_event, link, e->events.next);
    const char *person = coming->m->texts[0];
    uint64_t hash = hash_bytes64((hash128){0, 0}, person, strlen(person));
    if (e->shared.clock.is_virtual && is_among(hash, told, count)) break;
    told[count++] = hash;
    list_remove(&coming->link);
    e->event_count--;
    e->event_bytes -= message_bytes(coming->m);
    shared_event_out(&e->shared, coming->m);
    worker_post(worker_for(e, person, strlen(person)), coming->m);
    free(coming);
  }
  if (count && !e->events_over) e->options.changed(e->options.data);
}

/* ---- time ---- */

static int64_t next_timer(const engine *e) {
  int64_t next = INT64_MAX;
  for (int i = 0; i < e->worker_count; i++) {
    int64_t due = atomic_load(&e->workers[i].next_due);
    if (due < next) next = due;
  }
  return next;
}

static int64_t quantum_end(int64_t ms) {
  return (ms + CLOCK_QUANTUM_MS - 1) / CLOCK_QUANTUM_MS * CLOCK_QUANTUM_MS;
}

/* Moves a virtual clock to the next thing that happens, and tells the workers. What is due by then goes before the events:
 * they come when that is done, so that it is never a race which of the two a run sees first. */
static void jump(engine *e, int64_t timer_at, int64_t event_at) {
  int64_t to = event_at <= timer_at ? event_at : quantum_end(timer_at);
  if (to > event_at) to = event_at;
  logical_move_to(&e->shared.clock, to);
  int64_t now = logical_now_ms(&e->shared.clock);
  bool ticks = false;
  for (int i = 0; i < e->worker_count; i++) {
    if (atomic_load(&e->workers[i].next_due) > now) continue;
    worker_post(&e->workers[i], message_new(MESSAGE_TICK));
    ticks = true;
  }
  if (!ticks) deliver_events(e, now);
}

static void event_time(uv_timer_t *handle) {
  engine *e = handle->data;
  deliver_events(e, logical_now_ms(&e->shared.clock));
  consider(e);
}

static void arm_event_timer(engine *e, int64_t event_at) {
  int64_t ms = event_at - logical_now_ms(&e->shared.clock);
  if (ms > CLOCK_LOOK_MS) ms = CLOCK_LOOK_MS;
  uv_timer_start(&e->event_timer, event_time, ms > 0 ? (uint64_t)ms : 0, 0);
}

/* Nobody is there who could go on when the operator says so. */
static bool is_empty(engine *e) {
  uint64_t entered, states[RUN_STATES];
  store_ledger(e->shared.store, e->shared.journey, &entered, states);
  return states[RUN_RUNNING] + states[RUN_QUEUED] + states[RUN_WAITING] == 0;
}

/* Is everybody idle? Then the clock may jump, or all is over. The epoch tells whether work began while we looked. */
static void consider(engine *e) {
  engine_shared *s = &e->shared;
  if (e->stopping || e->finished || atomic_load(&s->dead)) return;
  bool paused = atomic_load(&s->script_errors) >= SCRIPT_ERRORS_PAUSE || atomic_load(&s->paused);
  bool admitted = e->admission_over || paused;
  int64_t event_at = admitted ? next_event(e) : INT64_MAX;
  if (!s->clock.is_virtual && event_at != INT64_MAX && shared_takes_events(s)) arm_event_timer(e, event_at);
  uint64_t epoch = atomic_load(&s->epoch);
  if (atomic_load(&s->work) != 0) return;
  if (atomic_load(&s->paused)) {
    e->finished = e->admission_over && is_empty(e);
    return;
  }
  int64_t timer_at = next_timer(e);
  if (atomic_load(&s->work) != 0 || atomic_load(&s->epoch) != epoch) return;
  if (!admitted && engine_has_room(e)) return;
  if (admitted && event_at == INT64_MAX && !e->events_over) return; /* more events are to be read first */
  int64_t end = s->clock.is_virtual ? e->options.until_ms : INT64_MAX - 1;
  if (timer_at > end && event_at > end) {
    e->finished = admitted || s->clock.is_virtual; /* nobody will make room for those who wait to be let in */
    if (e->advances) logical_move_to(&s->clock, end);
  } else if (s->clock.is_virtual) {
    jump(e, timer_at, event_at);
  }
}

bool engine_finished(engine *e) {
  return e->finished || atomic_load(&e->shared.dead);
}

/* ---- start and stop ---- */

static void handle_closed(uv_handle_t *handle) {
  engine *e = handle->data;
  if (--e->closing_handles == 0 && e->stopped) e->stopped(e->stopped_data);
}

static void close_handles(engine *e) {
  if (e->closing_handles) return;
  watchdog_stop(e->dog); /* before their threads are gone for good: it may be about to signal one */
  e->dog = NULL;
  for (int i = 0; i < e->worker_count; i++) {
    if (e->workers[i].started) uv_thread_join(&e->workers[i].thread);
    e->workers[i].started = false;
  }
  e->closing_handles = 2;
  uv_close((uv_handle_t *)&e->shared.wake, handle_closed);
  uv_close((uv_handle_t *)&e->event_timer, handle_closed);
}

static void woken(uv_async_t *wake) {
  engine *e = wake->data;
  if (e->stopping) {
    if (atomic_load(&e->shared.stopped) == e->worker_count) close_handles(e);
    return;
  }
  consider(e);
  e->options.changed(e->options.data);
}

static void shared_init(engine *e) {
  engine_shared *s = &e->shared;
  s->options = &e->options;
  if (e->options.is_virtual)
    logical_init_virtual(&s->clock, e->options.start_ms);
  else
    logical_init_real(&s->clock);
  s->store = e->options.store;
  s->journey = store_journey(s->store, e->options.journey, e->options.version, e->options.bundle,
                             e->options.bundle_length);
  store_bound_elements(s->store, e->options.limits.elements);
  store_ledger(s->store, s->journey, &e->found_entered, e->found_states);
  atomic_store(&s->paused, !e->options.asleep && store_paused(s->store, s->journey) != 0);
  shared_take_dice(s);
  pthread_mutex_init(&s->message_lock, NULL);
  list_init(&s->messages);
  list_init(&s->outcomes);
  uv_async_init(e->options.loop, &s->wake, woken);
  uv_timer_init(e->options.loop, &e->event_timer);
  s->wake.data = e->event_timer.data = e;
}

void engine_stop(engine *e, int64_t grace_ms, void (*stopped)(void *data), void *data) {
  e->stopping = true;
  atomic_store(&e->shared.ending, true);
  e->stopped = stopped;
  e->stopped_data = data;
  for (int i = 0; i < e->worker_count; i++) {
    message *m = message_new(MESSAGE_DRAIN);
    m->number = grace_ms;
    worker_post(&e->workers[i], m);
  }
  uv_async_send(&e->shared.wake);
}

static void free_events(engine *e) {
  for (list *l; (l = list_pop(&e->events));) {
    coming_event *coming = LIST_OF(coming_event, link, l);
    free(coming->m);
    free(coming);
  }
}

void engine_free(engine *e) {
  if (!e) return;
  free_events(e);
  for (int i = 0; i < e->worker_count; i++) worker_join(&e->workers[i]);
  buf text = BUF_EMPTY;
  while (engine_next_message(e, &text)) {}
  engine_outcome outcome;
  while (engine_next_outcome(e, &outcome)) free(outcome.why);
  buf_free(&text);
  pthread_mutex_destroy(&e->shared.message_lock);
  store_close(e->shared.store);
  for (size_t i = 0; i < e->options.connection_count; i++) connection_free(e->options.connections[i]);
  free(e->options.connections);
  secrets_free(e->options.secrets);
  free((char *)e->options.journey);
  free((char *)e->options.version);
  free((char *)e->options.reroute);
  free((char *)e->options.per);
  free((char *)e->options.save_below);
  free(e->workers);
  free(e->latencies);
  free(e);
}

static void free_failed(void *data) {
  engine *e = data;
  void (*gone)(void *data) = e->options.gone;
  void *gone_data = e->options.data;
  engine_free(e);
  gone(gone_data);
}

/* What the system, or the group of processes that we are in, has. */
static size_t memory_share(int workers) {
  uint64_t all = uv_get_total_memory(), most = uv_get_constrained_memory();
  if (most && most < all) all = most;
  return (size_t)(all / 4 * 3 / (uint64_t)workers);
}

engine *engine_start(const engine_options *options, error *err) {
  engine *e = mem_zero(sizeof *e);
  e->options = *options;
  if (!e->options.limits.worker_memory) e->options.limits.worker_memory = memory_share(options->workers);
  e->options.journey = mem_text(options->journey);
  e->options.version = mem_text(options->version);
  e->options.reroute = mem_text(options->reroute);
  e->options.per = mem_text(options->per);
  e->options.save_below = mem_text(options->save_below);
  e->events_over = !options->expects_events;
  list_init(&e->events);
  shared_init(e);
  e->workers = mem_zero((size_t)options->workers * sizeof *e->workers);
  e->latencies = mem_zero((size_t)options->workers * sizeof *e->latencies);
  bool failed = !options->plain_script && http_process_init(err) != 0; /* a plain script may call nobody */
  for (int i = 0; i < options->workers && !failed; i++) {
    worker *w = &e->workers[i];
    w->shared = &e->shared;
    w->index = i;
    e->latencies[i] = &w->latency;
    failed = worker_start(w) != 0;
    if (failed && err) *err = w->start_error;
    e->worker_count += !failed;
  }
  e->options.bundle = NULL;
  if (!failed && !(e->dog = watchdog_start(e->workers, e->worker_count)))
    failed = error_set(err, "the system has no thread for the watchdog");
  if (!failed) return e;
  engine_stop(e, 0, free_failed, e);
  return NULL;
}

/* ---- figures ---- */

engine_figures engine_look(engine *e) {
  engine_figures figures = {.logical_ms = logical_now_ms(&e->shared.clock)};
  store_ledger(e->shared.store, e->shared.journey, &figures.entered, figures.states);
  for (int i = 0; i < e->worker_count; i++) {
    worker *w = &e->workers[i];
    figures.attempts += atomic_load(&w->attempts);
    figures.calls += atomic_load(&w->finished_calls);
    figures.unfinished += atomic_load(&w->unfinished);
    figures.lost_events += atomic_load(&w->lost_events);
    figures.crowded_out += atomic_load(&w->crowded_out);
    figures.already_in += atomic_load(&w->already_in);
    int64_t last = atomic_load(&w->last_call_ms);
    if (last > figures.last_call_ms) figures.last_call_ms = last;
  }
  double quantiles[2] = {0.5, 0.99}, ms[2];
  latency_quantiles(e->latencies, (size_t)e->worker_count, quantiles, ms, 2);
  figures.median_ms = ms[0];
  figures.p99_ms = ms[1];
  figures.records = atomic_load(&e->shared.recorded);
  figures.paused_ms = store_paused(e->shared.store, e->shared.journey);
  figures.paused = atomic_load(&e->shared.script_errors) >= SCRIPT_ERRORS_PAUSE;
  return figures;
}

void engine_found(const engine *e, uint64_t *entered, uint64_t states[RUN_STATES]) {
  *entered = e->found_entered;
  memcpy(states, e->found_states, sizeof e->found_states);
}

store *engine_store(engine *e) {
  return e->shared.store;
}

uint32_t engine_journey(const engine *e) {
  return e->shared.journey;
}

connection *const *engine_connections(const engine *e, size_t *count) {
  *count = e->options.connection_count;
  return e->options.connections;
}

outage_look engine_outage(const engine *e, const connection *c) {
  outage_look look = outage_look_at(c->outage);
  int64_t now = logical_elapsed_ms(&e->shared.clock);
  if (look.next_ms != INT64_MAX) look.next_ms = look.next_ms > now ? look.next_ms - now : 0;
  return look;
}
