/* The newest profile of a run's person: what payloads render from, and what only_if is asked about. The script itself reads a version of
 * it that changes only where it is let go on: the record that does so says what has changed, so that replay reads the same.
 *
 * Newer is what other runs of the person have written, and a profile that came with the person again: when they were to be let in
 * once more. Both pass through the person's one worker, which marks the runs that are in memory: who is not marked asks no store. */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "engine/guard.h"
#include "engine/run.h"
#include "engine/run_parts.h"

/* ---- what is not durable yet ---- */

/* An attribute that was written, or, without a name, a profile that came. */
typedef struct person_change {
  list link, link_by_person;
  store_position position;
  uint64_t fed;
  int64_t at_ms;
  char *person, *name, *json;
  size_t length;
} person_change;

static uint64_t hash_of_person(const char *person) {
  return hash_bytes64((hash128){0, 0}, person, strlen(person)) >> 8;
}

static list *changes_of(worker *w, const char *person) {
  return &w->changes_by_person[hash_of_person(person) % WAITING_BUCKETS];
}

/* Something has changed: runs of the person don't know the newest any more, but for the one that did it. */
static void outdate(worker *w, const char *person, const run *but) {
  for (run *r = *run_bucket(w, person); r; r = r->same_bucket) {
    if (r == but || strcmp(r->person, person) != 0) continue;
    r->has_newest = r->has_looked = false;
  }
}

static person_change *add_change(worker *w, const char *person, const char *json, size_t length) {
  person_change *change = mem_zero(sizeof *change);
  change->position = store_last(w->lane);
  change->person = mem_text(person);
  change->json = mem_text_of(json, length);
  change->length = length;
  list_push(&w->changes, &change->link);
  list_push(changes_of(w, person), &change->link_by_person);
  return change;
}

void run_forget_changes(worker *w, store_position up_to) {
  while (!list_empty(&w->changes)) {
    person_change *oldest = LIST_OF(person_change, link, w->changes.next);
    if (oldest->position > up_to) return;
    list_remove(&oldest->link);
    list_remove(&oldest->link_by_person);
    free(oldest->person);
    free(oldest->name);
    free(oldest->json);
    free(oldest);
  }
}

/* ---- attributes ---- */

static void add_member(void *data, const char *name, const char *json, size_t length, int64_t at_ms) {
  (void)at_ms;
  buf *members = data;
  buf_char(members, ',');
  json_write_string(members, name, strlen(name));
  buf_char(members, ':');
  buf_add(members, json, length);
}

/* Adds what scripts have written to the person, the oldest first, to the object that `object` holds; JSON's last member of a name
 * counts. Returns how many bytes that are; what can't be read now is tried again. */
static size_t add_attributes(worker *w, const char *person, buf *object) {
  while (object->len > 1 && object->data[object->len - 1] != '}') object->len--;
  object->len--;
  while (object->len > 1 && strchr(" \t\r\n", object->data[object->len - 1])) object->len--;
  size_t start = object->len;
  bool is_empty = object->data[start - 1] == '{';
  store_attributes(w->lane, person, add_member, object);
  const list *all = changes_of(w, person);
  for (const list *l = all->next; l != all; l = l->next) {
    const person_change *change = LIST_OF(person_change, link_by_person, l);
    if (change->name && strcmp(change->person, person) == 0)
      add_member(object, change->name, change->json, change->length, 0);
  }
  size_t added = object->len - start;
  if (is_empty && added) object->data[start] = ' ';
  buf_char(object, '}');
  return added;
}

bool run_profile_at_entry(worker *w, const message *m, buf *out) {
  buf_add(out, m->texts[1], m->lengths[1]);
  return add_attributes(w, m->texts[0], out) > 0;
}

/* ---- writes ---- */

void run_wrote(run *r, const char *name, const char *json, size_t length) {
  worker *w = r->in;
  if (!store_keeps(w->shared->store)) return;
  add_change(w, r->person, json, length)->name = mem_text(name);
  outdate(w, r->person, r);
  r->has_looked = false; /* what it has found is not all by now */
}

/* ---- profiles that come again ---- */

/* To be freed; false where there is none but those that runs have entered with. */
static bool find_profile(worker *w, const char *person, store_profile *out) {
  const list *all = changes_of(w, person);
  for (const list *l = all->prev; l != all; l = l->prev) {
    const person_change *change = LIST_OF(person_change, link_by_person, l);
    if (change->name || strcmp(change->person, person) != 0) continue;
    *out = (store_profile){mem_text_of(change->json, change->length), change->length, change->fed,
                           change->at_ms};
    return true;
  }
  return store_profile_of(w->lane, person, out) > 0;
}

/* The profile is kept for as long as a row says that it may be asked for. */
static void give_rows(worker *w, const char *person) {
  for (run *r = *run_bucket(w, person); r; r = r->same_bucket) {
    if (strcmp(r->person, person) == 0) store_give_row(&r->journal);
  }
}

void run_profile_came(worker *w, const message *m, uint64_t fed, uint64_t newest_fed, bool may_go_on) {
  store_profile before = {0};
  bool had = find_profile(w, m->texts[0], &before);
  free(before.json);
  if (fed == (had ? before.fed : newest_fed) || (!had && (!may_go_on || !newest_fed))) return;
  store_profile came = {(char *)m->texts[1], m->lengths[1], fed, logical_now_ms(&w->shared->clock)};
  if (w->lost || shared_dies(w->shared)) return;
  store_position position = store_profile_came(w->lane, m->texts[0], &came);
  while (!position && worker_make_room(w)) position = store_profile_came(w->lane, m->texts[0], &came);
  give_rows(w, m->texts[0]);
  person_change *change = add_change(w, m->texts[0], came.json, came.length);
  change->fed = fed;
  change->at_ms = came.at_ms;
  outdate(w, m->texts[0], NULL);
}

/* ---- reading ---- */

static bool is_object(const char *json, size_t length) {
  return run_is_json(json, length) && *json_read_start(json, json + length) == '{';
}

/* Fills w->profile with what the store knows beside what the run reads: a whole profile, which came since it has entered (*is_whole),
 * or attributes. False where there is nothing, or it can't be read. */
static bool gather(run *r, bool *is_whole) {
  worker *w = r->in;
  buf *json = &w->profile;
  store_profile profile = {0};
  bool came = find_profile(w, r->person, &profile) && profile.at_ms >= r->entered_ms &&
              is_object(profile.json, profile.length);
  buf_clear(json);
  if (came)
    buf_add(json, profile.json, profile.length);
  else
    buf_text_add(json, "{}");
  free(profile.json);
  bool any = add_attributes(w, r->person, json) > 0 || came;
  *is_whole = came;
  return any && is_object(json->data, json->len);
}

/* Fills w->newest with how the newest profile differs from what the run reads: see engine_lua. False where that can't be known now: it
 * is asked again. May raise. */
static bool compare(run *r, lua_State *L) {
  worker *w = r->in;
  bool is_whole, any = gather(r, &is_whole);
  buf_clear(&w->newest);
  if (worker_unread(w)) return false;
  if (!any) return true;
  run_anchor_get(r, L, ANCHOR_PERSON);
  w->shared->options->lua->compare_person(L, w->profile.data, w->profile.len, is_whole, &w->newest);
  lua_pop(L, 1);
  return true;
}

/* Changes the run's person, or shows another one in its place. May raise. */
static void change(run *r, lua_State *L, const char *changes, size_t length, bool itself) {
  run_anchor_get(r, L, ANCHOR_PERSON);
  r->in->shared->options->lua->change_person(L, changes, length, itself);
  if (itself)
    lua_pop(L, 1);
  else
    run_anchor_set(r, L, ANCHOR_NEWEST);
}

static void look_for_newer(run *r, lua_State *L) {
  const buf *changes = &r->in->newest;
  bool is_known = compare(r, L);
  if (changes->len) change(r, L, changes->data, changes->len, false);
  r->has_looked = changes->len > 0;
  r->has_newest = is_known && !r->has_looked;
}

void run_push_person(run *r, lua_State *L) {
  bool keeps = store_keeps(r->in->shared->store);
  if (keeps && !r->has_newest && !r->has_looked) look_for_newer(r, L);
  run_anchor_get(r, L, r->has_looked ? ANCHOR_NEWEST : ANCHOR_PERSON);
}

/* ---- where the script is let go on ---- */

/* Memory that the script may not have is all that can be wanting. One that runs is stopped for that; one that waits goes on with what it
 * has read so far. */
static bool is_done(run *r, lua_CFunction function, void *task) {
  error err;
  if (run_protected(r, function, task, &err) == 0) return true;
  free(r->broken);
  r->broken = NULL; /* nobody has asked for a predicate or a payload */
  if (r->in->running) guard_kill(r->in, "run_memory");
  return false;
}

static int take_newest(lua_State *L) {
  run *r = lua_touserdata(L, 1);
  const buf *changes = &r->in->newest;
  bool is_known = compare(r, L);
  if (changes->len) change(r, L, changes->data, changes->len, true);
  lua_pushnil(L);
  run_anchor_set(r, L, ANCHOR_NEWEST);
  r->has_newest = is_known;
  return 0;
}

void run_take_newest(run *r, store_record *answer) {
  const buf *changes = &r->in->newest;
  if (r->has_newest || !store_keeps(r->in->shared->store)) return;
  r->has_looked = false;
  if (!is_done(r, take_newest, r) || !changes->len) return;
  answer->newer = changes->data;
  answer->newer_length = changes->len;
}

typedef struct past_changes {
  run *r;
  const store_record *answer;
} past_changes;

static int take_recorded(lua_State *L) {
  const past_changes *past = lua_touserdata(L, 1);
  change(past->r, L, past->answer->newer, past->answer->newer_length, true);
  return 0;
}

void run_take_recorded(run *r, const store_record *answer) {
  past_changes past = {r, answer};
  if (answer->newer) is_done(r, take_recorded, &past);
}
