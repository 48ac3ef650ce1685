/* What the workers of an engine share: tokens of work, events that are out, what scripts say and how operators' acts ended on the way
 * to the control thread. See worker.h; the engine itself is in engine.c. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/worker.h"

enum {
  EVENTS_OUT = 4096,     /* that workers have, and have not dealt with; the next ones wait in the engine */
  MESSAGES_KEPT = 20000, /* lines that wait to be fetched; a worker with another one waits */
  MESSAGE_BYTES_KEPT = 16 << 20,
};

typedef struct said {
  list link;
  buf text;
} said;

/* ---- work and events ---- */

void shared_work(engine_shared *s, int64_t change) {
  if (change > 0) atomic_fetch_add(&s->epoch, 1);
  if (atomic_fetch_add(&s->work, change) + change == 0) uv_async_send(&s->wake);
}

void shared_active(engine_shared *s, int64_t change) {
  if (!change) return;
  int64_t now = atomic_fetch_add(&s->active, change) + change;
  int64_t low = (int64_t)(s->options->in_flight - s->options->in_flight / 4);
  if (change < 0 && now < low && atomic_exchange(&s->starved, false)) uv_async_send(&s->wake);
}

static bool has_event_room(const engine_shared *s, int share) {
  return atomic_load(&s->events_out) < EVENTS_OUT / share &&
         atomic_load(&s->event_bytes_out) < EVENT_BYTES_MOST / share;
}

void shared_event_out(engine_shared *s, const message *m) {
  atomic_fetch_add(&s->events_out, 1);
  atomic_fetch_add(&s->event_bytes_out, message_bytes(m));
}

void shared_event_done(engine_shared *s, const message *m) {
  atomic_fetch_sub(&s->event_bytes_out, message_bytes(m));
  atomic_fetch_sub(&s->events_out, 1);
  if (has_event_room(s, 2) && atomic_exchange(&s->events_wait, false)) uv_async_send(&s->wake);
}

bool shared_takes_events(engine_shared *s) {
  if (has_event_room(s, 1)) return true;
  atomic_store(&s->events_wait, true);
  if (!has_event_room(s, 2)) return false;
  atomic_store(&s->events_wait, false);
  return true;
}

/* ---- dice ---- */

void shared_take_dice(engine_shared *s) {
  static const char *const kinds[DICE] = {
      [DICE_CONTROL] = "control", [DICE_SPLIT] = "split", [DICE_PAYLOAD] = "payload"};
  const char *journey = s->options->journey;
  for (int i = 0; i < DICE; i++) {
    hash_part parts[] = {{kinds[i], strlen(kinds[i])}, {journey, strlen(journey)}};
    s->dice[i] = hash_begin((hash128){0x73706c6974, 0x6a61756e74}, parts, 2);
  }
}

double shared_throw(const engine_shared *s, shared_dice dice, const hash_part *parts, size_t count) {
  return (double)(hash_end64(&s->dice[dice], parts, count) >> 11) * 0x1.0p-53;
}

/* ---- what scripts say ---- */

static bool has_message_room(const engine_shared *s) {
  return s->message_count < MESSAGES_KEPT && s->message_bytes < MESSAGE_BYTES_KEPT;
}

/* Locks the messages, and waits before that until there is room. Returns false where nobody will fetch any: then there is
 * no room, and the lock is held as well. */
static bool lock_messages(engine_shared *s) {
  pthread_mutex_lock(&s->message_lock);
  while (!has_message_room(s) && !atomic_load(&s->ending)) {
    pthread_mutex_unlock(&s->message_lock);
    uv_async_send(&s->wake);
    uv_sleep(1);
    pthread_mutex_lock(&s->message_lock);
  }
  return has_message_room(s);
}

void shared_say(engine_shared *s, say_kind kind, const char *text, size_t length) {
  static const char marks[] = {[SAY_OUTPUT] = 'o', [SAY_WARNING] = 'w', [SAY_TRACE] = 't'};
  if (lock_messages(s)) {
    said *one = mem_zero(sizeof *one);
    buf_char(&one->text, marks[kind]);
    buf_add(&one->text, text, length);
    list_push(&s->messages, &one->link);
    s->message_count++;
    s->message_bytes += length;
  }
  pthread_mutex_unlock(&s->message_lock);
}

void shared_warn(engine_shared *s, const char *format, ...) {
  buf text = BUF_EMPTY;
  va_list args;
  va_start(args, format);
  buf_format_list(&text, format, args);
  va_end(args);
  shared_say(s, SAY_WARNING, text.data, text.len);
  buf_free(&text);
}

int shared_next_message(engine_shared *s, buf *out) {
  pthread_mutex_lock(&s->message_lock);
  list *l = list_pop(&s->messages);
  said *one = l ? LIST_OF(said, link, l) : NULL;
  if (one) s->message_count--, s->message_bytes -= one->text.len - 1;
  pthread_mutex_unlock(&s->message_lock);
  if (!one) return 0;
  buf_clear(out);
  buf_add(out, one->text.data, one->text.len);
  buf_free(&one->text);
  free(one);
  return 1;
}

/* ---- dying ---- */

bool shared_dies(engine_shared *s) {
  if (!s->options->die_after || atomic_fetch_add(&s->recorded, 1) < s->options->die_after) return false;
  if (!atomic_exchange(&s->dead, true)) uv_async_send(&s->wake);
  return true;
}

/* ---- what operators do ---- */

typedef struct outcome_told {
  list link;
  engine_outcome outcome;
} outcome_told;

void shared_outcome(engine_shared *s, uint64_t number, const char *refused, char *why) {
  outcome_told *told = mem_zero(sizeof *told);
  told->outcome = (engine_outcome){number, refused, why};
  pthread_mutex_lock(&s->message_lock);
  list_push(&s->outcomes, &told->link);
  pthread_mutex_unlock(&s->message_lock);
  uv_async_send(&s->wake);
}

int shared_next_outcome(engine_shared *s, engine_outcome *out) {
  pthread_mutex_lock(&s->message_lock);
  list *l = list_pop(&s->outcomes);
  pthread_mutex_unlock(&s->message_lock);
  if (!l) return 0;
  outcome_told *told = LIST_OF(outcome_told, link, l);
  *out = told->outcome;
  free(told);
  return 1;
}
