/* The secrets of a process: see secrets.h. */
#include "calls/secrets.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"

struct secrets {
  pthread_mutex_t lock;
  bool pretend;
  secret **list;
  size_t count;
};

void secret_free(secret *s) {
  if (!s) return;
  if (s->value) explicit_bzero(s->value, strlen(s->value));
  free(s->name);
  free(s->value);
  free(s);
}

secrets *secrets_new(bool pretend) {
  secrets *all = mem_zero(sizeof *all);
  all->pretend = pretend;
  pthread_mutex_init(&all->lock, NULL);
  return all;
}

void secrets_free(secrets *all) {
  if (!all) return;
  for (size_t i = 0; i < all->count; i++) secret_free(all->list[i]);
  free(all->list);
  pthread_mutex_destroy(&all->lock);
  free(all);
}

static const secret *keep(secrets *all, const char *name, const char *value) {
  secret *s = mem_alloc(sizeof *s);
  *s = (secret){mem_text(name), mem_text(value)};
  all->list = mem_grow(all->list, (all->count + 1) * sizeof *all->list);
  return all->list[all->count++] = s;
}

static const secret *known(const secrets *all, const char *name) {
  for (size_t i = 0; i < all->count; i++) {
    if (strcmp(all->list[i]->name, name) == 0) return all->list[i];
  }
  return NULL;
}

static const secret *look_up(secrets *all, const char *name) {
  const secret *found = known(all, name);
  if (found) return found;
  if (all->pretend) {
    buf value = BUF_EMPTY;
    buf_format(&value, "pretend-%s", name);
    found = keep(all, name, buf_text(&value));
    buf_free(&value);
    return found;
  }
  const char *value = getenv(name);
  return value ? keep(all, name, value) : NULL;
}

const secret *secrets_find(secrets *all, const char *name) {
  pthread_mutex_lock(&all->lock);
  const secret *found = look_up(all, name);
  pthread_mutex_unlock(&all->lock);
  return found && found->value ? found : NULL;
}

const secret *secrets_need(secrets *all, const char *name) {
  pthread_mutex_lock(&all->lock);
  const secret *found = look_up(all, name);
  if (!found) found = keep(all, name, NULL);
  pthread_mutex_unlock(&all->lock);
  return found;
}

bool secrets_hide(secrets *all, const char *name) {
  pthread_mutex_lock(&all->lock);
  bool hidden = known(all, name) != NULL;
  pthread_mutex_unlock(&all->lock);
  return hidden;
}

static int read_line(secrets *all, char *line, const char *path, int number, error *err) {
  line[strcspn(line, "\r\n")] = '\0';
  char *at = line + strspn(line, " \t");
  if (!*at || *at == '#') return 0;
  char *equals = strchr(at, '=');
  if (!equals || equals == at)
    return error_set(err, "%s:%d: a line reads NAME=VALUE; this one has no name or no =", path, number);
  char *end = equals;
  while (end > at && (end[-1] == ' ' || end[-1] == '\t')) end--;
  *end = '\0';
  const char *value = equals + 1 + strspn(equals + 1, " \t");
  if (!known(all, at)) keep(all, at, value);
  return 0;
}

int secrets_read_file(secrets *all, const char *path, error *err) {
  FILE *file = fopen(path, "re");
  if (!file) return error_set(err, "%s: the secrets can't be read: %s", path, strerror(errno));
  struct stat status;
  int failed = 0;
  if (fstat(fileno(file), &status) == 0 && (status.st_mode & 077))
    failed = error_set(err, "%s: others can read these secrets: type chmod 600 %s", path, path);
  char *line = NULL;
  size_t room = 0;
  for (int number = 1; !failed && getline(&line, &room, file) >= 0; number++)
    failed = read_line(all, line, path, number, err);
  if (line) explicit_bzero(line, room);
  free(line);
  fclose(file);
  return failed;
}
