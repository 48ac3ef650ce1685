/* What the files of the pretend vendor share: vendor.c is its life and loop, vendor_http.c what happens to
 * one request on the wire, vendor_decide.c which answer it gets. All of it on the vendor's own thread. */
#ifndef JAUNT_SERVE_VENDOR_PARTS_H
#define JAUNT_SERVE_VENDOR_PARTS_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/list.h"
#include "base/timers.h"
#include "serve/vendor.h"
#include "serve/vendor_behaviour.h"
#include "serve/vendor_faults.h"
#include "serve/vendor_record.h"
#include "serve/vendor_request.h"

struct vendor {
  uint64_t seed;
  vendor_faults faults;
  vendor_behaviour *behaviour; /* NULL without a file */
  vendor_record *record;
  int fd, port; /* where it listens; the fd is -1 once the daemon has it */
  struct MHD_Daemon *daemon;
  struct MHD_Response *plain; /* 200 {"ok":true} */
  pthread_t thread;

  uv_loop_t loop;
  uv_poll_t ready;  /* the daemon's epoll descriptor */
  uv_timer_t again; /* when the daemon wants to run without being ready */
  uv_timer_t wake;  /* for the earliest of `waits` */
  uv_async_t ending;
  timers waits; /* answers that are held back, on the mono clock in ms */
  list waiting; /* their exchanges */

  size_t receiving; /* bytes of bodies in memory */
};

/* What the request gets: filled by vendor_decide. */
typedef struct vendor_decision {
  int64_t latency_ms;
  bool reset;
  bool plain; /* 200 {"ok":true}: `answer` is empty */
  int status;
  vendor_answer answer;
} vendor_decision;

/* Decides about a whole request: draws its fault, asks the behaviour, and records all of it. */
void vendor_decide(vendor *v, vendor_request *r, vendor_decision *decision);

/* Starts the daemon on v->fd. Returns 0, or -1 and fills `err`. */
int vendor_http_start(vendor *v, error *err);

/* Ends the daemon and all its connections at once, those whose answers are held back included. */
void vendor_http_stop(vendor *v);

#endif
