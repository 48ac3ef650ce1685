/* A worker's inbox: see inbox.h. */
#include "engine/inbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

message *message_new(message_kind kind) {
  message *m = mem_zero(sizeof *m);
  m->kind = kind;
  list_init(&m->link);
  return m;
}

message *message_with_texts(message_kind kind, const char *const texts[3], const size_t lengths[3]) {
  message *m = mem_alloc(sizeof *m + lengths[0] + lengths[1] + lengths[2] + 3);
  *m = (message){.kind = kind};
  list_init(&m->link);
  char *at = (char *)(m + 1);
  for (int i = 0; i < 3; i++) {
    m->texts[i] = at;
    m->lengths[i] = lengths[i];
    if (lengths[i]) memcpy(at, texts[i], lengths[i]);
    at[lengths[i]] = '\0';
    at += lengths[i] + 1;
  }
  return m;
}

int64_t message_bytes(const message *m) {
  return (int64_t)(m->lengths[0] + m->lengths[1] + m->lengths[2]);
}

void inbox_init(inbox *in, uv_async_t *wake) {
  pthread_mutex_init(&in->lock, NULL);
  list_init(&in->messages);
  in->wake = wake;
}

void inbox_close(inbox *in) {
  pthread_mutex_lock(&in->lock);
  in->wake = NULL;
  pthread_mutex_unlock(&in->lock);
}

void inbox_free(inbox *in) {
  for (list *l; (l = list_pop(&in->messages));) free(LIST_OF(message, link, l));
  pthread_mutex_destroy(&in->lock);
}

bool inbox_post(inbox *in, message *m) {
  pthread_mutex_lock(&in->lock);
  bool open = in->wake != NULL;
  if (open) {
    list_push(&in->messages, &m->link);
    uv_async_send(in->wake);
  }
  pthread_mutex_unlock(&in->lock);
  if (!open) free(m);
  return open;
}

void inbox_take(inbox *in, list *out) {
  list_init(out);
  pthread_mutex_lock(&in->lock);
  list_move_all(out, &in->messages);
  pthread_mutex_unlock(&in->lock);
}
