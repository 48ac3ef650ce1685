/* A lane on disk, the worker's side: what happens to runs is encoded into the front batch, which store_flush hands to the
 * committer. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/sqlite_parts.h"

enum {
  BYTES_MOST = 32 << 20, /* that wait to be durable: a lane with more is full */
  TAIL_KEPT = 4 << 10,   /* for the next run */
};

/* Room for one more member of a batch's array. */
#define ROOM_FOR_ONE(array, count, room)                                                                     \
  do {                                                                                                       \
    if ((count) == (room)) (array) = mem_grow(array, ((room) = (room) ? 2 * (room) : 16) * sizeof *(array)); \
  } while (0)

/* ---- batches ---- */

static text_at text_of(batch *b, const char *text) {
  return batch_text(b, text, text ? strlen(text) : 0);
}

/* The front batch, with its place in the log. */
static batch *front_of(sqlite_lane *lane) {
  batch *b = lane->front;
  if (!b->number) b->number = atomic_fetch_add_explicit(&lane->file->next_batch, 1, memory_order_relaxed);
  return b;
}

/* ---- opening and closing ---- */

int lane_open(store_lane *base, error *err) {
  sqlite_lane *lane = (sqlite_lane *)base;
  lane->file = base->in->file;
  lane->front = batch_new(lane);
  lane->pinned = lane->oldest_next = UINT64_MAX;
  list_init(&lane->spare);
  list_init(&lane->unsettled);
  if (read_open(lane, err)) {
    batch_free(lane->front);
    return -1;
  }
  timers_open(lane);
  return 0;
}

/* Waits until all is durable, or a try that began after the last hand-over has failed. */
static void wait_for_committer(sqlite_lane *lane) {
  sqlite_file *f = lane->file;
  pthread_mutex_lock(&f->lock_handed);
  uint64_t begun = f->tries;
  f->hurry = true;
  pthread_cond_signal(&f->something);
  while (atomic_load(&lane->committed) < lane->base.last && !f->broken && f->failed_try <= begun)
    pthread_cond_wait(&f->tried, &f->lock_handed);
  lane->base.options.wake = NULL;
  pthread_mutex_unlock(&f->lock_handed);
  lane->base.durable = atomic_load(&lane->committed);
}

void lane_close(store_lane *base) {
  sqlite_lane *lane = (sqlite_lane *)base;
  lane_flush(base);
  wait_for_committer(lane);
  read_close(lane);
  timers_close(lane);
  while (lane->tail_count) buf_free(&lane->tails[--lane->tail_count]);
}

/* ---- a run comes back ---- */

/* Whether it is still there: from here on nobody takes it out. */
static bool stays(sqlite_lane *lane, const store_run *run) {
  store_run row;
  spare_run(lane->file, run->run);
  if (read_find(&lane->base, run->run, &row) != 1) return false;
  store_run_free(&row);
  return true;
}

int lane_load(store_lane *base, const store_run *run, store_journal *journal, buf *out) {
  sqlite_lane *lane = (sqlite_lane *)base;
  if (run->state > RUN_HELD && !stays(lane, run)) return -1;
  if (read_peek(base, run, out)) return -1;
  journal->run = run->run;
  journal->records = run->records;
  journal->segments = run->segments;
  journal->from = run->from;
  journal->incarnation = run->incarnation;
  journal->element = run->element;
  journal->at_ms = run->since_ms;
  journal->due_ms = run->due_ms;
  journal->shard = store_shard(run->person, strlen(run->person));
  journal->has_row = journal->asleep = true;
  journal->lane = base;
  if (run->due_ms != INT64_MAX) timers_awake(lane, run->run, run->due_ms);
  return 0;
}

/* ---- settling ---- */

static settled *new_row(sqlite_lane *lane, const store_journal *journal, run_state state, int64_t due_ms) {
  batch *b = front_of(lane);
  ROOM_FOR_ONE(b->settles, b->settle_count, b->settle_room);
  settled *row = &b->settles[b->settle_count++];
  text_at none = {NO_TEXT, 0};
  *row = (settled){
      .run = journal->run,
      .in = b,
      .is_new = !journal->has_row,
      .state = state,
      .family = lane->base.family,
      .shard = journal->shard,
      .element = journal->element,
      .incarnation = journal->incarnation,
      .records = journal->records,
      .from = journal->from,
      .since_ms = journal->at_ms,
      .due_ms = due_ms,
      .old_due_ms = journal->due_ms,
      .person = none,
      .per = none,
      .listens = none,
      .reason = none,
      .detail = none,
  };
  return row;
}

/* The next run's: most have as much to tell. */
static void keep_tail(sqlite_lane *lane, buf *tail) {
  if (tail->cap > TAIL_KEPT || lane->tail_count == TAILS_KEPT) {
    buf_free(tail);
    return;
  }
  buf_clear(tail);
  lane->tails[lane->tail_count++] = *tail;
  *tail = BUF_EMPTY;
}

static void take_tail(sqlite_lane *lane, store_journal *journal, settled *row) {
  row->has_segment = journal->tail.len > 0;
  row->bytes = batch_segment(row->in, &journal->tail, row->is_new);
  row->segment = journal->segments;
  if (row->has_segment && journal->segments < SEGMENTS_MOST - 1) journal->segments++; /* the last one grows */
  row->segments = journal->segments;
  keep_tail(lane, &journal->tail);
  list_remove(&journal->unsettled);
  journal->has_row = true;
  journal->due_ms = row->due_ms;
}

static void settle_as_told(sqlite_lane *lane, store_journal *journal, const store_record *record) {
  const store_settle *s = record->settle;
  int64_t due_ms = record->to >= RUN_HELD ? INT64_MAX : s->due_ms, old_due_ms = journal->due_ms;
  settled *row = new_row(lane, journal, record->to, due_ms);
  batch *b = row->in;
  row->journey = record->journey;
  row->control = record->control;
  row->id = s->id;
  row->entry = s->entry;
  row->entered_ms = s->entered_ms;
  row->since_ms = record->at_ms;
  row->element = s->element;
  row->incarnation = record->incarnation;
  row->goal_ms = s->goal_ms;
  row->converted_ms = s->converted_ms;
  row->fed = s->fed;
  row->listens = text_of(b, s->listens);
  row->reason = text_of(b, record->reason);
  row->detail = text_of(b, record->detail && *record->detail ? record->detail : NULL);
  if (row->is_new) {
    row->person = text_of(b, s->person);
    row->per = text_of(b, s->per);
    row->who = entered_who(s->person, strlen(s->person));
  }
  take_tail(lane, journal, row);
  journal->asleep = true;
  if (due_ms != INT64_MAX || old_due_ms != INT64_MAX)
    timers_settled(lane, journal->run, due_ms, lane->base.last);
}

/* Who a run is that has no row yet stands in its first record. */
static void name_row(settled *row, const store_journal *journal) {
  store_record enter = {0};
  const char *at = journal->tail.data;
  if (!store_record_next(&at, at + journal->tail.len, &enter) || enter.kind != RECORD_ENTER) return;
  row->journey = enter.journey;
  row->control = enter.control;
  row->entry = (uint32_t)enter.numbers[0];
  row->id = (run_id){(uint64_t)enter.numbers[1], (uint64_t)enter.numbers[2]};
  row->entered_ms = enter.at_ms;
  row->fed = fed_as(&enter);
  row->person = text_of(row->in, enter.name);
  row->who = entered_who(enter.name, strlen(enter.name));
  row->per = batch_text(row->in, enter.extra, enter.extra_length);
}

/* The run goes on, and a crash would find it in its row: as running, due at once. */
static void settle_for_now(sqlite_lane *lane, store_journal *journal) {
  settled *row = new_row(lane, journal, RUN_RUNNING, 0);
  if (row->is_new) name_row(row, journal);
  take_tail(lane, journal, row);
  timers_awake(lane, journal->run, 0);
}

/* So that the log can be trimmed although some runs are not settled for a long time. */
static void settle_old_ones(sqlite_lane *lane) {
  uint64_t before = atomic_load_explicit(&lane->file->settle_before, memory_order_relaxed);
  while (!list_empty(&lane->unsettled)) {
    store_journal *oldest = LIST_OF(store_journal, unsettled, lane->unsettled.next);
    if (oldest->batch >= before) break;
    settle_for_now(lane, oldest);
  }
}

/* ---- appending ---- */

static void count(batch *b, const store_record *record) {
  tally_change change = tally_change_of(record);
  tally_apply(tally_of(&b->counts, record->journey), &change);
  free(change.detail);
}

static void enter(sqlite_lane *lane, store_journal *journal, const store_record *record) {
  journal->run = atomic_fetch_add_explicit(&lane->base.in->next_run, 1, memory_order_relaxed);
  journal->shard = store_shard(record->name, strlen(record->name));
}

/* The bytes go to the log and to the tail, of which the next segment is made. */
static void write_down(sqlite_lane *lane, batch *b, store_journal *journal, const store_record *record) {
  size_t start = journal->tail.len;
  if (start == 0) {
    journal->batch = b->number;
    if (!journal->tail.cap && lane->tail_count) journal->tail = lane->tails[--lane->tail_count];
    list_push(&lane->unsettled, &journal->unsettled);
  }
  if (record->kind == RECORD_RESTART) journal->from = journal->segments;
  journal_add(journal, record);
  batch_log(b, &(logged_record){journal->run, journal->records, journal->tail.data + start,
                                journal->tail.len - start});
}

static void write_attribute(batch *b, const store_record *record) {
  ROOM_FOR_ONE(b->writes, b->write_count, b->write_room);
  b->writes[b->write_count++] = (written){
      .person = batch_text(b, record->extra, record->extra_length),
      .name = text_of(b, record->name),
      .json = batch_text(b, record->data, record->data_length),
      .at_ms = record->at_ms,
  };
}

static void take_event(batch *b, uint64_t run, uint64_t number) {
  ROOM_FOR_ONE(b->taken, b->taken_count, b->taken_room);
  b->taken[b->taken_count++] = (taken_event){run, number};
}

static bool has_room(const sqlite_lane *lane) {
  if (lane->base.last - lane->base.durable >= lane->base.room) return false;
  size_t waiting = atomic_load_explicit(&lane->waiting_bytes, memory_order_relaxed);
  return waiting + batch_bytes(lane->front) < BYTES_MOST;
}

static bool is_alive(run_state state) {
  return state != RUN_NONE && state < RUN_HELD;
}

store_position lane_append(store_lane *base, store_journal *journal, const store_record *record) {
  sqlite_lane *lane = (sqlite_lane *)base;
  if (!has_room(lane)) return 0;
  batch *b = front_of(lane);
  base->last++;
  journal->lane = base;
  count(b, record);
  if (record->kind == RECORD_ENTER) enter(lane, journal, record);
  if (journal->asleep && journal->due_ms != INT64_MAX) timers_awake(lane, journal->run, journal->due_ms);
  journal->asleep = false;
  if (record->kind != RECORD_MOVE) write_down(lane, b, journal, record);
  if (record->kind == RECORD_WRITE) write_attribute(b, record);
  if (record->kind == RECORD_TAKEN && record->numbers[0])
    take_event(b, journal->run, (uint64_t)record->numbers[0]);
  if (record->settle)
    settle_as_told(lane, journal, record);
  else if (journal->has_row && record->from >= RUN_HELD && is_alive(record->to))
    settle_for_now(lane, journal); /* sent on: its row no longer says that it is held or over */
  return base->last;
}

uint64_t lane_event(store_lane *base, uint64_t run, const store_inbox_event *event,
                    store_position *position) {
  sqlite_lane *lane = (sqlite_lane *)base;
  if (!has_room(lane)) return 0;
  batch *b = front_of(lane);
  uint64_t number = atomic_fetch_add_explicit(&lane->file->next_event, 1, memory_order_relaxed);
  ROOM_FOR_ONE(b->events, b->event_count, b->event_room);
  b->events[b->event_count++] = (arrived){
      .run = run,
      .number = number,
      .print = event->print,
      .name = text_of(b, event->name),
      .json = batch_text(b, event->json, event->length),
      .at_ms = event->at_ms,
      .met = event->met,
      .asked = event->asked,
  };
  base->last++;
  if (position) *position = base->last;
  return number;
}

uint64_t lane_crowded_out(const store_lane *base, uint64_t *run) {
  const sqlite_lane *lane = (const sqlite_lane *)base;
  uint64_t count = atomic_load(&lane->crowded_out); /* first: the committer sets the run before it counts */
  if (run) *run = atomic_load(&lane->crowded_run);
  return count;
}

store_position lane_refuse(store_lane *base, const store_refusal *refusal) {
  sqlite_lane *lane = (sqlite_lane *)base;
  if (!has_room(lane)) return 0;
  batch *b = front_of(lane);
  ROOM_FOR_ONE(b->refusals, b->refusal_count, b->refusal_room);
  b->refusals[b->refusal_count++] =
      (refused){refusal->run, refusal->number, refusal->asked, text_of(b, refusal->name)};
  return ++base->last;
}

store_position lane_convert(store_lane *base, const store_run *run, int64_t at_ms) {
  sqlite_lane *lane = (sqlite_lane *)base;
  if (!has_room(lane)) return 0;
  batch *b = front_of(lane);
  ROOM_FOR_ONE(b->conversions, b->conversion_count, b->conversion_room);
  b->conversions[b->conversion_count++] = (converted){run->run, at_ms};
  store_record record = {.element = NO_ELEMENT, .journey = run->journey, .converts = 1};
  count(b, &record);
  return ++base->last;
}

void lane_give_row(store_journal *journal) {
  if (!journal->has_row && journal->tail.len) settle_for_now((sqlite_lane *)journal->lane, journal);
}

store_position lane_profile_came(store_lane *base, const char *person, const store_profile *profile) {
  sqlite_lane *lane = (sqlite_lane *)base;
  if (!has_room(lane)) return 0;
  batch *b = front_of(lane);
  ROOM_FOR_ONE(b->profiles, b->profile_count, b->profile_room);
  b->profiles[b->profile_count++] = (came_profile){
      .person = text_of(b, person),
      .json = batch_text(b, profile->json, profile->length),
      .fed = profile->fed,
      .at_ms = profile->at_ms,
  };
  return ++base->last;
}

bool lane_full(const store_lane *base) {
  const sqlite_lane *lane = (const sqlite_lane *)base;
  if (base->room - (base->last - base->durable) < RING_RESERVE) return true;
  return atomic_load_explicit(&lane->waiting_bytes, memory_order_relaxed) + batch_bytes(lane->front) >=
         BYTES_MOST / 2;
}

/* ---- handing over ---- */

static void hand_over(sqlite_lane *lane) {
  sqlite_file *f = lane->file;
  batch *b = lane->front;
  b->last = lane->base.last;
  b->oldest = lane->pinned;
  if (!list_empty(&lane->unsettled)) {
    uint64_t oldest = LIST_OF(store_journal, unsettled, lane->unsettled.next)->batch;
    if (oldest < b->oldest) b->oldest = oldest;
  }
  atomic_fetch_add_explicit(&lane->waiting_bytes, batch_bytes(b), memory_order_relaxed);
  pthread_mutex_lock(&f->lock_handed);
  bool sleeps = list_empty(&f->handed);
  list_push(&f->handed, &b->link);
  list *spare = list_pop(&lane->spare);
  if (spare) lane->spares--;
  if (sleeps) pthread_cond_signal(&f->something);
  pthread_mutex_unlock(&f->lock_handed);
  lane->front = spare ? LIST_OF(batch, link, spare) : batch_new(lane);
}

void lane_flush(store_lane *base) {
  sqlite_lane *lane = (sqlite_lane *)base;
  settle_old_ones(lane);
  if (lane->front->number) hand_over(lane);
  store_position committed = atomic_load_explicit(&lane->committed, memory_order_acquire);
  if (committed == base->durable) return;
  base->durable = committed;
  timers_durable(lane);
  if (base->options.durable) base->options.durable(base->options.data, committed);
}

/* A journal that is given up in the middle stays in the log, where the next open finds it. */
void lane_forget(store_journal *journal) {
  sqlite_lane *lane = (sqlite_lane *)journal->lane;
  if (journal->tail.len && journal->batch < lane->pinned) lane->pinned = journal->batch;
  if (journal->asleep && journal->due_ms != INT64_MAX) timers_asleep(lane, journal->run, journal->due_ms);
}
