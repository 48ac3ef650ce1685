/* Which old runs are not to be taken out: those whose records are still in the log, and those that an operator has sent on. */
#include "base/alloc.h"
#include "store/sqlite_parts.h"

void spare_run(sqlite_file *f, uint64_t run) {
  sweep *w = &f->sweep;
  pthread_mutex_lock(&w->lock);
  young_add(&w->spared, (int64_t)run, run);
  pthread_mutex_unlock(&w->lock);
}

void spare_committed(sqlite_file *f, settled *const *rows, size_t count) {
  sweep *w = &f->sweep;
  if (!f->options.sweeps) return;
  for (size_t i = 0; i < count; i++) {
    if (rows[i]->since_ms > w->newest_ms) w->newest_ms = rows[i]->since_ms;
    if (rows[i]->state <= RUN_HELD) continue;
    if (w->logged_count == w->logged_room)
      w->logged = mem_grow(w->logged,
                           (w->logged_room = w->logged_room ? 2 * w->logged_room : 64) * sizeof *w->logged);
    w->logged[w->logged_count++] = (logged_end){rows[i]->in->number, rows[i]->run};
  }
}

void spare_trimmed(sqlite_file *f, uint64_t before) {
  sweep *w = &f->sweep;
  size_t kept = 0;
  for (size_t i = 0; i < w->logged_count; i++) {
    if (w->logged[i].batch >= before) w->logged[kept++] = w->logged[i];
  }
  w->logged_count = kept;
}
