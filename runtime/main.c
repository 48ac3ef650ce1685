/* jaunt: boots, and hands over to a command.
 *
 * Everything a person types is understood in lualib/jaunt/cli.lua; here is only what has to happen before there is a Lua
 * state and after it has gone. Exit codes: the command's own; 2 where it could not run. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/lualib.h"
#include "native/control.h"
#include "native/native.h"

static int complain(const char *text) {
  fflush(stdout);
  fprintf(stderr, "jaunt: %s\n", text);
  return 2;
}

/* What was printed may still fail to be written: a full disk must not look like success. A reader that went
 * away (`jaunt help | head -1`) is nobody's mistake. */
static int flush_output(int code) {
  struct pollfd out = {.fd = STDOUT_FILENO};
  bool unwritten = fflush(stdout) != 0;
  if (!unwritten && !ferror(stdout)) return code;
  const char *why = unwritten ? strerror(errno) : "an earlier write failed";
  if (poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0) return code;
  fprintf(stderr, "jaunt: can't write the output: %s\n", why);
  return 2;
}

int main(int argc, char **argv) {
  error err;
  signal(SIGPIPE, SIG_IGN); /* a peer that went away is an error code where it was written to */
  if (lualib_check(&err) != 0) return complain(err.text);
  control *c = control_new(native_modules, &err);
  if (c == NULL) return complain(err.text);
  int code = control_run(c, "jaunt.cli", argc > 0 ? argc - 1 : 0, argv + 1);
  if (c->complaint.len > 0) complain(buf_text(&c->complaint));
  code = flush_output(code);
  if (c->left_behind) _exit(code);
  control_free(c);
  return code;
}
