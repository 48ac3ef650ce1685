/* The newest profile of a run's person: what payloads render from, and what only_if is asked about. The script itself reads the profile
 * that the run has entered with, and its own writes.
 *
 * Newer is what other runs of the person have written, and a profile that came with the person again: when they were to be let in
 * once more. Both pass through the person's one worker, so that it knows whether there may be something: it counts changes by bucket
 * of people, and a run that has seen the last one asks no store. */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
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

static uint32_t *count_of(worker *w, const char *person) {
  return &w->changes_seen[hash_of_person(person) % LIVING_BUCKETS];
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

/* What scripts have written to the person, the oldest first: each with a comma before it, as members of an object. */
static void add_attributes(worker *w, const char *person, buf *out) {
  store_attributes(w->lane, person, add_member, out);
  const list *all = changes_of(w, person);
  for (const list *l = all->next; l != all; l = l->next) {
    const person_change *change = LIST_OF(person_change, link_by_person, l);
    if (change->name && strcmp(change->person, person) == 0)
      add_member(out, change->name, change->json, change->length, 0);
  }
}

/* Puts members into the object that `out` ends with; JSON's last member of a name counts. */
static void add_members(buf *out, const buf *members) {
  while (out->len > 1 && out->data[out->len - 1] != '}') out->len--;
  out->len--;
  while (out->len > 1 && strchr(" \t\r\n", out->data[out->len - 1])) out->len--;
  bool is_empty = out->data[out->len - 1] == '{';
  buf_add(out, members->data + is_empty, members->len - is_empty);
  buf_char(out, '}');
}

bool run_profile_at_entry(worker *w, const message *m, buf *out) {
  buf *members = &w->members;
  buf_clear(members);
  add_attributes(w, m->texts[0], members);
  if (!members->len) return false;
  buf_add(out, m->texts[1], m->lengths[1]);
  add_members(out, members);
  return true;
}

/* ---- writes ---- */

void run_wrote(run *r, const char *name, const char *json, size_t length) {
  worker *w = r->in;
  uint32_t *count = count_of(w, r->person);
  bool is_newest = r->has_newest && r->changes_seen == *count;
  if (!store_keeps(w->shared->store)) return;
  add_change(w, r->person, json, length)->name = mem_text(name);
  ++*count;
  if (is_newest) r->changes_seen = *count;
}

void run_is_newest(run *r) {
  r->has_newest = true;
  r->changes_seen = *count_of(r->in, r->person);
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

void run_profile_came(worker *w, const message *m, uint64_t fed, uint64_t newest_fed, bool lives) {
  store_profile before = {0};
  bool had = find_profile(w, m->texts[0], &before);
  free(before.json);
  if (fed == (had ? before.fed : newest_fed) || (!had && (!lives || !newest_fed))) return;
  store_profile came = {(char *)m->texts[1], m->lengths[1], fed, logical_now_ms(&w->shared->clock)};
  if (w->lost || shared_dies(w->shared)) return;
  store_position position = store_profile_came(w->lane, m->texts[0], &came);
  while (!position && worker_make_room(w)) position = store_profile_came(w->lane, m->texts[0], &came);
  person_change *change = add_change(w, m->texts[0], came.json, came.length);
  change->fed = fed;
  change->at_ms = came.at_ms;
  ++*count_of(w, m->texts[0]);
}

/* ---- reading ---- */

/* Fills `out` with the newest profile as JSON; false where the run's own is the newest. May raise. */
static bool build(run *r, lua_State *L, buf *out) {
  worker *w = r->in;
  buf *members = &w->members;
  store_profile profile = {0};
  error err;
  bool came = find_profile(w, r->person, &profile) && profile.at_ms >= r->entered_ms;
  buf_clear(out);
  buf_clear(members);
  if (came) buf_add(out, profile.json, profile.length);
  free(profile.json);
  add_attributes(w, r->person, members);
  if (!came && !members->len) return false;
  if (!came) {
    run_anchor_get(r, L, ANCHOR_PERSON);
    if (w->shared->options->lua->encode(L, -1, out, "person", &err)) luaL_error(L, "%s", err.text);
    lua_pop(L, 1);
  }
  if (members->len) add_members(out, members);
  return json_scan(out->data, out->len, JSON_DEPTH_MOST, NULL, NULL) ==
         0; /* what a file says is not believed */
}

static void look_for_newer(run *r, lua_State *L) {
  buf *json = &r->in->newest;
  r->has_newest = !build(r, L, json);
  r->changes_seen = *count_of(r->in, r->person);
  if (r->has_newest)
    lua_pushnil(L);
  else
    r->in->shared->options->lua->push_person(L, json->data, json->len);
  run_anchor_set(r, L, ANCHOR_NEWEST);
  r->has_looked = true;
}

void run_push_person(run *r, lua_State *L) {
  bool keeps = store_keeps(r->in->shared->store);
  bool knows = (r->has_newest || r->has_looked) && r->changes_seen == *count_of(r->in, r->person);
  if (keeps && !knows) look_for_newer(r, L);
  run_anchor_get(r, L, !keeps || r->has_newest ? ANCHOR_PERSON : ANCHOR_NEWEST);
}
