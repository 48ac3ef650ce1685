/* Tries a fuzz target without a fuzzer: TARGET [COUNT [SEED]], or TARGET FILE to try one text again.
 *
 * The texts are the seeds and random mutations of them; the same count and seed make the same ones. When a
 * target aborts, the text is left in a file whose name is told. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/hash.h"
#include "fuzz/fuzz.h"

enum { COUNT = 5000, LONGEST = 4096, STEPS_MOST = 6 };

static buf text; /* the one that is tried */

/* In a signal's handler: with nothing but system calls. */
static void keep_text(int number) {
  static const char said[] = "the text is in fuzz.input\n";
  int fd = open("fuzz.input", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  (void)!write(fd, text.data, text.len);
  (void)!write(STDERR_FILENO, said, sizeof said - 1);
  signal(number, SIG_DFL);
  raise(number);
}

/* In a block of just its size, so that the address sanitizer sees each byte read too many. */
static void try_text(void) {
  uint8_t *exact = mem_alloc(text.len);
  if (text.len) memcpy(exact, text.data, text.len);
  LLVMFuzzerTestOneInput(exact, text.len);
  free(exact);
}

/* ---- mutations ---- */

static uint64_t dice;

static size_t draw(size_t below) {
  return below ? random_next(&dice) % below : 0;
}

static const char *draw_of(const char *const *texts) {
  size_t count = 0;
  while (texts[count]) count++;
  return texts[draw(count)];
}

static void replace(size_t at, size_t length, const char *bytes, size_t new_length) {
  buf made = BUF_EMPTY;
  buf_add(&made, text.data, at);
  buf_add(&made, bytes, new_length);
  buf_add(&made, text.data + at + length, text.len - at - length);
  buf_free(&text);
  text = made;
}

static void mutate(void) {
  size_t at = draw(text.len + 1), left = text.len - at, some = draw(left < 16 ? left + 1 : 16);
  char byte = (char)draw(256);
  const char *word;
  switch (draw(7)) {
  case 0: replace(at, left > 0, &byte, 1); break;
  case 1: replace(at, 0, &byte, 1); break;
  case 2: replace(at, some, NULL, 0); break;
  case 3: replace(at, draw(left + 1), NULL, 0); break;
  case 4: {
    char *copy = mem_text_of(text.data ? text.data + at : "", some);
    replace(draw(text.len + 1), 0, copy, some);
    free(copy);
    break;
  }
  case 5: word = draw_of(fuzz_words), replace(at, draw(2) ? some : 0, word, strlen(word)); break;
  default: word = draw_of(fuzz_seeds), replace(at, draw(2) ? left : 0, word, strlen(word)); break;
  }
}

static void make_text(void) {
  buf_clear(&text);
  buf_text_add(&text, draw_of(fuzz_seeds));
  for (size_t steps = draw(STEPS_MOST + 1); steps > 0; steps--) mutate();
  if (text.len > LONGEST) text.len = LONGEST;
}

/* ---- running ---- */

static int try_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) return fprintf(stderr, "can't read %s\n", path), 2;
  size_t got;
  while ((got = fread(buf_room(&text, LONGEST), 1, LONGEST, file)) > 0) text.len += got;
  fclose(file);
  try_text();
  return 0;
}

int main(int argc, char **argv) {
  signal(SIGABRT, keep_text);
  signal(SIGSEGV, keep_text);
  char *end = "";
  unsigned long count = argc > 1 ? strtoul(argv[1], &end, 10) : COUNT;
  int status = 0;
  if (*end) {
    status = try_file(argv[1]);
  } else {
    dice = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    for (unsigned long i = 0; i < count; i++) make_text(), try_text();
    printf("%lu texts\n", count);
  }
  buf_free(&text);
  return status;
}
