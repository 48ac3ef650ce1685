/* What is due next, of a lane's parked runs: a million of them are rows, and only the next few thousand are in memory.
 *
 * The heap has all timers before the horizon, a point in the order (time, run); those behind it are in the file alone. When the
 * heap is empty, the next ones are read from the file, shard by shard, and the horizon moves on; when it grows too large,
 * the later half is left to the file again, and the horizon moves back. Windows are by count, so that any number may be due at the
 * same moment.
 *
 * The file is behind by what is not committed, and by runs that live in memory: of those the table of slots knows better. An
 * entry of the heap counts only if the table says so; others are passed by, and thrown out when they are many. */
#include <stdlib.h>

#include "base/alloc.h"
#include "store/sqlite_parts.h"

enum {
  WINDOW_MOST = 32768, /* in the heap */
  SHARD_ROWS = 64,     /* read of each shard at a time */
};

static bool is_before(store_due_run a, store_due_run b) {
  return a.due_ms != b.due_ms ? a.due_ms < b.due_ms : a.run < b.run;
}

static const store_due_run never = {INT64_MAX, UINT64_MAX};

static bool is_everything(const lane_timers *t) {
  return t->horizon.due_ms == INT64_MAX;
}

/* ---- the table ---- */

static size_t place_of(const lane_timers *t, uint64_t run) {
  return (size_t)(run * 0x9e3779b97f4a7c15u >> 20) & (t->slots_room - 1);
}

static timer_slot *find(const lane_timers *t, uint64_t run) {
  for (size_t i = place_of(t, run); t->slots[i].run; i = (i + 1) & (t->slots_room - 1)) {
    if (t->slots[i].run == run) return &t->slots[i];
  }
  return NULL;
}

static timer_slot *put(lane_timers *t, uint64_t run) {
  size_t i = place_of(t, run);
  while (t->slots[i].run && t->slots[i].run != run) i = (i + 1) & (t->slots_room - 1);
  if (!t->slots[i].run) t->used++;
  t->slots[i].run = run;
  return &t->slots[i];
}

static void grow(lane_timers *t) {
  if (t->used * 2 < t->slots_room) return;
  timer_slot *old = t->slots;
  size_t room = t->slots_room;
  t->slots_room *= 2;
  t->slots = mem_zero(t->slots_room * sizeof *t->slots);
  t->used = 0;
  for (size_t i = 0; i < room; i++) {
    if (old[i].run) *put(t, old[i].run) = old[i];
  }
  free(old);
}

/* The slot of the run, made where it is missing. An entry of the heap that it may have had no longer counts. */
static timer_slot *slot(lane_timers *t, uint64_t run) {
  grow(t);
  timer_slot *s = put(t, run);
  if (s->state == TIMER_AHEAD) t->ahead--;
  return s;
}

/* Moves up what may have been pushed on by it. */
static void take_out(lane_timers *t, timer_slot *s) {
  size_t mask = t->slots_room - 1, hole = (size_t)(s - t->slots);
  if (s->state == TIMER_AHEAD) t->ahead--;
  for (size_t i = (hole + 1) & mask; t->slots[i].run; i = (i + 1) & mask) {
    size_t home = place_of(t, t->slots[i].run);
    if (((i - home) & mask) < ((i - hole) & mask)) continue;
    t->slots[hole] = t->slots[i];
    hole = i;
  }
  t->slots[hole] = (timer_slot){0};
  t->used--;
}

/* ---- the heap ---- */

static bool counts(const lane_timers *t, store_due_run entry) {
  const timer_slot *s = find(t, entry.run);
  return s && s->state == TIMER_AHEAD && s->due_ms == entry.due_ms;
}

static void sink(lane_timers *t, size_t at) {
  store_due_run entry = t->heap[at];
  for (size_t child; (child = 2 * at + 1) < t->count; at = child) {
    if (child + 1 < t->count && is_before(t->heap[child + 1], t->heap[child])) child++;
    if (!is_before(t->heap[child], entry)) break;
    t->heap[at] = t->heap[child];
  }
  t->heap[at] = entry;
}

static void push(lane_timers *t, store_due_run entry) {
  if (t->count == t->room) t->heap = mem_grow(t->heap, (t->room *= 2) * sizeof *t->heap);
  size_t at = t->count++;
  for (; at && is_before(entry, t->heap[(at - 1) / 2]); at = (at - 1) / 2)
    t->heap[at] = t->heap[(at - 1) / 2];
  t->heap[at] = entry;
}

static void pop(lane_timers *t) {
  t->heap[0] = t->heap[--t->count];
  if (t->count) sink(t, 0);
}

static int in_order(const void *a, const void *b) {
  const store_due_run *x = a, *y = b;
  return is_before(*x, *y) ? -1 : is_before(*y, *x);
}

/* Throws out what does not count; what is left is sorted, which is a heap, too. */
static void tidy(lane_timers *t) {
  size_t kept = 0;
  for (size_t i = 0; i < t->count; i++) {
    if (counts(t, t->heap[i])) t->heap[kept++] = t->heap[i];
  }
  qsort(t->heap, kept, sizeof *t->heap, in_order);
  size_t different = 0;
  for (size_t i = 0; i < kept; i++) {
    if (i == 0 || t->heap[i].run != t->heap[different - 1].run ||
        t->heap[i].due_ms != t->heap[different - 1].due_ms)
      t->heap[different++] = t->heap[i];
  }
  t->count = different;
}

/* Leaves the later half to the file. */
static void shrink(lane_timers *t) {
  tidy(t);
  if (t->count <= WINDOW_MOST) return;
  size_t kept = WINDOW_MOST / 2;
  t->horizon = t->heap[kept];
  for (size_t i = kept; i < t->count; i++) take_out(t, find(t, t->heap[i].run));
  t->count = kept;
}

static void set_ahead(lane_timers *t, store_due_run entry) {
  timer_slot *s = slot(t, entry.run);
  *s = (timer_slot){.run = entry.run, .due_ms = entry.due_ms, .state = TIMER_AHEAD};
  t->ahead++;
  push(t, entry);
  if (t->count > WINDOW_MOST || t->count > 2 * t->ahead + 64) shrink(t);
}

/* The file has it; it is taken into the heap if it belongs there. */
static void hand_to_file(lane_timers *t, timer_slot *s) {
  store_due_run entry = {s->due_ms, s->run};
  if (entry.due_ms != INT64_MAX && is_before(entry, t->horizon))
    set_ahead(t, entry);
  else
    take_out(t, s);
}

/* ---- reading ahead ---- */

static bool owns(const sqlite_lane *lane, uint32_t shard) {
  const store_lane_options *o = &lane->base.options;
  return o->lanes <= 0 || (int)(shard % (uint32_t)o->lanes) == o->index;
}

typedef struct window {
  store_due_run *rows;
  size_t count;
  store_due_run end; /* of what is known to be whole */
} window;

static int read_shards(sqlite_lane *lane, window *w) {
  for (uint32_t shard = 0; shard < SHARDS; shard++) {
    if (!owns(lane, shard)) continue;
    w->rows = mem_grow(w->rows, (w->count + SHARD_ROWS) * sizeof *w->rows);
    int count = read_timers(lane, shard, lane->timers.horizon, w->rows + w->count, SHARD_ROWS);
    if (count < 0) return -1;
    w->count += (size_t)count;
    if (count < SHARD_ROWS) continue;
    store_due_run last = w->rows[w->count - 1];
    last.run++;
    if (is_before(last, w->end)) w->end = last;
  }
  return 0;
}

/* -1 where the file can't be read: it is tried again the next time. */
static int read_ahead(sqlite_lane *lane) {
  lane_timers *t = &lane->timers;
  window w = {.end = never};
  int failed = read_shards(lane, &w);
  if (!failed) t->horizon = w.end; /* first, so that a window that is too large can move it back */
  for (size_t i = 0; i < w.count && !failed; i++) {
    if (is_before(w.rows[i], t->horizon) && !find(t, w.rows[i].run)) set_ahead(t, w.rows[i]);
  }
  free(w.rows);
  return failed;
}

/* ---- what the lane does ---- */

void timers_open(sqlite_lane *lane) {
  lane_timers *t = &lane->timers;
  t->room = 64;
  t->heap = mem_alloc(t->room * sizeof *t->heap);
  t->slots_room = 256;
  t->slots = mem_zero(t->slots_room * sizeof *t->slots);
  t->settling_room = 64;
  t->settling = mem_alloc(t->settling_room * sizeof *t->settling);
  t->horizon = (store_due_run){INT64_MIN, 0};
}

void timers_close(sqlite_lane *lane) {
  free(lane->timers.heap);
  free(lane->timers.slots);
  free(lane->timers.settling);
}

void timers_awake(sqlite_lane *lane, uint64_t run, int64_t due_ms) {
  timer_slot *s = slot(&lane->timers, run);
  *s = (timer_slot){.run = run, .due_ms = due_ms, .state = TIMER_AWAKE};
}

void timers_asleep(sqlite_lane *lane, uint64_t run, int64_t due_ms) {
  timer_slot *s = find(&lane->timers, run);
  if (!s || s->state != TIMER_AWAKE) return; /* it was settled here */
  s->due_ms = due_ms;
  hand_to_file(&lane->timers, s);
}

static void queue(lane_timers *t, settling entry) {
  if (t->settling_count == t->settling_room) {
    settling *old = t->settling;
    t->settling = mem_alloc(2 * t->settling_room * sizeof *t->settling);
    for (size_t i = 0; i < t->settling_count; i++)
      t->settling[i] = old[(t->settling_first + i) % t->settling_room];
    free(old);
    t->settling_first = 0;
    t->settling_room *= 2;
  }
  t->settling[(t->settling_first + t->settling_count++) % t->settling_room] = entry;
}

void timers_settled(sqlite_lane *lane, uint64_t run, int64_t due_ms, store_position position) {
  lane_timers *t = &lane->timers;
  timer_slot *s = slot(t, run);
  *s = (timer_slot){.run = run, .due_ms = due_ms, .settled_at = position, .state = TIMER_SETTLING};
  queue(t, (settling){position, run});
}

void timers_durable(sqlite_lane *lane) {
  lane_timers *t = &lane->timers;
  while (t->settling_count && t->settling[t->settling_first].position <= lane->base.durable) {
    settling entry = t->settling[t->settling_first];
    t->settling_first = (t->settling_first + 1) % t->settling_room;
    t->settling_count--;
    timer_slot *s = find(t, entry.run);
    if (s && s->state == TIMER_SETTLING && s->settled_at == entry.position) hand_to_file(t, s);
  }
}

int64_t timers_next_due(store_lane *base) {
  sqlite_lane *lane = (sqlite_lane *)base;
  lane_timers *t = &lane->timers;
  do {
    while (t->count && !counts(t, t->heap[0])) pop(t);
    if (t->count) return t->heap[0].due_ms;
  } while (!is_everything(t) && read_ahead(lane) == 0);
  return INT64_MAX;
}

void timers_due_again(store_lane *base, const store_due_run *due) {
  timers_asleep((sqlite_lane *)base, due->run, due->due_ms);
}

size_t timers_due(store_lane *base, int64_t now_ms, store_due_run *out, size_t most) {
  lane_timers *t = &((sqlite_lane *)base)->timers;
  size_t count = 0;
  while (count < most && timers_next_due(base) <= now_ms) {
    out[count] = t->heap[0];
    pop(t);
    timers_awake((sqlite_lane *)base, out[count].run, out[count].due_ms); /* told once */
    count++;
  }
  return count;
}
