/* Why a call did not succeed: a closed list, so that reports can group. The detail stands beside it. */
#ifndef JAUNT_CALLS_REASON_H
#define JAUNT_CALLS_REASON_H

typedef enum call_reason {
  REASON_NONE,
  REASON_CONNECT,   /* no connection: refused, unreachable, too slow */
  REASON_DNS,       /* the name does not resolve */
  REASON_TLS,       /* handshake or certificate */
  REASON_TIMEOUT,   /* an attempt took longer than `timeout` */
  REASON_RESET,     /* the connection broke before the answer was whole */
  REASON_STATUS,    /* an answer whose status is no success; the detail is the number */
  REASON_PREDICATE, /* the `success` predicate said no */
  REASON_TOO_LARGE, /* headers or body over their cap */
  REASON_PROTOCOL,  /* not HTTP, or a broken encoding of it */
  REASON_REDIRECT,  /* too many, or to where it must not go */
  REASON_FILE,      /* save_to could not be written */
  REASON_EGRESS,    /* a mistake of ours, or a redirect: to where no call may go; the run is held */
  REASON_WITHIN,    /* `within` was over: in the queue, between attempts or on the wire */
  REASON_ONLY_IF,   /* skipped: `only_if` said no */
  REASON_ABORTED,   /* skipped: the payload's template said so, by abort_message */
  REASON_CUT,       /* the runtime was stopped while it was under way */
  REASON_CONFIG,    /* a mistake of ours: connection, secret, URL or save_to; held */
  REASON_PAYLOAD, /* a mistake of ours: the payload failed to render; the run is held. Or it dropped its person */
  REASON_SCRIPT, /* a mistake of ours: a predicate raised an error; the run is held */
  CALL_REASONS,
} call_reason;

const char *call_reason_name(call_reason reason); /* "connect", "dns", ...; "" for REASON_NONE */

#endif
