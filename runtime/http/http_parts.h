/* What the files of http.h share, and how they divide the work:
 *
 *   http.c         the whole: options, clock, turns, close
 *   exchange.c     one request from http_send to its callback
 *   request.c      checking and copying what is sent
 *   redirect.c     going on where an answer points
 *   easy.c         libcurl's options for one transfer
 *   answer.c       what comes in: headers, body, their caps
 *   outcome.c      what an ending means, in words
 *   multi.c        multi handles: which one, timer, results
 *   sock.c         sockets on the loop
 *   egress.c       which addresses may be connected to
 *   destination.c  what is known of each place that requests go to
 *   resolver.c, save.c, table.c    tools, each with a header of its own
 *
 * The rules that hold it together: libcurl's callbacks only note and never call libcurl, nor the user; the
 * user is called from the loop alone (a result, a timer, a look-up, or the next turn), never from within
 * http_send. */
#ifndef JAUNT_HTTP_HTTP_PARTS_H
#define JAUNT_HTTP_HTTP_PARTS_H

#include <curl/curl.h>

#include "base/list.h"
#include "base/timers.h"
#include "http/http.h"
#include "http/resolver.h"
#include "http/save.h"
#include "http/table.h"

enum {
  MULTIS_DEFAULT = 16,
  MULTIS_MOST = 256, /* more are made, up to that for each reach, while all have their fill of transfers */
  REACHES = HTTP_REACH_LOOPBACK + 1,
  CONNECTIONS_DEFAULT = 160,
  POOL_MOST = 512, /* exchanges that are kept for the next request */
  CONNECT_MS_DEFAULT = 10000,
  TOTAL_MS_DEFAULT = 30000,
  MS_MOST = 24 * 3600 * 1000, /* no request lasts longer than a day */
};

#define HEADER_BYTES_DEFAULT ((size_t)256 << 10)
#define BODY_BYTES_DEFAULT   ((size_t)16 << 20)
#define SAVED_BYTES_DEFAULT  ((size_t)1 << 30)
#define REQUEST_BYTES_MOST   ((size_t)256 << 10) /* URL and headers together */

/* ---- multi handles ---- */

typedef struct multi {
  http *wire;
  CURLM *handle;
  int index;        /* among wire->multis */
  http_reach reach; /* of all that goes through it: libcurl keeps its connections by host, for whoever asks */
  int busy;         /* exchanges that are in it */
  timer alarm;      /* libcurl's next timeout */
  list due;         /* in wire->due while it has to act in the next turn */
} multi;

/* ---- destinations: scheme, host, port, CA file and reach, within which connections may be shared ---- */

typedef enum protocol {
  PROTOCOL_UNKNOWN,
  PROTOCOL_1,
  PROTOCOL_2,
} protocol;

/* What a destination has in one multi handle. */
typedef struct spot {
  int open;       /* connections, those that the other side has closed left out */
  int busy;       /* exchanges */
  uint64_t fed;   /* known_host.number of the addresses that it was told */
  int64_t fed_ms; /* and when */
} spot;

typedef struct destination {
  table_entry entry;
  char *key;
  http *wire;
  char *name; /* "127.0.0.1:81", for messages */
  char *host; /* in lower case, as in the URL; [::1] in brackets */
  int port;
  bool tls;
  bool literal; /* the host is an address */
  http_reach reach;
  protocol speaks;
  int home;    /* the multi handle while `speaks` is not PROTOCOL_1; -1 before the first */
  int last;    /* the one that was used last; -1 */
  int users;   /* exchanges and sockets; without any it goes */
  spot *spots; /* by multi.index */
  int spots_count;
} destination;

/* The parts of an absolute URL. */
typedef struct url_target {
  bool tls;
  int port;
  char host[256];
  char name[264]; /* host:port */
} url_target;

/* Takes an http or https URL apart. Returns 0, or -1 and fills `err`. */
int url_target_read(const char *url, url_target *target, error *err);
bool url_target_same(const url_target *a, const url_target *b);
bool url_target_is_loopback(const url_target *target); /* by its name: nothing is looked up */

destination *destination_get(http *h, const url_target *target, const char *ca_file,
                             http_reach reach); /* counts the caller as user */
void destination_leave(destination *at);
spot *destination_spot(destination *at, int index);
multi *destination_pick(destination *at); /* NULL where libcurl can make none */

/* ---- sockets ---- */

typedef struct sock {
  uv_poll_t poll;
  http *wire;
  multi *in;
  destination *at; /* NULL for what libcurl opened for itself */
  curl_socket_t fd;
  int armed;      /* what the loop watches for: UV_READABLE, UV_WRITABLE */
  bool wanted;    /* a transfer waits for it */
  bool connected; /* libcurl has begun to read from it */
  bool ended;     /* the other side closed it, or spoke unasked, while it was idle */
} sock;

/* ---- exchanges ---- */

typedef enum exchange_state {
  EXCHANGE_FREE,
  EXCHANGE_LOOKUP, /* waits for its host's addresses */
  EXCHANGE_WIRE,   /* libcurl has it */
  EXCHANGE_ENDED,  /* its callback is due, or being called */
} exchange_state;

typedef struct request_header {
  struct curl_slist node; /* its text is in exchange.block */
  bool is_private, is_of_body, is_host;
} request_header;

struct http_exchange {
  http *wire;
  CURL *easy; /* its own, from pool to pool */
  list link;  /* in wire->open, wire->ended or wire->pool */
  exchange_state state;
  http_done done;
  void *data;

  /* the request; its strings are in `block` */
  char *block;
  const char *method, *url;
  request_header *headers; /* in `block`, too */
  size_t headers_count;
  struct curl_slist *sent_headers;
  const char *body;
  size_t body_length;
  int64_t connect_ms, total_ms;
  size_t max_header_bytes, max_body_bytes;
  bool resend_forbidden;
  int follow;
  http_reach reach;
  const char *ca_file;

  /* where it is */
  url_target origin, target; /* first and present */
  int hops;                  /* redirects followed */
  char *hop_url;             /* the present URL, after a redirect */
  destination *at;
  multi *in; /* NULL unless on the wire */
  host_waiter lookup;
  timer deadline;
  int64_t started_ns, hop_ns;
  buf feed;                    /* for CURLOPT_RESOLVE */
  struct curl_slist feed_node; /* its data is NULL unless this hop tells addresses */
  bool own_ca;                 /* easy's CA file isn't the system's */
  CURLU *place;                /* the URL of easy's last transfer, taken apart, and its text */
  char *place_text;
  int socket_error; /* why no socket could be had; 0 */
  bool reached;     /* this hop has opened a socket */
  bool refused;     /* and an address of its host is beyond the reach: see answer.detail */

  /* what came */
  http_answer answer;
  buf headers_in;
  size_t header_bytes;
  bool in_headers;    /* between a status line and the blank line after it */
  bool headers_whole; /* the final answer's blank line was there */
  int hop_sends;
  bool resend_stopped; /* libcurl wanted to send again and was not let */
  bool spoiled;        /* a callback has set outcome and detail, and stopped the transfer */
  size_t body_bytes;
  save file;
  char error[CURL_ERROR_SIZE];
};

/* ---- the whole ---- */

struct http {
  uv_loop_t *loop;
  char *user_agent, *encodings; /* the header lines */
  char *system_ca_file, *system_ca_path;
  int max_connections;
  int multis_wanted; /* for each reach, once it is used */
  multi **multis;
  int multis_count, multis_of[REACHES];
  CURLSH *share;
  table destinations;
  resolver names;
  sock **socks; /* by fd */
  size_t socks_room;
  timers timers;    /* on the mono clock, in ms */
  uv_timer_t clock; /* for the earliest of them */
  int64_t clock_at; /* when it rings; INT64_MAX: it is not set */
  uv_idle_t turn;   /* runs once, in the loop's next turn */
  list due;         /* multi handles that have to act then */
  list ended;       /* exchanges whose callback comes then */
  list open;        /* exchanges */
  list pool;
  size_t open_count, pool_count;
  size_t handles; /* of the loop: the two above, and sockets' polls */
  bool closing, torn;
  void (*closed)(void *data);
  void *closed_data;
};

/* http.c */
int64_t http_now_ms(void); /* mono */
void http_timer_set(http *h, timer *t, int64_t at_ms, timer_due due);
void http_turn_soon(http *h);
void http_handle_closed(http *h); /* one of `handles` is gone */

/* multi.c */
multi *multi_new(http *h, http_reach reach, error *err); /* appended to h->multis */
void multi_free(multi *m);
int multi_add(multi *m, http_exchange *ex);
void multi_leave(http_exchange *ex);
void multi_run_due(http *h);
void multi_act(multi *m, curl_socket_t fd, int events); /* also hands out the results */

/* sock.c: callbacks for libcurl */
curl_socket_t sock_open(void *exchange, curlsocktype purpose, struct curl_sockaddr *address);
int sock_close(void *wire, curl_socket_t fd);
int sock_watch(CURL *easy, curl_socket_t fd, int what, void *in, void *socket_data);
void sock_drop_all(http *h);

/* easy.c */
CURL *easy_new(http_exchange *ex, error *err);
int easy_start_hop(http_exchange *ex, const known_host *of); /* 0, or -1 where libcurl has no memory for it */

/* request.c */
int request_copy(http_exchange *ex, const http_request *request, error *err);
void request_chain_headers(http_exchange *ex, bool same_origin, bool with_body);
void request_forget(http_exchange *ex);

/* answer.c: callbacks for libcurl */
size_t answer_header(char *bytes, size_t size, size_t count, void *exchange);
size_t answer_body(char *bytes, size_t size, size_t count, void *exchange);
void answer_say(http_exchange *ex, http_outcome outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void answer_restart(http_exchange *ex); /* forgets what came, before the next hop */

/* outcome.c */
void outcome_of_transfer(http_exchange *ex, CURLcode code);
void outcome_of_timeout(http_exchange *ex);

/* redirect.c */
bool redirect_prepare(http_exchange *ex); /* true: the next hop has to be started */

/* exchange.c */
void exchange_transferred(http_exchange *ex, CURLcode code); /* from multi.c */
void exchange_deliver(http_exchange *ex);                    /* from the turn */
void exchange_free(http_exchange *ex);

#endif
