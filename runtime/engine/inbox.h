/* A worker's inbox: what other threads have for it. Messages arrive in the order they were posted.
 *
 * A message is one allocation, freed by the worker after it was dealt with. */
#ifndef JAUNT_ENGINE_INBOX_H
#define JAUNT_ENGINE_INBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/list.h"
#include "calls/limit.h"

typedef enum message_kind {
  MESSAGE_ADMIT,     /* texts: id, profile, event */
  MESSAGE_EVENT,     /* texts: person, name, the event as JSON */
  MESSAGE_GRANT,     /* waiter */
  MESSAGE_TICK,      /* the virtual clock was moved */
  MESSAGE_ACT,       /* an operator's: texts: the person; number: the run; act */
  MESSAGE_INTERRUPT, /* whatever runs here ends: see engine_interrupt */
  MESSAGE_PAYLOADS,  /* texts: the payloads as JSON, in place of those the bundle came with */
  MESSAGE_DRAIN,     /* stop: nothing new is sent, what is on the wire gets `number` ms; 0: it is cut */
} message_kind;

typedef struct message {
  list link;
  message_kind kind;
  limit_waiter *waiter;
  int64_t number;
  int act;              /* an engine_act */
  uint32_t version;     /* to move to */
  const char *texts[3]; /* inside the same allocation, each ended by a NUL */
  size_t lengths[3];
} message;

message *message_new(message_kind kind);
message *message_with_texts(message_kind kind, const char *const texts[3], const size_t lengths[3]);
int64_t message_bytes(const message *m); /* of its texts */

typedef struct inbox {
  pthread_mutex_t lock;
  list messages;
  uv_async_t *wake; /* of the loop that takes them; NULL once it is closed */
} inbox;

void inbox_init(inbox *in, uv_async_t *wake);
void inbox_free(inbox *in); /* with what was not taken */
/* Takes m; from any thread. False: the inbox is closed, nobody will read it. */
bool inbox_post(inbox *in, message *m);
void inbox_close(inbox *in);           /* before `wake` is */
void inbox_take(inbox *in, list *out); /* moves all messages to `out` */

#endif
