/* A journal in short: one entry for each time that its run was at an element. See reader.h. */
#include "store/reader.h"

void reader_visits_begin(reader_visits *visits, const buf *journal) {
  *visits = (reader_visits){.at = journal->data, .end = journal->data + journal->len};
}

static bool is(const char *text, size_t length, const char *word) {
  return strlen(word) == length && memcmp(text, word, length) == 0;
}

/* A named step begins a visit. */
static reader_visit begin(const store_record *step) {
  return (reader_visit){
      .element = step->element,
      .at_ms = step->at_ms,
      .left_ms = -1,
      .kind = step->extra ? step->extra : "",
      .kind_length = step->extra_length,
      .verdict = step->data,
      .verdict_length = step->data_length,
  };
}

/* Whether nobody has got what the call was to send: it has failed before it left, as with a connection that was refused. */
static bool never_left(const reader_visit *call) {
  bool done = strcmp(call->result, "ok") == 0 || strcmp(call->result, "unknown") == 0;
  return !done && !call->unclear && !call->answered;
}

static void answer(reader_visit *open, const store_record *record) {
  open->left_ms = record->at_ms;
  open->went_on = true;
  if (record->kind != RECORD_RESULT) return;
  open->result = record->name;
  open->unclear = record->numbers[3] & RESULT_UNCLEAR;
  if (record->numbers[0] > 0) open->answered = true;
  if (never_left(open)) open->payload = open->hash = NULL;
  open->reason = record->reason; /* of one whose fate is unknown */
  open->detail = record->detail;
}

/* A call's end is its run's where the call was to drop or to hold; a script's error comes after it had gone on. */
static bool ended_by_its_call(const reader_visit *open, const store_record *end) {
  bool failed =
      open->result && (strcmp(open->result, "failed") == 0 || strcmp(open->result, "mistake") == 0 ||
                       strcmp(open->result, "dropped") == 0);
  if (!failed) return false;
  return end->to == RUN_DROPPED || (end->to == RUN_HELD && end->reason && strcmp(end->reason, "script") != 0);
}

static void end(reader_visit *open, const store_record *record) {
  if (open->left_ms < 0) {
    open->left_ms = record->at_ms;
    open->went_on = is(open->kind, open->kind_length, "split"); /* it takes no time */
  }
  if (ended_by_its_call(open, record)) open->went_on = false;
  open->ended = record->to;
  if (!record->reason) return;
  open->reason = record->reason;
  open->detail = record->detail;
}

static void go_on(reader_visit *open, const store_record *record) {
  if (open->left_ms >= 0) return;
  open->left_ms = record->at_ms;
  open->went_on = true;
}

/* What is no primitive's. */
static reader_visit apart(const store_record *record, const char *kind) {
  reader_visit visit = begin(record);
  visit.kind = kind;
  visit.kind_length = strlen(kind);
  visit.verdict = NULL;
  visit.left_ms = record->at_ms;
  visit.ended = record->to;
  visit.reason = record->reason;
  visit.detail = record->detail;
  return visit;
}

/* Whether a visit is over by this record. */
static bool is_over_by(reader_visits *v, const store_record *record, bool begins, reader_visit *out) {
  bool ends = record->kind == RECORD_END;
  if (record->kind == RECORD_REDRIVE || (ends && !v->has_open && record->element != NO_ELEMENT)) {
    *out = apart(record, ends ? "start" : "redrive");
    return true;
  }
  if (!v->has_open || !(begins || ends || record->kind == RECORD_RESTART)) return false;
  if (ends)
    end(&v->open, record);
  else
    go_on(&v->open, record);
  *out = v->open;
  v->has_open = false;
  return true;
}

/* The element that an operator's redrive goes back to without a step of its own: its call is sent again. */
static reader_visit resent(const store_record *redrive) {
  reader_visit visit = begin(redrive);
  visit.kind = "call_api";
  visit.kind_length = strlen(visit.kind);
  visit.verdict = NULL;
  return visit;
}

static void note(reader_visit *open, const store_record *record) {
  if (record->kind == RECORD_RESULT || record->kind == RECORD_WOKE || record->kind == RECORD_TAKEN)
    answer(open, record);
  if (record->kind == RECORD_ATTEMPT && record->numbers[0] > 0) open->answered = true;
  if (record->kind != RECORD_INTENT) return;
  open->payload = store_intent_line(record, INTENT_PAYLOAD, &open->payload_length);
  open->hash = store_intent_line(record, INTENT_TEMPLATE, &open->hash_length);
}

/* Looks at a record. Returns true when `out` is a visit that is over by it. */
static bool look_at(reader_visits *v, reader_visit *out) {
  const store_record *record = &v->record;
  bool begins = record->kind == RECORD_STEP && record->name;
  bool over = is_over_by(v, record, begins, out);
  if (begins)
    v->open = begin(record), v->has_open = true;
  else if (record->kind == RECORD_REDRIVE && record->numbers[2])
    v->open = resent(record), v->has_open = true;
  else if (v->has_open)
    note(&v->open, record);
  return over;
}

bool reader_visits_next(reader_visits *visits, reader_visit *out) {
  while (store_record_next(&visits->at, visits->end, &visits->record)) {
    if (look_at(visits, out)) return true;
  }
  if (!visits->has_open) return false;
  *out = visits->open;
  visits->has_open = false;
  return true;
}
