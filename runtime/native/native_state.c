/* jaunt.native.state: a state looked at from outside, for commands.
 *
 *   local state <close> = open(path)
 *   local copy <close> = backup(from, to, replace)    see store/backup.h
 *   reasons()                     the names of the reasons for which calls fail
 *   copy:step()                   done, total (pages); nil when the copy is whole
 *   state:in_use()                whether a runtime has it
 *   state:versions()              { { number =, family =, name =, version = }, … }, in the order in which they came
 *                                 paused_ms is since when the journey is paused; nil: it isn't. removed, removed_to_ms: how
 *                                 many old runs of the journey were taken out, and when the last of them had ended
 *   state:bundle(number)          the bundle of a version
 *   state:elements()              { { number =, family =, line =, name =, kind = }, … }
 *   state:report(number, only)    ledger, funnel and exits of a version's number; of all versions of its name unless `only`
 *   state:runs(selection)         a page of runs, newest first, and what `before` has to be for the next one (nil after the last).
 *                                 The selection's fields: family, version, states (bits), element, reason, detail, person,
 *                                 mention, since_ms, entered_ms, until_ms, before, most
 *   state:journal(run)            its records, in order
 *   state:entry(run)              the profile and the event that it entered with, as JSON texts
 *   state:visits(run)             its way through the elements
 *   state:events(run)             what came for it and was not taken
 *   state:people_with(json)       the ids of people to whom a script has written this value
 *   state:attributes(person)      { NAME = JSON text }: what scripts have written to a person */
#include "calls/reason.h"
#include "native/control.h"
#include "native/fields.h"
#include "native/native.h"
#include "native/report.h"
#include "store/reader.h"

static const char STATE[] = "jaunt.state";

enum { PAGE = 500 };

typedef struct look {
  store_reader *reader;
  buf journal, headers;
} look;

static look *look_at(lua_State *L) {
  look *l = luaL_checkudata(L, 1, STATE);
  if (!l->reader) luaL_error(L, "this state was closed");
  return l;
}

static int state_open(lua_State *L) {
  error err;
  const char *path = luaL_checkstring(L, 1);
  look *l = lua_newuserdatauv(L, sizeof *l, 0);
  *l = (look){0};
  luaL_setmetatable(L, STATE);
  l->reader = reader_open_sqlite(path, &err);
  return l->reader ? 1 : control_fail(L, &err);
}

static int state_close(lua_State *L) {
  look *l = luaL_checkudata(L, 1, STATE);
  reader_close(l->reader);
  l->reader = NULL;
  buf_free(&l->journal);
  buf_free(&l->headers);
  return 0;
}

static int state_in_use(lua_State *L) {
  lua_pushboolean(L, reader_in_use(look_at(L)->reader));
  return 1;
}

/* ---- fields ---- */

static void set_element(lua_State *L, const look *l, uint32_t number) {
  reader_element element;
  if (number != NO_ELEMENT && reader_element_at(l->reader, number, &element))
    field_set_text(L, "element", element.name);
}

/* ---- names, report ---- */

static void push_version(lua_State *L, const reader_version *version) {
  lua_createtable(L, 0, 4);
  field_set_integer(L, "number", version->number);
  field_set_integer(L, "family", version->family);
  field_set_text(L, "name", version->name);
  field_set_text(L, "version", version->version);
  if (version->paused_ms) field_set_integer(L, "paused_ms", version->paused_ms);
  if (version->removed == 0) return;
  field_set_integer(L, "removed", (int64_t)version->removed);
  field_set_integer(L, "removed_to_ms", version->removed_to_ms);
}

static int state_versions(lua_State *L) {
  look *l = look_at(L);
  reader_version version;
  lua_newtable(L);
  for (size_t i = 0; reader_version_at(l->reader, i, &version); i++) {
    push_version(L, &version);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

static int state_bundle(lua_State *L) {
  look *l = look_at(L);
  error err;
  buf_clear(&l->journal);
  if (reader_bundle(l->reader, (uint32_t)luaL_checkinteger(L, 2), &l->journal, &err))
    return control_fail(L, &err);
  lua_pushlstring(L, l->journal.data, l->journal.len);
  return 1;
}

static void push_element(lua_State *L, const reader_element *element) {
  lua_createtable(L, 0, 5);
  field_set_integer(L, "number", element->number);
  field_set_integer(L, "family", element->family);
  field_set_integer(L, "line", element->line);
  field_set_text(L, "name", element->name);
  field_set_text(L, "kind", element->kind);
}

static int state_elements(lua_State *L) {
  look *l = look_at(L);
  reader_element element;
  lua_newtable(L);
  for (size_t i = 0; reader_element_at(l->reader, i, &element); i++) {
    push_element(L, &element);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

static int state_report(lua_State *L) {
  look *l = look_at(L);
  store_report *report = reader_report(l->reader, (uint32_t)luaL_checkinteger(L, 2), lua_toboolean(L, 3));
  native_push_report(L, report);
  store_report_free(report);
  return 1;
}

/* ---- runs ---- */

static reader_selection selection_in(lua_State *L) {
  luaL_checktype(L, 2, LUA_TTABLE);
  int64_t before = field_integer(L, 2, "before", -1);
  return (reader_selection){
      .family = (uint32_t)field_integer(L, 2, "family", 0),
      .version = (uint32_t)field_integer(L, 2, "version", 0),
      .states = (unsigned)field_integer(L, 2, "states", 0),
      .element = field_text(L, 2, "element", NULL),
      .reason = field_text(L, 2, "reason", NULL),
      .detail = field_text(L, 2, "detail", NULL),
      .person = field_text(L, 2, "person", NULL),
      .mention = field_text(L, 2, "mention", NULL),
      .since_ms = field_integer(L, 2, "since_ms", 0),
      .entered_ms = field_integer(L, 2, "entered_ms", 0),
      .until_ms = field_integer(L, 2, "until_ms", 0),
      .before = before < 0 ? UINT64_MAX : (uint64_t)before,
  };
}

static void push_run(lua_State *L, const look *l, const store_run *run) {
  char id[33];
  lua_createtable(L, 0, 20);
  hash_hex(run->id, id);
  field_set_integer(L, "run", (int64_t)run->run);
  field_set_text(L, "id", id);
  field_set_integer(L, "journey", run->journey);
  field_set_integer(L, "entry", run->entry);
  field_set_integer(L, "incarnation", run->incarnation);
  set_element(L, l, run->element);
  field_set_text(L, "person", run->person);
  field_set_text(L, "per", run->per);
  field_set_text(L, "listens", run->listens);
  field_set_text(L, "reason", run->reason);
  field_set_text(L, "detail", run->detail);
  field_set_text(L, "state", run_state_name(run->state));
  field_set_flag(L, "control", run->control);
  field_set_integer(L, "entered_ms", run->entered_ms);
  field_set_integer(L, "since_ms", run->since_ms);
  if (run->due_ms == 0)
    field_set_flag(L, "due_at_once", true); /* something has come for it */
  else if (run->due_ms != INT64_MAX)
    field_set_integer(L, "due_ms", run->due_ms);
  if (run->converted_ms) field_set_integer(L, "converted_ms", run->converted_ms);
}

static int state_runs(lua_State *L) {
  look *l = look_at(L);
  error err;
  reader_selection which = selection_in(L);
  int most = (int)field_integer(L, 2, "most", PAGE);
  if (most < 1 || most > PAGE) most = PAGE;
  store_run runs[PAGE];
  int count = reader_runs(l->reader, &which, runs, most, &err);
  if (count < 0) return control_fail(L, &err);
  lua_createtable(L, count, 0);
  for (int i = 0; i < count; i++) {
    push_run(L, l, &runs[i]);
    lua_rawseti(L, -2, i + 1);
    store_run_free(&runs[i]);
  }
  if (which.before > 0)
    lua_pushinteger(L, (lua_Integer)which.before);
  else
    lua_pushnil(L);
  return 2;
}

/* ---- one run ---- */

/* Kept in the userdata until the next one is read. */
static const buf *read_journal(lua_State *L, look *l) {
  error err;
  buf_clear(&l->journal);
  if (reader_journal(l->reader, (uint64_t)luaL_checkinteger(L, 2), &l->journal, &err)) control_fail(L, &err);
  return &l->journal;
}

static void push_numbers(lua_State *L, const int64_t numbers[4]) {
  lua_createtable(L, 4, 0);
  for (int i = 0; i < 4; i++) {
    lua_pushinteger(L, numbers[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "numbers");
}

/* Of a result its headers' lines. */
static void set_more(lua_State *L, look *l, const store_record *record) {
  if (record->kind != RECORD_RESULT) {
    field_set_bytes(L, "more", record->more, record->more_length);
    return;
  }
  buf_clear(&l->headers);
  store_result_headers(record, &l->headers);
  field_set_bytes(L, "more", record->more ? buf_text(&l->headers) : NULL, l->headers.len);
}

static void push_record(lua_State *L, look *l, const store_record *record) {
  static const char *const kinds[RECORD_KINDS] = {
      [RECORD_ENTER] = "enter",     [RECORD_STEP] = "step",       [RECORD_INTENT] = "intent",
      [RECORD_ATTEMPT] = "attempt", [RECORD_RESULT] = "result",   [RECORD_WRITE] = "write",
      [RECORD_WOKE] = "woke",       [RECORD_TAKEN] = "taken",     [RECORD_RESTART] = "restart",
      [RECORD_END] = "end",         [RECORD_REDRIVE] = "redrive",
  };
  lua_createtable(L, 0, 14);
  field_set_text(L, "kind", kinds[record->kind]);
  field_set_integer(L, "at_ms", record->at_ms);
  field_set_integer(L, "step", record->step);
  field_set_integer(L, "incarnation", record->incarnation);
  set_element(L, l, record->element);
  field_set_text(L, "name", record->name);
  field_set_bytes(L, "data", record->data, record->data_length);
  set_more(L, l, record);
  field_set_bytes(L, "extra", record->extra, record->extra_length);
  field_set_bytes(L, "newer", record->newer, record->newer_length);
  push_numbers(L, record->numbers);
  if (record->to != RUN_NONE) field_set_text(L, "to", run_state_name(record->to));
  field_set_text(L, "reason", record->reason);
  field_set_text(L, "detail", record->detail);
}

static void set_intent(lua_State *L, const store_record *record) {
  static const char *const names[] = {"method", "connection", "type", "payload", "template"};
  char key[33];
  store_intent_key(record, key);
  field_set_text(L, "name", key);
  for (int line = INTENT_METHOD; line <= INTENT_TEMPLATE; line++) {
    size_t length = 0;
    const char *text = store_intent_line(record, (enum intent_line)line, &length);
    field_set_bytes(L, names[line], text, length);
  }
}

static int state_journal(lua_State *L) {
  look *l = look_at(L);
  const buf *journal = read_journal(L, l);
  const char *at = journal->data, *end = at + journal->len;
  store_record record = {.element = NO_ELEMENT};
  lua_Integer count = 0;
  lua_newtable(L);
  while (store_record_next(&at, end, &record)) {
    push_record(L, l, &record);
    if (record.kind == RECORD_INTENT) set_intent(L, &record);
    lua_rawseti(L, -2, ++count);
  }
  lua_pushboolean(L, at == end);
  return 2;
}

static int state_entry(lua_State *L) {
  look *l = look_at(L);
  const buf *journal = read_journal(L, l);
  const char *at = journal->data;
  store_record record = {.element = NO_ELEMENT};
  bool found = store_record_next(&at, journal->data + journal->len, &record) && record.kind == RECORD_ENTER;
  if (!found || !record.data || !record.more) return 0;
  lua_pushlstring(L, record.data, record.data_length);
  lua_pushlstring(L, record.more, record.more_length);
  return 2;
}

static void push_visit(lua_State *L, const look *l, const reader_visit *visit) {
  lua_createtable(L, 0, 12);
  set_element(L, l, visit->element);
  field_set_integer(L, "at_ms", visit->at_ms);
  if (visit->left_ms >= 0) field_set_integer(L, "left_ms", visit->left_ms);
  field_set_flag(L, "went_on", visit->went_on);
  if (visit->ended != RUN_NONE) field_set_text(L, "ended", run_state_name(visit->ended));
  field_set_bytes(L, "kind", visit->kind, visit->kind_length);
  field_set_bytes(L, "verdict", visit->verdict, visit->verdict_length);
  field_set_text(L, "result", visit->result);
  field_set_flag(L, "unclear", visit->unclear);
  field_set_text(L, "reason", visit->reason);
  field_set_text(L, "detail", visit->detail);
  field_set_bytes(L, "payload", visit->payload, visit->payload_length);
  field_set_bytes(L, "template", visit->hash, visit->hash_length);
}

static int state_visits(lua_State *L) {
  look *l = look_at(L);
  reader_visits visits;
  reader_visit visit;
  lua_Integer count = 0;
  reader_visits_begin(&visits, read_journal(L, l));
  lua_newtable(L);
  while (reader_visits_next(&visits, &visit)) {
    push_visit(L, l, &visit);
    lua_rawseti(L, -2, ++count);
  }
  return 1;
}

static int state_events(lua_State *L) {
  look *l = look_at(L);
  error err;
  store_inbox_event *events;
  size_t count;
  if (reader_events(l->reader, (uint64_t)luaL_checkinteger(L, 2), &events, &count, &err))
    return control_fail(L, &err);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    lua_createtable(L, 0, 3);
    field_set_text(L, "name", events[i].name);
    field_set_bytes(L, "json", events[i].json, events[i].length);
    field_set_integer(L, "at_ms", events[i].at_ms);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  store_events_free(events, count);
  return 1;
}

/* ---- people ---- */

static void add_person(void *data, const char *person) {
  lua_State *L = data;
  lua_pushstring(L, person);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

static int state_people_with(lua_State *L) {
  look *l = look_at(L);
  error err;
  const char *json = luaL_checkstring(L, 2);
  lua_newtable(L);
  return reader_people_with(l->reader, json, add_person, L, &err) ? control_fail(L, &err) : 1;
}

static void add_attribute(void *data, const char *name, const char *json, size_t length, int64_t at_ms) {
  (void)at_ms;
  field_set_bytes(data, name, json, length);
}

static int state_attributes(lua_State *L) {
  look *l = look_at(L);
  error err;
  const char *person = luaL_checkstring(L, 2);
  lua_newtable(L);
  return reader_attributes(l->reader, person, add_attribute, L, &err) ? control_fail(L, &err) : 1;
}

/* ---- the module ---- */

static int state_reasons(lua_State *L) {
  lua_createtable(L, CALL_REASONS - 1, 0);
  for (int reason = REASON_NONE + 1; reason < CALL_REASONS; reason++) {
    lua_pushstring(L, call_reason_name((call_reason)reason));
    lua_rawseti(L, -2, reason);
  }
  return 1;
}

static const luaL_Reg functions[] = {
    {"open", state_open},
    {"backup", native_backup_begin},
    {"reasons", state_reasons},
    {NULL, NULL},
};

static const luaL_Reg methods[] = {
    {"in_use", state_in_use},
    {"versions", state_versions},
    {"elements", state_elements},
    {"bundle", state_bundle},
    {"report", state_report},
    {"runs", state_runs},
    {"journal", state_journal},
    {"entry", state_entry},
    {"visits", state_visits},
    {"events", state_events},
    {"people_with", state_people_with},
    {"attributes", state_attributes},
    {"close", state_close},
    {NULL, NULL},
};

int native_state_open(lua_State *L) {
  native_backup_define(L);
  native_type(L, STATE, methods, state_close, state_close);
  luaL_newlib(L, functions);
  return 1;
}
