/* pty: types at a program that has a terminal of its own, and looks at what it shows: pty STEPS COMMAND [ARGUMENTS].
 *
 * STEPS is a file with a step a line; \r \n \t \e \xHH and \\ stand for what they stand for in C:
 *   send TEXT         types it
 *   paste FILE        types what is in the file
 *   expect TEXT       waits until the program has shown it, behind what was expected before
 *   unseen TEXT       it is not among what was shown so far behind what was expected before
 *   resize COLUMNS ROWS
 *   do COMMAND        what the shell does, meanwhile
 *   end               waits for the program's end
 * All that was shown goes to standard output. The exit code is the program's, 128 + the signal that ended it, or 99 when a step
 * fails, which is told on standard error. A step waits for 30 seconds at most. */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"

enum { PATIENCE_S = 30, FAILED = 99 };

static int terminal;
static pid_t child;
static char *raw, *shown;               /* as it came; and without colours and what moves the cursor */
static size_t raw_length, length, seen; /* seen: behind what was expected last */
static int ended;

static _Noreturn void fail(const char *step, const char *why) {
  fprintf(stderr, "pty: %s: %s\n--- shown since:\n", step, why);
  fwrite(shown + seen, 1, length - seen, stderr);
  fputc('\n', stderr);
  kill(child, SIGKILL);
  exit(FAILED);
}

/* Escape sequences (ECMA-48) and carriage returns and bells are left out of what is looked at; `state`: within one. */
static void keep(const char *bytes, size_t count) {
  static enum { TEXT, ESCAPE, CONTROL } state;
  raw = mem_grow(raw, raw_length + count + 1);
  shown = mem_grow(shown, length + count + 1);
  memcpy(raw + raw_length, bytes, count);
  raw_length += count;
  for (size_t i = 0; i < count; i++) {
    char c = bytes[i];
    if (state == TEXT && c == '\033')
      state = ESCAPE;
    else if (state == ESCAPE)
      state = c == '[' ? CONTROL : TEXT;
    else if (state == CONTROL)
      state = c >= '@' && c <= '~' ? TEXT : CONTROL;
    else if (c != '\r' && c != '\a')
      shown[length++] = c;
  }
  shown[length] = '\0';
}

/* Takes what was shown, waiting so long for it. Returns 0 when there is nothing more to come. */
static int take(int ms) {
  struct pollfd p = {.fd = terminal, .events = POLLIN};
  if (ended) return 0;
  if (poll(&p, 1, ms) <= 0) return 1;
  char bytes[1 << 16];
  ssize_t count = read(terminal, bytes, sizeof bytes);
  if (count > 0) keep(bytes, (size_t)count);
  ended = count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN);
  return !ended;
}

static const char *find(const char *text) {
  return shown ? memmem(shown + seen, length - seen, text, strlen(text)) : NULL;
}

static void expect(const char *step, const char *text) {
  time_t until = time(NULL) + PATIENCE_S;
  const char *at;
  while (!(at = find(text))) {
    if (!take(50)) {
      if (!find(text)) fail(step, "the program has ended");
      continue;
    }
    if (time(NULL) > until) fail(step, "it was not shown");
  }
  seen = (size_t)(at - shown) + strlen(text);
}

/* In small pieces, taking what is shown meanwhile: neither side waits for the other. */
static void type(const char *text, size_t count) {
  while (count) {
    size_t piece = count < 200 ? count : 200;
    struct pollfd p = {.fd = terminal, .events = POLLOUT};
    if (poll(&p, 1, 20) > 0 && (p.revents & POLLOUT)) {
      ssize_t done = write(terminal, text, piece);
      if (done > 0) text += done, count -= (size_t)done;
    }
    if (!take(0)) return;
  }
}

static void paste(const char *step, const char *path) {
  char bytes[1 << 16];
  FILE *file = fopen(path, "rb");
  if (!file) fail(step, "no such file");
  size_t count = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  type(bytes, count);
}

static void resize(const char *step, const char *size) {
  struct winsize to = {0};
  if (sscanf(size, "%hu %hu", &to.ws_col, &to.ws_row) != 2) fail(step, "resize COLUMNS ROWS");
  ioctl(terminal, TIOCSWINSZ, &to);
}

static void act(const char *step, const char *command) {
  if (system(command) != 0) fail(step, "it failed");
}

static int value_of(char hex) {
  return hex <= '9' ? hex - '0' : (hex | 32) - 'a' + 10;
}

/* In place. */
static void unescape(char *text) {
  char *to = text;
  for (const char *at = text; *at; at++) {
    if (*at != '\\' || !at[1]) {
      *to++ = *at;
      continue;
    }
    at++;
    *to++ = *at == 'r' ? '\r' : *at == 'n' ? '\n' : *at == 't' ? '\t' : *at == 'e' ? '\033' : *at;
    if (*at == 'x' && at[1] && at[2]) to[-1] = (char)(value_of(at[1]) * 16 + value_of(at[2])), at += 2;
  }
  *to = '\0';
}

static void run_step(const char *step) {
  char line[4096];
  snprintf(line, sizeof line, "%s", step);
  char *text = strchr(line, ' ');
  if (text) *text++ = '\0';
  if (text) unescape(text);
  if (strcmp(line, "send") == 0)
    type(text, strlen(text));
  else if (strcmp(line, "paste") == 0)
    paste(step, text);
  else if (strcmp(line, "expect") == 0)
    expect(step, text);
  else if (strcmp(line, "resize") == 0)
    resize(step, text);
  else if (strcmp(line, "do") == 0)
    act(step, text);
  else if (strcmp(line, "unseen") == 0) {
    take(0);
    if (find(text)) fail(step, "it was shown");
  } else if (strcmp(line, "end") == 0) {
    time_t until = time(NULL) + PATIENCE_S;
    while (take(50))
      if (time(NULL) > until) fail(step, "it goes on");
  } else if (*line)
    fail(step, "no such step");
}

int main(int argc, char **argv) {
  struct winsize size = {.ws_col = 80, .ws_row = 24};
  if (argc < 3) return FAILED;
  FILE *steps = fopen(argv[1], "r");
  if (!steps) return FAILED;
  child = forkpty(&terminal, NULL, NULL, &size);
  if (child == 0) {
    execvp(argv[2], argv + 2);
    _exit(127);
  }
  keep("", 0);
  char step[4096];
  while (fgets(step, sizeof step, steps)) {
    step[strcspn(step, "\n")] = '\0';
    run_step(step);
  }
  fclose(steps);
  run_step("end");
  int status = 0;
  close(terminal);
  waitpid(child, &status, 0);
  fwrite(raw, 1, raw_length, stdout);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
