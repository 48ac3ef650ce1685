/* The control socket: how other processes on this machine talk to a runtime that has a state.
 *
 * A stream socket in the file system. A client sends requests, one a line; each is answered by lines, one request at a time.
 * What stands in the lines is Lua's: see lualib/jaunt/state/control.lua. Nobody but the owner of the file can reach it, and nothing
 * that a client does can hurt the runtime: lines, clients and answers that nobody fetches are bounded, and who says nothing for
 * long is sent away.
 *
 * All of it is for the thread that runs the loop. */
#ifndef JAUNT_SERVE_CONTROL_SOCKET_H
#define JAUNT_SERVE_CONTROL_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "base/error.h"

enum {
  CONTROL_CLIENTS = 16,       /* more are sent away at once */
  CONTROL_LINE = 256 << 10,   /* bytes of a request */
  CONTROL_UNSENT = 1 << 20,   /* bytes of answers that a client leaves unread before it is cut off */
  CONTROL_SILENCE_MS = 30000, /* for so long a client may say nothing */
};

typedef struct control_socket control_socket;

typedef struct control_socket_options {
  const char *path;
  uint64_t silence_ms; /* 0: CONTROL_SILENCE_MS */
  void (*came)(
      void *
          data); /* there is a request: not called from within the functions below; ask again after an answer */
  void *data;
} control_socket_options;

typedef struct control_request {
  uint64_t client; /* never given twice */
  uid_t uid;
  pid_t pid;
  const char *line; /* without its line break; until the request is answered */
  size_t length;
} control_request;

/* Listens at the path, readable and writable by its owner alone, for as long as the caller holds the state's lock: a socket that
 * stands there is one that a dead process has left, and is replaced. Returns NULL and fills `err`. */
control_socket *control_socket_listen(uv_loop_t *loop, const control_socket_options *options, error *err);

/* The next request; false: there is none. */
bool control_socket_next(control_socket *s, control_request *out);

/* A line of the answer to the client's request; `last` ends it, and the next one of this client may come. False: the client is gone. */
bool control_socket_answer(control_socket *s, uint64_t client, const char *line, size_t length, bool last);

/* Takes the file away and ends all talk, when what was answered is sent or can't be at once; `closed` is called on the loop when all
 * is freed. */
void control_socket_close(control_socket *s, void (*closed)(void *data), void *data);

/* The other side: connects. Returns a descriptor, CONTROL_NOBODY when nobody listens there, or -1 with the reason. */
enum { CONTROL_NOBODY = -2 };
int control_socket_connect(const char *path, error *err);

#endif
