/* What the files of http.h share, and how they divide the work:
 *
 *   wire.c         the whole: its beginning, its turns, its end
 *   exchange.c     one request from http_send to its callback
 *   request.c      checking and copying what is sent
 *   redirect.c     going on where an answer points
 *   libcurl.c      libcurl itself, loaded when it is needed
 *   reach.c        on the way to a connection: addresses, deadlines
 *   easy.c         libcurl's options for one hop
 *   answer.c       what comes in: headers, body, their caps
 *   outcome.c      what an ending means, in words
 *   multi.c        multi handles: which one, timer, results
 *   transfer.c     handles for libcurl's transfers: what is the same for all
 *   sock.c         libcurl's sockets on the loop
 *   egress.c       which addresses may be connected to
 *   destination.c  what is known of each place that requests go to
 *   h1.c           HTTP/1.1 spoken by us: an exchange on one of our connections
 *   h1_connection.c  such a connection, from libcurl's hands to its end
 *   h1_request.c   a request's bytes
 *   h1_answer.c, h1_decode.c    an answer's bytes, and their encodings
 *   http.c         what all share: libcurl set up, the clock, the next turn
 *   resolver.c, save.c, table.c    tools, each with a header of its own
 *
 * A request takes one of two ways. One to http:// is spoken by us: libcurl makes the connection (with all that
 * belongs to it: addresses, guard, timeouts), hands its socket over and is out of it. All others go through
 * libcurl whole: https://, and what the other way doesn't do (exchange.c decides). What both share is above
 * them: the exchange, the caps, the words, redirects.
 *
 * The rules that hold it together: libcurl's callbacks only note and never call libcurl, nor the user; the
 * user is called from the loop alone (a result, a timer, a look-up, or the next turn), never from within
 * http_send. */
#ifndef JAUNT_HTTP_HTTP_PARTS_H
#define JAUNT_HTTP_HTTP_PARTS_H

#include <curl/curl.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/timers.h"
#include "http/h1_answer.h"
#include "http/h1_decode.h"
#include "http/http.h"
#include "http/resolver.h"
#include "http/save.h"
#include "http/table.h"

enum {
  MULTIS_DEFAULT = 16,
  MULTIS_MOST = 256, /* more are made, up to that for each reach, while all have their fill of transfers */
  REACHES = HTTP_REACH_LOOPBACK + 1,
  CONNECTIONS_DEFAULT = 160,
  POOL_MOST = 512, /* exchanges that are kept for the next request; likewise transfers */
  RECENT = 8,      /* destinations that are known by the beginning of their URLs */
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
  /* What its sockets call when they are ready; it also hands out the results. */
  void (*act)(struct multi *m, curl_socket_t fd, int events);
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
  char *origin; /* "http://127.0.0.1:81", as in the first URL that led here */
  size_t origin_length;
  char *ca_file; /* NULL for the system's */
  char *name;    /* "127.0.0.1:81", for messages */
  char *host;    /* in lower case, as in the URL; [::1] in brackets */
  int port;
  bool tls;
  bool literal; /* the host is an address */
  bool is_here; /* and one of this machine, by its name */
  http_reach reach;
  protocol speaks;
  int home;    /* the multi handle while `speaks` is not PROTOCOL_1; -1 before the first */
  int last;    /* the one that was used last; -1 */
  int users;   /* exchanges and sockets; without any it goes */
  spot *spots; /* by multi.index */
  int spots_count;
  list idle;      /* h1_connections that wait for a request, the newest last */
  list waiting;   /* exchanges that wait for a connection, while as many as may are being made */
  int connecting; /* those */
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
bool url_target_is_loopback(const url_target *target); /* by its name: nothing is looked up */

/* Where a URL leads. Counts the caller as user. Returns NULL and fills `err` for one that can't be called. */
destination *destination_of(http *h, const char *url, const char *ca_file, http_reach reach, error *err);
const char *destination_path(const destination *at, const char *url); /* what follows the host */
void destination_leave(destination *at);
spot *destination_spot(destination *at, int index);

/* ---- libcurl's sockets ---- */

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

/* ---- libcurl's transfers ---- */

typedef void (*transfer_done)(http_exchange *ex, CURLcode code);

/* An easy handle and what has to live as long as its transfer. It goes from pool to pool; an exchange has one
 * while libcurl works for it. */
typedef struct transfer {
  list link; /* in wire->transfers while nobody has it */
  http *wire;
  http_exchange *of; /* NULL while nobody has it */
  transfer_done done;
  CURL *easy;
  struct curl_slist defaults[4]; /* header lines that are not the user's */
  buf feed;                      /* for CURLOPT_RESOLVE */
  struct curl_slist feed_node;   /* its data is NULL unless this hop tells addresses */
  bool own_ca;                   /* easy's CA file isn't the system's */
  CURLU *place;                  /* the URL of easy's last transfer, taken apart, and its text */
  char *place_text;
  char error[CURL_ERROR_SIZE];
} transfer;

/* ---- our own connections ---- */

/* Who hears of a connection while it has an exchange. */
typedef struct h1_hearer {
  /* Returns true where the exchange has ended, its connection perhaps, too. */
  bool (*came)(http_exchange *ex, const char *bytes, size_t length);
  void (*broke)(http_exchange *ex, bool in_order); /* the connection has ended, or was reset */
} h1_hearer;

/* A socket that libcurl has connected, armed for reading for as long as it lives. */
typedef struct h1_connection {
  uv_poll_t poll;
  http *wire;
  destination *at;
  http_exchange *of; /* NULL while it is idle */
  const h1_hearer *to;
  int fd;
  int armed;       /* what the loop watches for */
  list beside;     /* in at->idle while it is idle */
  list among_idle; /* and in wire->idle */
  int64_t idle_ms; /* since when: the loop's time */
  buf unsent;      /* what the socket has not taken of the request's head */
  size_t unsent_at;
  const char *body; /* and of its body */
  size_t body_left;
  bool used;  /* a whole answer has come on it */
  bool heard; /* bytes of this answer have come */
  bool deaf;  /* the other side takes no more: the rest of the request is not sent */
} h1_connection;

/* ---- exchanges ---- */

typedef enum exchange_state {
  EXCHANGE_FREE,
  EXCHANGE_LOOKUP, /* waits for its host's addresses */
  EXCHANGE_WIRE,   /* libcurl has it, or one of our connections, or it waits for one */
  EXCHANGE_ENDED,  /* its callback is due, or being called */
} exchange_state;

/* Begins a hop with the addresses of its host (NULL for an address). Returns 0, or -1 and the outcome is set. */
typedef int (*hop_start)(http_exchange *ex, const known_host *of);

/* What is known of a header by its name. */
enum {
  HEADER_PRIVATE = 1, /* stays with the origin */
  HEADER_OF_BODY = 2,
  HEADER_HOST = 4,
  HEADER_AGENT = 8,
  HEADER_ENCODINGS = 16, /* Accept-Encoding */
  HEADER_ACCEPT = 32,
  HEADER_TYPE = 64,   /* Content-Type */
  HEADER_OURS = 128,  /* it must not be given */
  HEADER_EMPTY = 256, /* it has no value */
};

typedef struct request_header {
  struct curl_slist node; /* its text is in exchange.block */
  size_t length, name_length;
  unsigned kind;
} request_header;

struct http_exchange {
  http *wire;
  list link; /* in wire->open, wire->ended or wire->pool */
  exchange_state state;
  http_done done;
  void *data;
  /* To be called once a hop's outcome is set; `soon`: nobody is to be told before the next turn. */
  void (*over)(http_exchange *ex, bool soon);

  /* the request; its strings are in `block` */
  char *block;
  const char *method, *url;
  request_header *headers; /* in `block`, too */
  size_t headers_count;
  unsigned given; /* kinds of all headers together */
  const char *body;
  size_t body_length;
  int64_t connect_ms, total_ms;
  size_t max_header_bytes, max_body_bytes;
  bool resend_forbidden;
  int follow;
  http_reach reach;
  const char *ca_file;

  /* where it is */
  destination *origin;     /* where it was made for; a user of it, as of the next two */
  destination *next;       /* of the hop that is about to begin; else NULL */
  destination *at;         /* where the present hop goes; NULL before and after */
  int hops;                /* redirects followed */
  char *hop_url;           /* the present URL, after a redirect */
  bool drops_body_headers; /* it goes on without its body */
  bool ours;               /* this hop is spoken by us */
  hop_start start;         /* by which way */
  host_waiter lookup;
  timer deadline;
  int64_t started_ns, hop_ns;
  int socket_error; /* why no socket could be had; 0 */
  bool reached;     /* this hop has opened a socket */
  bool refused;     /* and an address of its host is beyond the reach: see answer.detail */

  /* libcurl's: NULL unless it works for it */
  transfer *transfer;
  multi *in;
  bool connecting; /* the transfer is one that makes a connection for us */

  /* ours */
  h1_connection *on; /* NULL unless it has one */
  list queue;        /* in at->waiting */
  bool fresh;        /* the next connection has to be a new one */
  h1_answer parser;
  h1_decoder *decoder; /* NULL unless the body is encoded */

  /* what came */
  http_answer answer;
  buf headers_in;
  size_t header_bytes;
  bool in_headers;    /* between a status line and the blank line after it */
  bool headers_whole; /* the final answer's blank line was there */
  int hop_sends;
  bool resend_stopped; /* it would have to be sent again and must not */
  bool spoiled;        /* a callback has set outcome and detail, and stopped the transfer */
  size_t body_bytes;
  save file;
};

/* ---- the whole ---- */

struct http {
  uv_loop_t *loop;
  char *user_agent, *encodings; /* the header lines; the second by http_prepare, as what follows */
  char *system_ca_file, *system_ca_path;
  int max_connections;
  int multis_wanted; /* for each reach, once it is used */
  multi **multis;
  int multis_count, multis_of[REACHES];
  CURLSH *share;
  bool all_through_libcurl;
  table destinations;
  destination *recent[RECENT]; /* some of them */
  int recent_next;
  resolver names;
  sock **socks; /* by fd */
  size_t socks_room;
  curl_socket_t taking; /* a socket that libcurl is to let go of without closing it; CURL_SOCKET_BAD */
  list idle;            /* h1_connections, the one that has been so for longest first */
  size_t idle_count, connections, busy_peak; /* those that were busy at once, at the most */
  char *inbox;                               /* what is read from any of them goes here first */
  buf outbox;                                /* the head of what is sent is put together here */
  timers timers;                             /* on the mono clock, in ms */
  uv_timer_t clock;                          /* for the earliest of them */
  int64_t clock_at;                          /* when it rings; INT64_MAX: it is not set */
  uv_idle_t turn;                            /* runs once, in the loop's next turn, and calls: */
  void (*turned)(http *h);
  list due;   /* multi handles that have to act then */
  list ended; /* exchanges whose callback comes then */
  list open;  /* exchanges */
  list pool, transfers;
  size_t open_count, pool_count, transfers_count;
  size_t handles; /* of the loop: the two above, and sockets' polls */
  bool closing, torn;
  void (*closed)(void *data);
  void *closed_data;
};

/* http.c */
int64_t http_now_ms(void); /* mono */
/* What all of libcurl's transfers share; nothing to do but the first time. */
int http_prepare(http *h, error *err);
void http_unprepare(http *h);
void http_timer_set(http *h, timer *t, int64_t at_ms, timer_due due);
void http_turn_soon(http *h);
void http_handle_closed(http *h); /* one of `handles` is gone */
void http_free_unused(http *h);   /* when it is torn down, and nothing of it is in the loop any more */

/* multi.c */
multi *multi_new(http *h, http_reach reach, error *err); /* appended to h->multis */
void multi_free(multi *m);
multi *multi_pick(destination *at);         /* for a request; NULL where libcurl can make none */
multi *multi_pick_connect(destination *at); /* for making a connection; likewise */
int multi_add(multi *m, http_exchange *ex);
void multi_leave(http_exchange *ex);
/* Takes the socket that was connected for an exchange out of libcurl's hands, and the exchange with it.
 * Returns -1 where there is none. */
int multi_take_socket(http_exchange *ex);
void multi_run_due(http *h);

/* sock.c: callbacks for libcurl */
curl_socket_t sock_open(void *transfer, curlsocktype purpose, struct curl_sockaddr *address);
int sock_close(void *wire, curl_socket_t fd);
int sock_watch(CURL *easy, curl_socket_t fd, int what, void *in, void *socket_data);
void sock_drop_all(http *h);

/* transfer.c */
enum { ADDRESSES_LIVE_S = 60 }; /* so long a multi handle keeps those that it was told */
int transfer_take(http_exchange *ex, transfer_done done, error *err); /* from the pool: 0, or -1 */
void transfer_give(http_exchange *ex);                                /* back to it */
void transfer_free(transfer *t);

/* easy.c: both return 0, or -1 and fill `err`, which happens where there is no libcurl, or no memory for it */
int easy_start_hop(http_exchange *ex, const known_host *of, transfer_done done, error *err);
int easy_start_connect(http_exchange *ex, const known_host *of, transfer_done done, error *err);

/* request.c */
int request_copy(http_exchange *ex, const http_request *request, error *err);
bool request_goes(const http_exchange *ex, const request_header *header); /* to this hop */
const char *request_url(const http_exchange *ex);                         /* of this hop */
bool request_has_length(const http_exchange *ex); /* it says how long its body is, be it 0 */
bool request_about_to_send(http_exchange *ex);    /* counts; false: it must not be sent again */
void request_forget(http_exchange *ex);

/* h1_request.c */
void h1_request_write(const http_exchange *ex, buf *out); /* all but the body */

/* h1_connection.c */
/* Takes fd; closes it on failure. */
h1_connection *h1_connection_new(destination *at, int fd, const h1_hearer *to, error *err);
h1_connection *h1_connection_idle(destination *at, bool looks); /* the newest idle one; NULL */
void h1_connection_send(h1_connection *c, http_exchange *ex);
void h1_connection_release(h1_connection *c); /* its answer was whole: it may be used again */
void h1_connection_close(h1_connection *c);
bool h1_connection_is_sending(const h1_connection *c);

/* h1.c */
int h1_reach(http_exchange *ex); /* 0, or -1 and the outcome is set */
void h1_leave(http_exchange *ex);

/* answer.c: callbacks for libcurl */
size_t answer_header(char *bytes, size_t size, size_t count, void *transfer);
size_t answer_body(char *bytes, size_t size, size_t count, void *transfer);

/* And what both ways share. Those that return false have said why, and set ex->spoiled. */
void answer_line(http_exchange *ex, const char *line,
                 size_t length); /* of a head, without its end; an empty one ends it */
bool answer_bytes(http_exchange *ex, const char *bytes, size_t length);
bool answer_check_length(http_exchange *ex, uint64_t length); /* that the body will have */
void answer_over_headers(http_exchange *ex);
void answer_say(http_exchange *ex, http_outcome outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void answer_restart(http_exchange *ex); /* forgets what came, before the next hop */

/* outcome.c: by what libcurl says, */
void outcome_of_transfer(http_exchange *ex, CURLcode code);
/* by what happened, */
void outcome_of_answer(http_exchange *ex); /* it is whole */
void outcome_of_break(http_exchange *ex);  /* the connection ended before */
void outcome_of_garbage(http_exchange *ex, const char *words);
/* and by the clock. */
void outcome_of_timeout(http_exchange *ex);
void outcome_of_connect_timeout(http_exchange *ex);

/* redirect.c */
bool redirect_prepare(http_exchange *ex); /* true: the next hop has to be started */

/* reach.c */
int reach_host(http_exchange *ex, hop_start begin); /* asks for addresses, if need be, and begins: 0 or -1 */
/* `due` comes when it has taken too long to connect. */
void reach_watch_connect(http_exchange *ex, timer_due due);
void reach_watch(http_exchange *ex); /* from here on only the whole may take too long */

/* exchange.c */
void exchange_deliver(http_exchange *ex); /* from the turn */
void exchange_free(http_exchange *ex);

#endif
