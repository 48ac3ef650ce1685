/* One request on the wire, as libmicrohttpd hands it over: it is collected, decided about, held back for its
 * latency, and answered or cut off. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "serve/libmicrohttpd.h"
#include "serve/vendor_parts.h"

enum {
  BODY_MOST = 128 << 20,      /* bytes; a larger one is answered 413 */
  RECEIVING_MOST = 512 << 20, /* of all bodies that are being received together; above: 503 */
  CONNECTIONS_MOST = 16384,
  IDLE_MOST_S = 300,         /* an idle connection is closed after that */
  REQUEST_HEAD_MOST = 65536, /* bytes that libmicrohttpd keeps for a request's line and headers */
};

/* A request with what belongs to its connection. */
typedef struct exchange {
  list link;  /* in v->waiting while it is held back */
  timer wake; /* when that ends */
  vendor *v;
  vendor_request *request;
  struct MHD_Connection *connection; /* NULL until the handler is first called */
  const char *too_much;              /* why its body is not taken */
  int too_much_status;
  size_t received;
  bool decided;
  vendor_decision decision;
} exchange;

/* ---- its beginning and end ---- */

static void *begin(void *cls, const char *target, struct MHD_Connection *connection) {
  exchange *x = mem_zero(sizeof *x);
  (void)connection;
  x->v = cls;
  x->request = vendor_request_new(target);
  list_init(&x->link);
  return x;
}

/* The body is needed no longer than it takes to decide. */
static void drop_body(exchange *x) {
  x->v->receiving -= x->received;
  x->received = 0;
  buf_free(&x->request->body);
}

static void end(void *cls, struct MHD_Connection *connection, void **state,
                enum MHD_RequestTerminationCode code) {
  exchange *x = *state;
  (void)cls;
  (void)connection;
  (void)code;
  if (x == NULL) return;
  *state = NULL;
  list_remove(&x->link);
  timer_clear(&x->v->waits, &x->wake);
  drop_body(x);
  vendor_answer_free(&x->decision.answer);
  vendor_request_free(x->request);
  free(x);
}

/* ---- collecting ---- */

static enum MHD_Result add_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_length,
                                  const char *value, size_t value_length) {
  (void)kind;
  (void)name_length;
  vendor_request_header(cls, name, value != NULL ? value : "", value != NULL ? value_length : 0);
  return MHD_YES;
}

static void take_head(exchange *x, struct MHD_Connection *connection, const char *method) {
  x->connection = connection;
  x->request->method = mem_text(method);
  MHD_get_connection_values_n(connection, MHD_HEADER_KIND, add_header, x->request);
}

static void take_body(exchange *x, const char *bytes, size_t length) {
  vendor *v = x->v;
  if (x->too_much != NULL) return;
  if (x->received + length > BODY_MOST) {
    x->too_much = "the body is larger than 128 MiB";
    x->too_much_status = 413;
  } else if (v->receiving + length > RECEIVING_MOST) {
    x->too_much = "too many large bodies come at once";
    x->too_much_status = 503;
  }
  if (x->too_much != NULL) {
    drop_body(x);
    return;
  }
  buf_add(&x->request->body, bytes, length);
  x->received += length;
  v->receiving += length;
}

/* ---- answering ---- */

/* Cuts the connection off, so that the client sees a reset. libmicrohttpd shuts a socket down before it
 * closes it, which would send an orderly end before any reset that lingering could ask for; disconnecting the
 * socket first (connect(2), AF_UNSPEC) sends the reset now. */
static enum MHD_Result cut_off(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  const struct linger at_once = {1, 0};
  const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
  if (info != NULL) {
    setsockopt(info->connect_fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    (void)!connect(info->connect_fd, &nobody, sizeof nobody);
  }
  return MHD_NO;
}

static struct MHD_Response *response_of(vendor_answer *answer) {
  size_t length = 0;
  char *bytes = buf_take(&answer->body, &length);
  struct MHD_Response *response = MHD_create_response_from_buffer(length, bytes, MHD_RESPMEM_MUST_FREE);
  if (response == NULL) {
    free(bytes);
    return NULL;
  }
  for (size_t i = 0; i < answer->headers.count; i++)
    MHD_add_response_header(response, answer->headers.items[i].name.bytes,
                            answer->headers.items[i].value.bytes);
  return response;
}

static enum MHD_Result answer(exchange *x) {
  vendor_decision *d = &x->decision;
  if (d->reset) return cut_off(x->connection);
  if (d->plain) return MHD_queue_response(x->connection, 200, x->v->plain);
  struct MHD_Response *response = response_of(&d->answer);
  if (response == NULL) return MHD_NO;
  enum MHD_Result queued = MHD_queue_response(x->connection, (unsigned)d->answer.status, response);
  MHD_destroy_response(response);
  return queued;
}

static void latency_over(timer *t) {
  exchange *x = LIST_OF(exchange, wake, t);
  list_remove(&x->link);
  MHD_resume_connection(x->connection); /* it is handed over once more, and answered */
}

/* The clock is cut to milliseconds: one more, so that no answer is early. */
static void hold_back(exchange *x) {
  vendor *v = x->v;
  MHD_suspend_connection(x->connection);
  list_push(&v->waiting, &x->link);
  timer_set(&v->waits, &x->wake, clock_mono_ns() / 1000000 + 1 + x->decision.latency_ms, latency_over);
}

static void decide(exchange *x) {
  x->decided = true;
  if (x->too_much != NULL)
    vendor_answer_error(&x->decision.answer, x->too_much_status, x->too_much);
  else
    vendor_decide(x->v, x->request, &x->decision);
  drop_body(x);
}

/* Called by libmicrohttpd: with the head, with each piece of the body, when all is there, and after a wait.
 */
static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *bytes, size_t *length,
                              void **state) {
  exchange *x = *state;
  (void)cls;
  (void)url;
  (void)version;
  if (x->connection == NULL) {
    take_head(x, connection, method);
    return MHD_YES;
  }
  if (*length > 0) {
    take_body(x, bytes, *length);
    *length = 0;
    return MHD_YES;
  }
  if (!x->decided) {
    decide(x);
    if (x->decision.latency_ms > 0) {
      hold_back(x);
      return MHD_YES;
    }
  }
  return answer(x);
}

/* ---- the daemon ---- */

static void say_nothing(void *cls, const char *format, va_list args) {
  (void)cls;
  (void)format;
  (void)args;
}

int vendor_http_start(vendor *v, error *err) {
  static char ok[] = "{\"ok\":true}\n";
  if (libmicrohttpd_load(err) != 0) return -1;
  v->plain = MHD_create_response_from_buffer(sizeof ok - 1, ok, MHD_RESPMEM_PERSISTENT);
  if (v->plain == NULL) return error_set(err, "libmicrohttpd does not start: no memory");
  MHD_add_response_header(v->plain, "Content-Type", "application/json");
  v->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, v,
                               MHD_OPTION_EXTERNAL_LOGGER, say_nothing, NULL, MHD_OPTION_LISTEN_SOCKET, v->fd,
                               MHD_OPTION_URI_LOG_CALLBACK, begin, v, MHD_OPTION_NOTIFY_COMPLETED, end, NULL,
                               MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MOST,
                               MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_MOST_S,
                               MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_HEAD_MOST, MHD_OPTION_END);
  if (v->daemon == NULL) return error_set(err, "libmicrohttpd does not start: %s", strerror(errno));
  v->fd = -1;
  return 0;
}

void vendor_http_stop(vendor *v) {
  while (!list_empty(&v->waiting)) {
    exchange *x = LIST_OF(exchange, link, v->waiting.next);
    timer_clear(&v->waits, &x->wake);
    latency_over(&x->wake);
  }
  if (v->daemon != NULL) MHD_stop_daemon(v->daemon);
  if (v->plain != NULL) MHD_destroy_response(v->plain);
  v->daemon = NULL;
  v->plain = NULL;
}
