/* A vendor that takes its time: bench_slow_vendor MILLISECONDS
 *
 * Answers every request with a small JSON, that long after it was read, on any number of connections and one
 * thread. Prints its port, then serves until it is killed. On SIGUSR1 it prints how many microseconds lay between one request and
 * the next, by the median, and begins anew. It reads just enough HTTP for the benchmark: a
 * head with a Content-Length, and one request at a time on a connection. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 65536, REQUEST_MOST = 4096, EVENTS = 512 };

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 45\r\n\r\n"
                             "{\"id\":\"4711\",\"accepted\":true,\"status\":\"done\"}";

/* By descriptor: what of a request has come. */
static struct {
  size_t length;
  char *bytes;
} connections[CONNECTIONS];

/* Answers that are due, in the order of their times: every one takes as long. */
static struct {
  int fd;
  double at;
} due[CONNECTIONS];
static size_t due_first, due_end;

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Between requests. */
static double gaps[CONNECTIONS], last_ms;
static size_t gap_count;
static volatile sig_atomic_t is_asked;

static void ask(int number) {
  (void)number;
  is_asked = 1;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void tell_gaps(void) {
  is_asked = 0;
  qsort(gaps, gap_count, sizeof *gaps, by_size);
  printf("%.1f\n", gap_count ? 1e3 * gaps[gap_count / 2] : 0);
  fflush(stdout);
  gap_count = 0;
  last_ms = 0;
}

static void note_gap(double now) {
  if (last_ms > 0 && gap_count < CONNECTIONS) gaps[gap_count++] = now - last_ms;
  last_ms = now;
}

static int open_listener(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) || listen(fd, 16384)) exit(2);
  getsockname(fd, (struct sockaddr *)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

static void watch(int poll, int fd) {
  epoll_ctl(poll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd});
}

static void accept_all(int poll, int listener) {
  for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
    if (fd >= CONNECTIONS) {
      close(fd);
      continue;
    }
    connections[fd].length = 0;
    watch(poll, fd);
  }
}

static int is_whole(int fd) {
  const char *bytes = connections[fd].bytes, *head_end = strstr(bytes, "\r\n\r\n"), *name;
  if (!head_end) return 0;
  name = strcasestr(bytes, "\r\ncontent-length:");
  size_t body = name && name < head_end ? (size_t)atoi(name + 17) : 0;
  return connections[fd].length >= (size_t)(head_end + 4 - bytes) + body;
}

static void read_some(int fd, double latency) {
  if (!connections[fd].bytes) connections[fd].bytes = malloc(REQUEST_MOST + 1);
  size_t length = connections[fd].length;
  ssize_t n = read(fd, connections[fd].bytes + length, REQUEST_MOST - length);
  if (n <= 0) {
    close(fd);
    return;
  }
  connections[fd].length = length += (size_t)n;
  connections[fd].bytes[length] = '\0';
  if (!is_whole(fd)) return;
  double now = now_ms();
  connections[fd].length = 0;
  note_gap(now);
  due[due_end++ % CONNECTIONS] = (__typeof__(due[0])){fd, now + latency};
}

static int answer_due(void) {
  double now = now_ms();
  for (; due_first < due_end; due_first++) {
    double left = due[due_first % CONNECTIONS].at - now;
    if (left > 0) return (int)left + 1;
    (void)!send(due[due_first % CONNECTIONS].fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
  }
  return -1;
}

int main(int argc, char **argv) {
  double latency = argc > 1 ? atof(argv[1]) : 50;
  int listener = open_listener(), poll = epoll_create1(0);
  struct epoll_event events[EVENTS];
  signal(SIGUSR1, ask);
  for (watch(poll, listener);;) {
    if (is_asked) tell_gaps();
    int count = epoll_wait(poll, events, EVENTS, answer_due());
    for (int i = 0; i < count; i++) {
      if (events[i].data.fd == listener)
        accept_all(poll, listener);
      else
        read_some(events[i].data.fd, latency);
    }
  }
}
