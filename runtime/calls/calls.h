/* A call's life, from its place in the queue to its result.
 *
 *   queued -> turn (only_if, render once, intent once) -> gated (until the intent is durable) -> on the wire
 *          -> judged -> done, or backing off and queued again
 *
 * It retries, honours Retry-After, keeps `within`, and never sends twice what must not be. It knows nothing of
 * runs, journeys and Lua: what they decide it asks through hooks. One `calls` belongs to one worker and thread. */
#ifndef JAUNT_CALLS_CALLS_H
#define JAUNT_CALLS_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/timers.h"
#include "calls/connection.h"
#include "calls/reason.h"
#include "http/http.h"

typedef struct calls calls;
typedef struct call call;

typedef enum call_result {
  CALL_OK,
  CALL_FAILED,
  CALL_UNKNOWN, /* it may have been done; nobody knows, and it must not be sent again */
  CALL_SKIPPED, /* only_if said no, or the payload ended it */
  CALL_DROPPED, /* the payload wants its person dropped, whatever is done about failures; the detail says why */
  CALL_MISTAKE,   /* config, payload, script or egress: not the vendor's doing; the run is to be held */
  CALL_UNDECIDED, /* cut by call_cut: no result, it stays open */
} call_result;

const char *call_result_name(call_result result); /* "ok", "failed", "unknown", "skipped", ... */

typedef enum call_state {
  CALL_NEW,
  CALL_QUEUED, /* for a place at its connection */
  CALL_TURN,   /* has a place: being rendered */
  CALL_GATED,  /* waits for calls_release */
  CALL_WIRE,
  CALL_BACKOFF, /* between two attempts; has no place */
  CALL_DONE,
} call_state;

typedef enum call_verdict { CALL_NO, CALL_YES, CALL_ERROR } call_verdict;

/* What a call asks of the engine; all on the worker's thread, none from within call_start. NULL where noted. */
typedef struct call_hooks {
  /* Asked before each send when call->asks_only_if. CALL_ERROR: err says what the predicate raised. */
  call_verdict (*only_if)(call *c, error *err);
  /* Asked once, at the first turn, when call->renders: CALL_OK, having filled call->body and, unless the call names one,
   * call->content_type; CALL_SKIPPED or CALL_DROPPED, where the payload ends the call, err says why; CALL_MISTAKE: err says
   * what failed. */
  call_result (*render)(call *c, error *err);
  /* Once, after rendering: record the intent; then call_release(c), now or later. */
  void (*intend)(call *c);
  /* Asked for each whole answer when call->asks_success, in place of the status set. */
  call_verdict (*judge)(call *c, error *err);
  /* After each attempt: real milliseconds, how it ended. May be NULL. */
  void (*attempted)(call *c, double ms, call_reason reason);
  /* The state changed between queued/backoff and the others: for the ledger. May be NULL. */
  void (*moved)(call *c, call_state from, call_state to);
  /* Once, when result is set; the engine then owns the call again and frees it with call_free. */
  void (*done)(call *c);
} call_hooks;

struct call {
  /* Filled by the engine before call_start; the call owns what it points at unless noted. */
  calls *in;
  void *owner;           /* the engine's run; not owned */
  char *label;           /* what messages call it: the element's name */
  const connection *via; /* not owned */
  const char *method;    /* a literal or owned by the engine; not owned */
  char *url;             /* absolute and encoded, without the secrets that auth adds */
  pair *headers;         /* of this call: override the connection's of the same name */
  size_t header_count;
  const char *content_type; /* static text; NULL: none, or a header gives it */
  buf body;                 /* what is sent; filled by the engine or by render */
  int64_t connect_ms;       /* of an attempt: to connect; 0: what the connection says */
  int64_t timeout_ms;       /* one attempt */
  int64_t within_ms;        /* everything, of the logical clock's time */
  retry_policy retry;
  status_set success;
  const char *key_header; /* carries the key; NULL: never send twice. Not owned */
  char *own_key_header;   /* what key_header points at where this call alone names it */
  char key[33];           /* the idempotency key */
  bool renders, asks_only_if, asks_success, has_body;
  int follow; /* redirects followed */
  char *save_to;
  const char *save_below; /* not owned; see http.h */
  size_t keep_body;       /* the answer's body is cut to this; 0: 64 KiB */
  int64_t began_ms;       /* logical: since when `within` counts, where it is no new call; 0: now */
  bool
      taken_up; /* its intent was recorded before the process ended: it may have been sent, and URL and body are what they
                       were then. Set `intended` and `unclear`, too. Without a key header it ends as CALL_UNKNOWN */
  bool
      rendered; /* set it, with the body, where that was rendered before and the call has not left: it is not done again */

  /* How it went; valid in judge and done. */
  call_result result;
  call_reason reason; /* REASON_NONE when ok */
  char detail[256];   /* for a person: "503 Service Unavailable", "connection refused by ..." */
  int status;         /* of the last answer that came, also when a later attempt got none; 0 without any */
  buf answer_headers; /* "Name: value\n" lines, of the same answer */
  buf answer;         /* its body */
  bool truncated;     /* body was cut to keep_body */
  bool unclear;       /* it has left, or may have, and nobody knows whether it was done */
  int attempts;       /* sends that happened */
  int sends;          /* of them in the last attempt: more than one where libcurl sent again by itself */
  double ms;          /* real time of the last attempt */

  /* Inside calls/. */
  call_state state;
  list link; /* in the list of calls that have something to do; else on its own */
  limit_waiter waiter;
  bool started, finished;       /* call_start was called; the result is set, and done comes or came */
  bool waits_for_place, placed; /* is in its connection's line, as far as this thread knows; has a place */
  bool granted_while_gone;      /* finished, but a grant is on its way: done waits for it */
  bool intended;                /* rendered, and the intent was recorded */
  bool overdue, cutting;        /* `within` was over, or call_cut came, while it was on the wire */
  bool busy;                    /* holds one token of options.busy */
  timer backoff, deadline;
  timer waiting; /* its place among those who wait out an outage */
  http_exchange *exchange;
  buf wire_url;
  char **wire_headers; /* lines, NULL behind the last; with their texts one block of... */
  size_t wire_headers_size;
};

typedef struct calls_options {
  http *wire;
  timers *pauses; /* a heap of the worker's, on what has elapsed of the logical clock */
  const logical_clock *clock;
  const call_hooks *hooks;
  /* Carries `waiter` to this worker's thread, where calls_granted(in, waiter) has to be called. From any thread. */
  void (*post_grant)(void *worker, limit_waiter *waiter);
  /* Work that keeps a virtual clock from jumping began (+1) or ended (-1). */
  void (*busy)(void *worker, int change);
  void *worker;
  const char *reroute; /* a rehearsal: NULL, or "http://127.0.0.1:PORT": where calls whose connection has no
                                   base_url go, with the URL's host as the first path segment */
} calls_options;

calls *calls_new(const calls_options *options);
void calls_free(calls *all); /* nothing may be open */

call *call_new(calls *in); /* zeroed, with the lists in order */
void call_free(call *c);   /* after done, or before call_start */

/* Starts the clock of `within`; calls_run then puts it in line. No hook is called from within this and the next
 * three: they come from calls_run, and `judge`, `attempted` and `moved` also from the wire's callbacks. */
void call_start(call *c);
void call_release(
    call *c); /* the intent is durable: it may leave; nothing happens when the call has ended since */
void calls_granted(calls *all, limit_waiter *waiter);

/* Ends a call without a result (CALL_UNDECIDED, REASON_CUT); done comes as ever, also when it was never started.
 * On the wire the exchange is cancelled first; an answer that is whole by then still counts. */
void call_cut(call *c);

/* Does what call_start, timers, grants and the wire left to do; the worker calls it before its loop sleeps, until it
 * returns false. */
bool calls_run(calls *all);
bool calls_due(const calls *all); /* it has something to do */

size_t calls_open(const calls *all);
double calls_random_backoff(const retry_policy *retry, int attempt,
                            const char *key); /* ms; the same for the same key */

/* Retry-After of an answer, in ms from now_ms (wall): delta-seconds or an HTTP date (RFC 9110, 10.2.3); -1 without. */
int64_t calls_retry_after(const char *headers, size_t length, int64_t now_ms);

#endif
