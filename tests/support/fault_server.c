/* The fault server's ports, threads and counts: see fault_server.h. What it answers is in fault_deeds.c. */
#include "support/fault_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/list.h"
#include "support/certs.h"
#include "support/fault_deeds.h"

enum { PATHS_MOST = 128, STACK_BYTES = 512 * 1024, BACKLOG = 4096 };

typedef enum serving { SERVE_PLAIN, SERVE_TLS, SERVE_NOBODY, SERVE_FULL, SERVE_MUTE } serving;

static const struct {
  const char *name;
  serving serving;
  cert_kind cert;
} kinds[FAULT_PORTS] = {
    [FAULT_HTTP] = {"http", SERVE_PLAIN, CERT_KINDS},
    [FAULT_HTTP_TOO] = {"http_too", SERVE_PLAIN, CERT_KINDS},
    [FAULT_HTTPS] = {"https", SERVE_TLS, CERT_GOOD},
    [FAULT_EXPIRED] = {"expired", SERVE_TLS, CERT_EXPIRED},
    [FAULT_WRONG_NAME] = {"wrong_name", SERVE_TLS, CERT_WRONG_NAME},
    [FAULT_SELF_SIGNED] = {"self_signed", SERVE_TLS, CERT_SELF_SIGNED},
    [FAULT_REFUSED] = {"refused", SERVE_NOBODY, CERT_KINDS},
    [FAULT_FULL] = {"full", SERVE_FULL, CERT_KINDS},
    [FAULT_MUTE] = {"mute", SERVE_MUTE, CERT_KINDS},
};

typedef struct path_count {
  char path[128];
  size_t count;
} path_count;

typedef struct port {
  fault_server *server;
  int socket, number;
  int filler; /* of FAULT_FULL: the connection that takes its only place */
  SSL_CTX *context;
  pthread_t acceptor;
  bool accepts; /* the thread runs */
} port;

struct fault_server {
  certs certs;
  port ports[FAULT_PORTS];
  pthread_mutex_t lock; /* for what follows */
  pthread_cond_t gone;
  list guests;
  bool stopping;
  path_count counts[PATHS_MOST];
  size_t counts_length, connections;
  uint64_t body_bytes;
  bool lets_go;
};

/* A connection and its thread. */
typedef struct guest {
  list link; /* in server.guests */
  fault_server *server;
  SSL_CTX *context;
  int fd;
} guest;

/* ---- counts ---- */

static path_count *count_of(fault_server *s, const char *path) {
  for (size_t i = 0; i < s->counts_length; i++) {
    if (strcmp(s->counts[i].path, path) == 0) return &s->counts[i];
  }
  return NULL;
}

static void note(fault_server *s, const fault_request *request) {
  pthread_mutex_lock(&s->lock);
  path_count *known = count_of(s, request->path);
  if (!known && s->counts_length < PATHS_MOST) {
    known = &s->counts[s->counts_length++];
    snprintf(known->path, sizeof known->path, "%s", request->path);
  }
  if (known) known->count++;
  s->body_bytes += request->body_bytes;
  pthread_mutex_unlock(&s->lock);
}

size_t fault_server_count(fault_server *s, const char *path) {
  pthread_mutex_lock(&s->lock);
  const path_count *known = count_of(s, path);
  size_t count = known ? known->count : 0;
  pthread_mutex_unlock(&s->lock);
  return count;
}

size_t fault_server_connections(fault_server *s) {
  pthread_mutex_lock(&s->lock);
  size_t count = s->connections;
  pthread_mutex_unlock(&s->lock);
  return count;
}

uint64_t fault_server_body_bytes(fault_server *s) {
  pthread_mutex_lock(&s->lock);
  uint64_t bytes = s->body_bytes;
  pthread_mutex_unlock(&s->lock);
  return bytes;
}

void fault_server_write_counts(fault_server *s, buf *out) {
  pthread_mutex_lock(&s->lock);
  for (size_t i = 0; i < s->counts_length; i++)
    buf_format(out, "%s %zu\n", s->counts[i].path, s->counts[i].count);
  pthread_mutex_unlock(&s->lock);
}

/* ---- what is held back ---- */

void fault_server_let_go(fault_server *s) {
  pthread_mutex_lock(&s->lock);
  s->lets_go = true;
  pthread_mutex_unlock(&s->lock);
}

bool fault_server_lets_go(fault_server *s) {
  pthread_mutex_lock(&s->lock);
  bool lets_go = s->lets_go;
  pthread_mutex_unlock(&s->lock);
  return lets_go;
}

/* ---- a connection ---- */

static bool shake_hands(fault_link *l, SSL_CTX *context) {
  if (!context) return true;
  l->tls = SSL_new(context);
  return l->tls && SSL_set_fd(l->tls, l->fd) == 1 && SSL_accept(l->tls) == 1;
}

/* Until one of the two ends it. True when that has to be a reset. */
static bool converse(guest *g, fault_link *l) {
  fault_visit visit = {.server = g->server, .link = l};
  bool stays = shake_hands(l, g->context);
  for (; stays && fault_link_read(l, &visit.request); visit.before++) {
    note(g->server, &visit.request);
    stays = fault_deed(&visit);
  }
  buf_free(&visit.request.head);
  return visit.reset;
}

static void *serve(void *data) {
  guest *g = data;
  fault_server *s = g->server;
  fault_link l = {.fd = g->fd};
  bool reset = converse(g, &l);
  pthread_mutex_lock(&s->lock); /* the descriptor is told to nobody any more once it can become another's */
  list_remove(&g->link);
  fault_link_close(&l, reset);
  if (list_empty(&s->guests)) pthread_cond_signal(&s->gone);
  pthread_mutex_unlock(&s->lock);
  free(g);
  return NULL;
}

static void start_thread(guest *g) {
  pthread_t thread;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  if (pthread_create(&thread, &attributes, serve, g) != 0) abort(); /* a test machine without threads */
  pthread_attr_destroy(&attributes);
}

static void welcome(port *p, int fd) {
  fault_server *s = p->server;
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  guest *g = mem_zero(sizeof *g);
  *g = (guest){.server = s, .context = p->context, .fd = fd};
  pthread_mutex_lock(&s->lock);
  s->connections++;
  list_push(&s->guests, &g->link);
  if (s->stopping) shutdown(fd, SHUT_RDWR);
  pthread_mutex_unlock(&s->lock);
  start_thread(g);
}

static void *accept_all(void *data) {
  port *p = data;
  for (;;) {
    int fd = accept4(p->socket, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
      welcome(p, fd);
    else if (errno == EINVAL || errno == EBADF)
      return NULL; /* shut down by stop */
  }
}

/* ---- ports ---- */

/* On a free port of 127.0.0.1. */
static int bind_port(port *p, error *err) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof at;
  int on = 1;
  p->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(p->socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (p->socket < 0 || bind(p->socket, (struct sockaddr *)&at, length) != 0 ||
      getsockname(p->socket, (struct sockaddr *)&at, &length) != 0)
    return error_set(err, "the fault server got no port: %s", strerror(errno));
  p->number = ntohs(at.sin_port);
  return 0;
}

/* A queue for one, and one in it whom nobody lets in: who comes next gets no answer at all. */
static int fill(port *p) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  at.sin_port = htons((uint16_t)p->number);
  p->filler = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  return listen(p->socket, 0) | connect(p->filler, (struct sockaddr *)&at, sizeof at);
}

static int open_port(fault_server *s, fault_port which, error *err) {
  port *p = &s->ports[which];
  serving how = kinds[which].serving;
  if (bind_port(p, err) != 0) return -1;
  if (how == SERVE_NOBODY) return 0; /* taken, so that the system gives it to no one else */
  if (how == SERVE_TLS && !(p->context = certs_context(&s->certs, kinds[which].cert, err))) return -1;
  if ((how == SERVE_FULL ? fill(p) : listen(p->socket, BACKLOG)) != 0)
    return error_set(err, "the fault server can't listen: %s", strerror(errno));
  if (how == SERVE_FULL || how == SERVE_MUTE) return 0;
  p->accepts = pthread_create(&p->acceptor, NULL, accept_all, p) == 0;
  return p->accepts ? 0 : error_set(err, "the fault server got no thread");
}

static void close_port(port *p) {
  if (p->accepts) {
    shutdown(p->socket, SHUT_RDWR);
    pthread_join(p->acceptor, NULL);
  }
  if (p->socket >= 0) close(p->socket);
  if (p->filler >= 0) close(p->filler);
}

/* ---- the server ---- */

fault_server *fault_server_start(error *err) {
  fault_server *s = mem_zero(sizeof *s);
  pthread_mutex_init(&s->lock, NULL);
  pthread_cond_init(&s->gone, NULL);
  list_init(&s->guests);
  for (int i = 0; i < FAULT_PORTS; i++) s->ports[i] = (port){.server = s, .socket = -1, .filler = -1};
  int failed = certs_make(&s->certs, err);
  for (int i = 0; i < FAULT_PORTS && !failed; i++) failed = open_port(s, (fault_port)i, err);
  if (!failed) return s;
  fault_server_stop(s);
  return NULL;
}

/* Connections are shut down under their threads, whatever these wait for. */
static void send_home(fault_server *s) {
  pthread_mutex_lock(&s->lock);
  s->stopping = true;
  for (list *l = s->guests.next; l != &s->guests; l = l->next)
    shutdown(LIST_OF(guest, link, l)->fd, SHUT_RDWR);
  while (!list_empty(&s->guests)) pthread_cond_wait(&s->gone, &s->lock);
  pthread_mutex_unlock(&s->lock);
}

void fault_server_stop(fault_server *s) {
  for (int i = 0; i < FAULT_PORTS; i++) close_port(&s->ports[i]);
  send_home(s);
  for (int i = 0; i < FAULT_PORTS; i++) SSL_CTX_free(s->ports[i].context);
  certs_drop(&s->certs);
  pthread_mutex_destroy(&s->lock);
  pthread_cond_destroy(&s->gone);
  free(s);
}

int fault_server_port(const fault_server *s, fault_port which) {
  return s->ports[which].number;
}

const char *fault_server_port_name(fault_port which) {
  return kinds[which].name;
}

const char *fault_server_ca(const fault_server *s) {
  return s->certs.ca_file;
}
