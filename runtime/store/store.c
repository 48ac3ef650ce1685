/* What callers and backends have in common: runs and events as values, a new store, and its names: journeys and elements. Its lanes
 * are in lane.c, its reports in report.c. */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/store_parts.h"

const char *run_state_name(run_state state) {
  static const char *const names[] = {
      [RUN_NONE] = "none",       [RUN_RUNNING] = "running", [RUN_QUEUED] = "queued",
      [RUN_WAITING] = "waiting", [RUN_HELD] = "held",       [RUN_COMPLETED] = "completed",
      [RUN_DROPPED] = "dropped", [RUN_EXITED] = "exited",
  };
  return names[state];
}

uint32_t store_shard(const char *person, size_t length) {
  return (uint32_t)(hash_bytes64((hash128){0, 0}, person, length) % SHARDS);
}

uint64_t store_print(const char *bytes, size_t length) {
  uint64_t print = hash_bytes64((hash128){0, 0}, bytes, length);
  return print ? print : 1;
}

void store_run_free(store_run *run) {
  free(run->person);
  free(run->per);
  free(run->listens);
  free(run->reason);
  free(run->detail);
  *run = (store_run){0};
}

void store_events_free(store_inbox_event *events, size_t count) {
  for (size_t i = 0; i < count; i++) free(events[i].name), free(events[i].json);
  free(events);
}

/* ---- a store ---- */

store *store_new(const store_backend *does) {
  store *s = mem_zero(sizeof *s);
  s->does = does;
  s->next_run = 1;
  s->elements_most = ELEMENTS_MOST;
  pthread_mutex_init(&s->lock, NULL);
  return s;
}

hash128 store_id(const store *s) {
  return s->id;
}

bool store_keeps(const store *s) {
  return s->file != NULL;
}

/* ---- names ---- */

uint32_t store_family(const store *s, uint32_t journey) {
  return journey > 0 && journey <= s->journey_count ? s->journeys[journey - 1].family : 0;
}

static size_t find_journey(const store *s, const char *name, const char *version) {
  size_t i = 0;
  while (i < s->journey_count &&
         (strcmp(s->journeys[i].name, name) != 0 || strcmp(s->journeys[i].version, version) != 0))
    i++;
  return i;
}

void store_journey_add(store *s, const char *name, const char *version, const char *bundle, size_t length) {
  size_t first = 0;
  while (first < s->journey_count && strcmp(s->journeys[first].name, name) != 0) first++;
  s->journeys = mem_grow(s->journeys, (s->journey_count + 1) * sizeof *s->journeys);
  s->journeys[s->journey_count++] = (store_journey_name){
      .family = (uint32_t)first + 1,
      .name = mem_text(name),
      .version = mem_text(version),
      .bundle = bundle ? mem_text_of(bundle, length) : NULL,
      .bundle_length = length,
  };
}

uint32_t store_journey(store *s, const char *name, const char *version, const char *bundle,
                       size_t bundle_length) {
  pthread_mutex_lock(&s->lock);
  size_t i = find_journey(s, name, version);
  bool is_new = i == s->journey_count;
  if (is_new) store_journey_add(s, name, version, bundle ? bundle : "", bundle_length);
  pthread_mutex_unlock(&s->lock);
  if (is_new && s->does->named) s->does->named(s);
  return (uint32_t)i + 1;
}

/* ---- paused journeys ---- */

void store_pause(store *s, uint32_t journey, int64_t since_ms) {
  pthread_mutex_lock(&s->lock);
  store_journey_name *first = &s->journeys[store_family(s, journey) - 1];
  first->paused_ms = since_ms;
  s->pauses++;
  if (!s->does->named) first->paused_kept_ms = since_ms;
  pthread_mutex_unlock(&s->lock);
  if (s->does->named) s->does->named(s);
}

int64_t store_paused(store *s, uint32_t journey) {
  pthread_mutex_lock(&s->lock);
  int64_t since_ms = s->journeys[store_family(s, journey) - 1].paused_ms;
  pthread_mutex_unlock(&s->lock);
  return since_ms;
}

int64_t store_pause_kept(store *s, uint32_t journey) {
  pthread_mutex_lock(&s->lock);
  int64_t since_ms = s->journeys[store_family(s, journey) - 1].paused_kept_ms;
  pthread_mutex_unlock(&s->lock);
  return since_ms;
}

/* ---- elements ---- */

int store_journey_read(store *s, uint32_t journey, buf *name, buf *version, buf *bundle) {
  int status = -1;
  bool elsewhere = false;
  pthread_mutex_lock(&s->lock);
  if (journey > 0 && journey <= s->journey_count) {
    const store_journey_name *found = &s->journeys[journey - 1];
    if (name) buf_text_add(name, found->name);
    if (version) buf_text_add(version, found->version);
    if (bundle && found->bundle) buf_add(bundle, found->bundle, found->bundle_length);
    elsewhere = bundle && !found->bundle;
    status = 0;
  }
  pthread_mutex_unlock(&s->lock);
  return elsewhere ? s->does->bundle(s, journey, bundle) : status;
}

void store_element_add(store *s, uint32_t family, const char *name, const char *kind, uint32_t line) {
  s->elements = mem_grow(s->elements, (s->element_count + 1) * sizeof *s->elements);
  s->elements[s->element_count++] =
      (store_element_name){store_print(name, strlen(name)), family, mem_text(name), mem_text(kind), line};
}

void store_bound_elements(store *s, size_t most) {
  pthread_mutex_lock(&s->lock);
  s->elements_most = most;
  pthread_mutex_unlock(&s->lock);
}

/* Its place, or that of the next one; *known: how many the journey has that it was compared with. */
static size_t find_element(const store *s, uint32_t family, const char *name, size_t *known) {
  uint64_t print = store_print(name, strlen(name));
  size_t i = 0;
  for (*known = 0; i < s->element_count; i++) {
    const store_element_name *element = &s->elements[i];
    if (element->family != family) continue;
    if (element->print == print && strcmp(element->name, name) == 0) break;
    ++*known;
  }
  return i;
}

static bool is_bounded(const char *kind) {
  return strcmp(kind, "start") != 0 && strcmp(kind, "others") != 0;
}

uint32_t store_element(store *s, uint32_t journey, const char *name, const char *kind, uint32_t line) {
  pthread_mutex_lock(&s->lock);
  uint32_t family = store_family(s, journey);
  size_t known, i = find_element(s, family, name, &known);
  bool is_new = i == s->element_count, is_refused = is_new && known >= s->elements_most && is_bounded(kind);
  if (is_new && !is_refused) store_element_add(s, family, name, kind, line);
  pthread_mutex_unlock(&s->lock);
  if (is_refused) return NO_ELEMENT;
  if (is_new && s->does->named) s->does->named(s);
  return (uint32_t)i;
}
