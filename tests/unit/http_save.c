/* Answers that go into files: streamed, whole or not at all. */
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http_trial.h"

/* A folder of its own for each test, to see that nothing is left in it. */
typedef struct place {
  trial *trial;
  char folder[64], file[96];
} place;

static int place_begin(void **state) {
  place *p = mem_zero(sizeof *p);
  strcpy(p->folder, "/tmp/jaunt-test-save-XXXXXX");
  if (!mkdtemp(p->folder)) return -1;
  snprintf(p->file, sizeof p->file, "%s/answer", p->folder);
  int status = trial_begin(state);
  p->trial = *state;
  *state = p;
  return status;
}

static int place_end(void **state) {
  place *p = *state;
  void *t = p->trial;
  unlink(p->file);
  assert_int_equal(rmdir(p->folder), 0); /* fails where anything else was left */
  free(p);
  return trial_end(&t);
}

static size_t files_in(const place *p) {
  DIR *folder = opendir(p->folder);
  size_t count = 0;
  for (const struct dirent *entry; (entry = readdir(folder));) count += entry->d_name[0] != '.';
  closedir(folder);
  return count;
}

static http_request saving(place *p, const char *path) {
  http_request request = get(at(p->trial, FAULT_HTTP, path));
  request.save_to = p->file;
  return request;
}

static void write_old(const place *p) {
  FILE *file = fopen(p->file, "w");
  fputs("old", file);
  fclose(file);
}

static void assert_old(const place *p) {
  char text[8] = "";
  FILE *file = fopen(p->file, "r");
  assert_non_null(file);
  assert_int_equal(fread(text, 1, sizeof text - 1, file), 3);
  fclose(file);
  assert_string_equal(text, "old");
}

/* What is in the folder while the callback runs. */
typedef struct glance {
  ending ending;
  const place *at;
  size_t files;
} glance;

static void look(http_exchange *exchange, http_answer *answer, void *data) {
  glance *g = data;
  g->files = files_in(g->at);
  ending_note(exchange, answer, &g->ending);
}

static glance ask_and_look(place *p, const http_request *request) {
  error err;
  glance g = {.at = p};
  assert_non_null(http_send(p->trial->wire, request, look, &g, &err));
  run_until_told(p->trial, &g.ending, 1);
  return g;
}

/* ---- what is kept ---- */

static void a_body_is_streamed_into_the_file_beyond_the_cap_on_memory(void **state) {
  place *p = *state;
  struct stat found;
  http_request request = saving(p, "/big-unknown");
  ending e = ask(p->trial, &request);
  assert_outcome(&e, HTTP_ANSWERED);
  assert_int_equal(e.saved_bytes, 64 << 20);
  assert_int_equal(e.body.len, 0);
  assert_int_equal(stat(p->file, &found), 0);
  assert_int_equal(found.st_size, 64 << 20);
  assert_int_equal(found.st_mode & 0777, 0600);
  ending_free(&e);
}

static void a_bodys_encoding_is_taken_off(void **state) {
  place *p = *state;
  http_request request = saving(p, "/gzip");
  ending e = ask(p->trial, &request);
  assert_outcome(&e, HTTP_ANSWERED);
  assert_int_equal(e.saved_bytes, 30);
  ending_free(&e);
}

static void a_whole_answer_replaces_what_was_there(void **state) {
  place *p = *state;
  struct stat found;
  write_old(p);
  http_request request = saving(p, "/bytes/1000");
  expect_answer(p->trial, &request, 200, "");
  assert_int_equal(stat(p->file, &found), 0);
  assert_int_equal(found.st_size, 1000);
}

/* ---- what is not ---- */

static void a_broken_answer_leaves_nothing(void **state) {
  static const struct {
    const char *path;
    http_outcome outcome;
  } broken[] = {
      {"/short", HTTP_RESET},       {"/reset-middle", HTTP_RESET}, {"/bad-chunk", HTTP_PROTOCOL},
      {"/bad-gzip", HTTP_PROTOCOL}, {"/close-early", HTTP_RESET},  {"/slow-body", HTTP_TIMEOUT},
  };
  place *p = *state;
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
    http_request request = saving(p, broken[i].path);
    if (broken[i].outcome == HTTP_TIMEOUT) request.total_ms = SHORT_MS;
    glance g = ask_and_look(p, &request);
    assert_outcome(&g.ending, broken[i].outcome);
    assert_int_equal(g.ending.saved_bytes, 0);
    assert_int_equal(g.files, 0);
    ending_free(&g.ending);
  }
}

static void a_broken_answer_leaves_what_was_there(void **state) {
  place *p = *state;
  write_old(p);
  http_request request = saving(p, "/short");
  expect_failure(p->trial, &request, HTTP_RESET, "middle of its answer");
  assert_old(p);
}

static void an_answer_over_its_cap_leaves_nothing(void **state) {
  place *p = *state;
  http_request request = saving(p, "/big-unknown");
  request.max_body_bytes = 1 << 20;
  glance g = ask_and_look(p, &request);
  assert_outcome(&g.ending, HTTP_TOO_LARGE);
  assert_int_equal(g.files, 0);
  ending_free(&g.ending);
}

static void another_status_is_kept_in_memory_and_the_file_left_alone(void **state) {
  place *p = *state;
  write_old(p);
  http_request request = saving(p, "/status/500");
  expect_answer(p->trial, &request, 500, "status 500");
  assert_old(p);
}

static void a_cancelled_request_leaves_nothing(void **state) {
  place *p = *state;
  http_request request = saving(p, "/never");
  ending e;
  http_exchange *exchange = begin(p->trial, &request, &e);
  http_cancel(exchange);
  run_until_told(p->trial, &e, 1);
  assert_outcome(&e, HTTP_CUT);
  assert_int_equal(files_in(p), 0);
  ending_free(&e);
}

static void a_full_disk_is_told_as_such(void **state) {
  place *p = *state;
  http_request request = saving(p, "/bytes/100000");
  request.save_to = "/dev/full";
  expect_failure(p->trial, &request, HTTP_FILE, "No space left on device");
}

static void a_file_that_cannot_be_written_is_told_before_anything_is_sent(void **state) {
  place *p = *state;
  http_request request = saving(p, "/ok");
  char nowhere[128];
  snprintf(nowhere, sizeof nowhere, "%s/none/answer", p->folder);
  const char *const bad[] = {nowhere, p->folder};
  for (size_t i = 0; i < 2; i++) {
    request.save_to = bad[i];
    ending e = ask(p->trial, &request);
    assert_outcome(&e, HTTP_FILE);
    assert_has(e.detail, bad[i]);
    assert_false(e.sent);
    ending_free(&e);
  }
  assert_int_equal(fault_server_connections(p->trial->server), 0);
}

/* A cap that is meant for a file says nothing of memory. */
static void what_is_not_saved_has_the_cap_of_memory(void **state) {
  place *p = *state;
  http_request request = saving(p, "/big-failure");
  request.max_body_bytes = (size_t)1 << 30;
  expect_failure(p->trial, &request, HTTP_TOO_LARGE, "cap of 16777216 bytes");
}

#define PLACE(name) cmocka_unit_test_setup_teardown(name, place_begin, place_end)

int main(void) {
  const struct CMUnitTest tests[] = {
      PLACE(a_body_is_streamed_into_the_file_beyond_the_cap_on_memory),
      PLACE(a_bodys_encoding_is_taken_off),
      PLACE(a_whole_answer_replaces_what_was_there),
      PLACE(a_broken_answer_leaves_nothing),
      PLACE(a_broken_answer_leaves_what_was_there),
      PLACE(an_answer_over_its_cap_leaves_nothing),
      PLACE(another_status_is_kept_in_memory_and_the_file_left_alone),
      PLACE(a_cancelled_request_leaves_nothing),
      PLACE(a_full_disk_is_told_as_such),
      PLACE(a_file_that_cannot_be_written_is_told_before_anything_is_sent),
      PLACE(what_is_not_saved_has_the_cap_of_memory),
  };
  return TRIAL_RUN_BOTH(tests);
}
