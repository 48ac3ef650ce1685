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

static void answer(reader_visit *open, const store_record *record) {
  open->left_ms = record->at_ms;
  open->went_on = true;
  if (record->kind != RECORD_RESULT) return;
  open->result = record->name;
  open->reason = record->reason; /* of one whose fate is unknown */
  open->detail = record->detail;
}

/* A call's end is its run's where the call was to drop or to hold; a script's error comes after it had gone on. */
static bool ended_by_its_call(const reader_visit *open, const store_record *end) {
  bool failed = open->result && (strcmp(open->result, "failed") == 0 || strcmp(open->result, "mistake") == 0);
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

/* Looks at a record. Returns true when `out` is a visit that is over by it. */
static bool look_at(reader_visits *v, reader_visit *out) {
  const store_record *record = &v->record;
  bool begins = record->kind == RECORD_STEP && record->name;
  bool over = v->has_open && (begins || record->kind == RECORD_END || record->kind == RECORD_RESTART);
  bool nowhere = !v->has_open && record->kind == RECORD_END && record->element != NO_ELEMENT;
  if (nowhere) v->open = begin(record), v->open.kind = "start", v->open.kind_length = 5;
  if (nowhere) over = true;
  if (over) {
    if (record->kind == RECORD_END)
      end(&v->open, record);
    else
      go_on(&v->open, record);
    *out = v->open;
    v->has_open = false;
  }
  if (begins) {
    v->open = begin(record);
    v->has_open = true;
  } else if (v->has_open) {
    if (record->kind == RECORD_RESULT || record->kind == RECORD_WOKE || record->kind == RECORD_TAKEN)
      answer(&v->open, record);
    if (record->kind == RECORD_INTENT)
      v->open.payload = store_intent_line(record, INTENT_PAYLOAD, &v->open.payload_length);
  }
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
