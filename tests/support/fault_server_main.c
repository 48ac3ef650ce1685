/* The fault server as a program, for specs: it prints a line for each of its ports, "http 40123", one for the
 * file of its authority, "ca PATH", and "ready"; and runs until it is sent SIGTERM or SIGINT. */
#include <signal.h>
#include <stdio.h>

#include "support/fault_server.h"

static void say_where(const fault_server *server) {
  for (int port = 0; port < FAULT_PORTS; port++)
    printf("%s %d\n", fault_server_port_name((fault_port)port), fault_server_port(server, (fault_port)port));
  printf("ca %s\nready\n", fault_server_ca(server));
  fflush(stdout);
}

int main(void) {
  error err;
  sigset_t ends;
  int came;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  sigprocmask(SIG_BLOCK, &ends, NULL); /* its threads inherit that */
  signal(SIGPIPE, SIG_IGN);
  fault_server *server = fault_server_start(&err);
  if (!server) {
    fprintf(stderr, "%s\n", err.text);
    return 1;
  }
  say_where(server);
  sigwait(&ends, &came);
  fault_server_stop(server);
  return 0;
}
