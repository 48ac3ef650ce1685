/* A state file: what was durable is there when it is opened again, and a run reads what it did. */
#include "store_world.h"

/* ---- runs ---- */

static void a_parked_run_is_found_with_all_that_is_known_of_it(void **state) {
  world *w = *state;
  uint64_t number = world_park(w, "ada", 5000);
  store_run run;
  assert_int_equal(store_find(w->lane, number, &run), 0); /* not durable yet */
  world_sync(w);
  for (int round = 0; round < 2; round++) {
    assert_int_equal(store_find(w->lane, number, &run), 1);
    assert_int_equal(run.run, number);
    assert_string_equal(run.person, "ada");
    assert_string_equal(run.per, "cart");
    assert_string_equal(run.listens, "paid\nleft");
    assert_null(run.reason);
    assert_int_equal(run.id.lo, (uint64_t)INT64_MIN + 5);
    assert_int_equal(run.id.hi, 77);
    assert_int_equal(run.journey, w->journey);
    assert_int_equal(run.entry, 3);
    assert_int_equal(run.element, w->element);
    assert_int_equal(run.state, RUN_WAITING);
    assert_int_equal(run.entered_ms, 1000);
    assert_int_equal(run.since_ms, 1010);
    assert_int_equal(run.due_ms, 5000);
    store_run_free(&run);
    assert_int_equal(store_find(w->lane, number + 1, &run), 0);
    if (round == 0) world_again(w);
  }
}

static void a_run_wakes_with_all_its_records_however_often_it_was_parked(void **state) {
  world *w = *state;
  traveller t;
  char kinds[32];
  uint64_t number = world_park(w, "ada", 5000);
  for (int park = 1; park <= 5; park++) {
    world_sync(w);
    if (park % 2) world_again(w);
    assert_int_equal(world_wake(w, number, &t, kinds), 1 + park);
    assert_int_equal(strncmp(kinds, "ESSSSS", 1 + (size_t)park), 0);
    assert_int_equal(t.step, park);
    world_step(w, &t, "{\"x\":1}");
    world_settle(w, &t, park < 5 ? RUN_WAITING : RUN_COMPLETED, 6000 + park, NULL);
    store_journal_forget(&t.journal);
  }
  world_again(w);
  assert_int_equal(world_wake(w, number, &t, kinds), 8);
  assert_string_equal(kinds, "ESSSSSSX");
  assert_int_equal(t.state, RUN_COMPLETED);
  store_journal_forget(&t.journal);
  assert_int_equal(store_next_due(w->lane), INT64_MAX);
  assert_int_equal(world_count(w, RUN_COMPLETED), 1);
  world_adds_up(w, 1);
}

static void a_run_that_goes_straight_through_has_one_row_and_no_other(void **state) {
  world *w = *state;
  traveller t;
  char kinds[32];
  world_enter(w, &t, "ada");
  world_step(w, &t, NULL);
  world_settle(w, &t, RUN_DROPPED, INT64_MAX, "status");
  store_journal_forget(&t.journal);
  world_sync(w);
  assert_int_equal(world_wake(w, t.journal.run, &t, kinds), 3);
  assert_string_equal(kinds, "ESX");
  store_journal_forget(&t.journal);
  world_close(w);
  assert_int_equal(ask(w, "SELECT count(*) FROM run"), 1);
  assert_int_equal(ask(w, "SELECT count(*) FROM segment"), 0);
  assert_int_equal(ask(w, "SELECT count(*) FROM timer"), 0);
  world_open(w);
}

static void a_restarted_run_does_not_read_what_it_did_before(void **state) {
  world *w = *state;
  traveller t;
  char kinds[32];
  uint64_t number = world_park(w, "ada", 5000);
  world_sync(w);
  world_wake(w, number, &t, kinds);
  world_step(w, &t, NULL);
  t.incarnation = 1;
  world_record(w, &t,
               (store_record){.kind = RECORD_RESTART, .element = NO_ELEMENT, .data = "[]", .data_length = 2},
               RUN_RUNNING);
  t.step = 0;
  world_record(w, &t, (store_record){.kind = RECORD_STEP, .element = w->element, .name = "sms"}, RUN_RUNNING);
  world_settle(w, &t, RUN_WAITING, 7000, NULL);
  store_journal_forget(&t.journal);
  for (int round = 0; round < 2; round++) {
    world_again(w);
    assert_int_equal(world_wake(w, number, &t, kinds), 2 + round);
    assert_string_equal(kinds, round ? "BSS" : "BS");
    if (round) break;
    world_record(w, &t, (store_record){.kind = RECORD_STEP, .element = w->element, .name = "sms"},
                 RUN_RUNNING);
    world_settle(w, &t, RUN_WAITING, 8000, NULL);
    store_journal_forget(&t.journal);
  }
  store_journal_forget(&t.journal);
}

static void a_persons_runs_come_newest_first_and_only_of_this_journey(void **state) {
  world *w = *state;
  uint64_t first = world_park(w, "ada", 5000);
  world_park(w, "bob", 5000);
  uint64_t second = world_park(w, "ada", 6000);
  uint32_t journey = w->journey;
  w->journey = store_journey(w->s, "welcome", "v2", "{}", 2);
  uint64_t third = world_park(w, "ada", 7000);
  w->journey = store_journey(w->s, "other", "v1", "{}", 2);
  world_park(w, "ada", 8000);
  w->journey = journey;
  world_again(w);
  store_run *runs;
  size_t count;
  assert_int_equal(store_runs_of(w->lane, "ada", &runs, &count), 0);
  assert_int_equal(count, 3);
  assert_int_equal(runs[0].run, third);
  assert_int_equal(runs[1].run, second);
  assert_int_equal(runs[2].run, first);
  for (size_t i = 0; i < count; i++) store_run_free(&runs[i]);
  free(runs);
  assert_int_equal(store_runs_of(w->lane, "eve", &runs, &count), 0);
  assert_int_equal(count, 0);
}

static void a_held_run_that_is_sent_on_is_running_after_a_crash(void **state) {
  world *w = *state;
  traveller t;
  char kinds[32];
  world_enter(w, &t, "ada");
  world_settle(w, &t, RUN_HELD, INT64_MAX, "script");
  store_journal_forget(&t.journal);
  world_sync(w);
  world_wake(w, t.journal.run, &t, kinds);
  world_record(w, &t, (store_record){.kind = RECORD_MOVE, .element = NO_ELEMENT}, RUN_RUNNING);
  store_journal_forget(&t.journal);
  world_again(w);
  assert_int_equal(world_count(w, RUN_HELD), 0);
  assert_int_equal(world_count(w, RUN_RUNNING), 1);
  assert_int_equal(store_next_due(w->lane), 0);
  world_adds_up(w, 1);
}

static void a_forgotten_run_that_had_not_changed_is_told_again(void **state) {
  world *w = *state;
  traveller t;
  char kinds[32];
  uint64_t number = world_park(w, "ada", 5000);
  world_sync(w);
  assert_int_equal(store_next_due(w->lane), 5000);
  world_wake(w, number, &t, kinds);
  assert_int_equal(store_next_due(w->lane), INT64_MAX);
  store_journal_forget(&t.journal);
  assert_int_equal(store_next_due(w->lane), 5000);
}

/* ---- what a crash leaves ---- */

static void open_runs_are_running_and_due_at_once_when_the_file_is_opened_again(void **state) {
  world *w = *state;
  traveller fresh, woken;
  char kinds[32];
  uint64_t parked = world_park(w, "ada", 5000), number = world_park(w, "eve", 4000);
  world_enter(w, &fresh, "bob");
  world_step(w, &fresh, NULL);
  world_sync(w);
  world_wake(w, number, &woken, kinds);
  world_record(w, &woken, (store_record){.kind = RECORD_WOKE, .element = NO_ELEMENT}, RUN_QUEUED);
  store_journal_forget(&fresh.journal);
  store_journal_forget(&woken.journal);
  for (int round = 0; round < 3; round++) { /* as often as it is tried: it stays the same */
    world_again(w);
    store_due_run due[4];
    assert_int_equal(store_next_due(w->lane), 0);
    assert_int_equal(store_due(w->lane, 4999, due, 4), 2);
    assert_int_equal(due[0].run, number);
    assert_int_equal(due[1].run, fresh.journal.run);
    assert_int_equal(store_next_due(w->lane), 5000);
    assert_int_equal(world_count(w, RUN_RUNNING), 2);
    assert_int_equal(world_count(w, RUN_QUEUED), 0);
    assert_int_equal(world_count(w, RUN_WAITING), 1);
    world_adds_up(w, 3);
  }
  store_run run;
  assert_int_equal(store_find(w->lane, fresh.journal.run, &run), 1);
  assert_int_equal(run.state, RUN_RUNNING);
  assert_string_equal(run.person, "bob");
  assert_string_equal(run.per, "cart");
  assert_int_equal(run.id.lo, (uint64_t)INT64_MIN + 5);
  assert_int_equal(run.entry, 3);
  assert_int_equal(run.element, w->element);
  store_run_free(&run);
  assert_int_equal(world_wake(w, fresh.journal.run, &fresh, kinds), 2);
  store_journal_forget(&fresh.journal);
  assert_int_equal(world_wake(w, number, &woken, kinds), 3);
  assert_string_equal(kinds, "ESK");
  store_journal_forget(&woken.journal);
  (void)parked;
}

static void the_log_is_empty_once_everything_is_settled(void **state) {
  world *w = *state;
  traveller t;
  world_enter(w, &t, "ada");
  world_step(w, &t, NULL);
  store_journal_forget(&t.journal);
  world_park(w, "bob", 1);
  world_close(w);
  assert_int_equal(ask(w, "SELECT count(*) FROM log"), 1);
  world_open(w);
  world_close(w);
  assert_int_equal(ask(w, "SELECT count(*) FROM log"), 0);
  world_open(w);
}

/* A run that does not settle while the others fill the log gets a segment, and does not keep the log. */
static void a_run_that_stays_open_does_not_make_the_log_grow_for_ever(void **state) {
  world *w = *state;
  traveller slow, t;
  char kinds[32], *large = malloc(200001);
  memset(large, 'x', 200000);
  large[200000] = '\0';
  world_enter(w, &slow, "slow");
  world_step(w, &slow, NULL);
  for (int i = 0; i < 300; i++) {
    world_enter(w, &t, "quick");
    world_step(w, &t, large);
    world_settle(w, &t, RUN_COMPLETED, INT64_MAX, NULL);
    store_journal_forget(&t.journal);
    world_sync(w);
  }
  free(large);
  assert_in_range(ask(w, "SELECT sum(length(bytes)) FROM log"), 0, 45 << 20); /* of 60 MB */
  assert_int_equal(store_next_due(w->lane), INT64_MAX);                       /* it lives: nobody wakes it */
  world_step(w, &slow, NULL);
  world_sync(w);
  world_step(w, &slow, NULL);
  world_settle(w, &slow, RUN_WAITING, 9000, NULL);
  world_sync(w);
  assert_int_equal(store_next_due(w->lane), 9000);
  store_journal_forget(&slow.journal);
  world_close(w);
  assert_int_equal(ask(w, "SELECT count(*) FROM timer"), 1);
  world_open(w);
  assert_int_equal(world_wake(w, slow.journal.run, &slow, kinds), 4);
  assert_string_equal(kinds, "ESSS");
  store_journal_forget(&slow.journal);
  assert_int_equal(world_count(w, RUN_COMPLETED), 300);
  world_adds_up(w, 301);
}

/* ---- names and counters ---- */

static void names_ids_and_counters_last(void **state) {
  world *w = *state;
  traveller t;
  hash128 id = store_id(w->s);
  uint32_t second = store_journey(w->s, "welcome", "v2", "{\"b\":2}", 7);
  uint32_t email = store_element(w->s, second, "email", "call_api", 3);
  assert_true(store_keeps(w->s));
  for (int i = 0; i < 3; i++) {
    world_enter(w, &t, "ada");
    world_step(w, &t, NULL);
    world_settle(w, &t, i ? RUN_DROPPED : RUN_EXITED, INT64_MAX, "status");
    store_journal_forget(&t.journal);
  }
  for (int round = 0; round < 2; round++) {
    world_again(w);
    assert_int_equal(store_id(w->s).lo, id.lo);
    assert_int_equal(store_id(w->s).hi, id.hi);
    assert_int_equal(store_journey(w->s, "welcome", "v2", "{\"b\":2}", 7), second);
    assert_int_equal(store_element(w->s, second, "email", "call_api", 3), email);
    buf name = BUF_EMPTY, version = BUF_EMPTY, bundle = BUF_EMPTY;
    assert_int_equal(store_journey_read(w->s, second, &name, &version, &bundle), 0);
    assert_string_equal(buf_text(&name), "welcome");
    assert_string_equal(buf_text(&version), "v2");
    assert_string_equal(buf_text(&bundle), "{\"b\":2}");
    buf_free(&name);
    buf_free(&version);
    buf_free(&bundle);
    store_report *report = store_report_new(w->s, second, false);
    assert_int_equal(report->entered, 3);
    assert_int_equal(report->states[RUN_DROPPED], 2);
    assert_int_equal(report->exit_count, 1);
    assert_string_equal(report->exits[0].reason, "status");
    assert_int_equal(report->element_count, 2);
    assert_string_equal(report->elements[1].name, "sms");
    assert_int_equal(report->elements[1].line, 7);
    assert_int_equal(report->elements[1].counts[ELEMENT_REACHED], 3);
    assert_int_equal(report->elements[1].counts[ELEMENT_DROPPED], 2);
    assert_int_equal(report->elements[1].reasons[0].count, 2);
    assert_string_equal(report->elements[1].reasons[0].detail, "503");
    store_report_free(report);
    report = store_report_new(w->s, second, true);
    assert_int_equal(report->entered, 0);
    store_report_free(report);
  }
}

static void the_rows_of_counters_stay_few_however_many_details_there_are(void **state) {
  world *w = *state;
  traveller t;
  for (int i = 0; i < 500; i++) {
    char detail[16];
    snprintf(detail, sizeof detail, "%d", i);
    world_enter(w, &t, "ada");
    store_settle settle = {.person = t.person, .entry = 1, .element = w->element, .due_ms = INT64_MAX};
    world_record(w, &t,
                 (store_record){.kind = RECORD_END,
                                .element = w->element,
                                .reason = "status",
                                .detail = detail,
                                .settle = &settle},
                 RUN_DROPPED);
    store_journal_forget(&t.journal);
    if (i % 7 == 0) world_sync(w);
  }
  world_close(w);
  assert_in_range(ask(w, "SELECT count(*) FROM counter"), 60, 80);
  assert_int_equal(ask(w, "SELECT sum(n) FROM counter WHERE reason = 'status'"), 500);
  world_open(w);
  store_report *report = store_report_new(w->s, w->journey, false);
  assert_in_range(report->elements[0].reason_count, 2, 70);
  store_report_free(report);
}

static void a_seeded_store_has_the_id_that_it_was_given(void **state) {
  world *w = *state;
  error err = {""};
  store_file options = {.path = w->path, .has_id = true, .id = {11, 12}};
  world_close(w);
  unlink(w->path);
  w->s = store_open_sqlite(&options, &err);
  assert_non_null(w->s);
  assert_int_equal(store_id(w->s).lo, 11);
  store_close(w->s);
  options.id.lo = 99; /* a file has its own */
  w->s = store_open_sqlite(&options, &err);
  assert_int_equal(store_id(w->s).lo, 11);
}

/* ---- events and attributes ---- */

static void events_wait_for_their_run_in_order_until_they_are_taken_or_it_ends(void **state) {
  world *w = *state;
  traveller t;
  char kinds[32];
  store_inbox_event *events;
  size_t count;
  store_position position = 0;
  uint64_t run = world_park(w, "ada", 5000), other = world_park(w, "bob", 5000);
  uint64_t first = store_event(
      w->lane, run,
      &(store_inbox_event){
          .print = 100, .name = (char *)"paid", .json = (char *)"{\"a\":1}", .length = 7, .at_ms = 100},
      &position);
  assert_int_equal(position, store_last(w->lane));
  uint64_t second =
      store_event(w->lane, run,
                  &(store_inbox_event){
                      .print = 200, .name = (char *)"left", .json = (char *)"{}", .length = 2, .at_ms = 200},
                  NULL);
  store_event(w->lane, other,
              &(store_inbox_event){
                  .print = 300, .name = (char *)"paid", .json = (char *)"{}", .length = 2, .at_ms = 300},
              NULL);
  assert_true(first > 0 && second > first);
  world_again(w);
  assert_int_equal(store_events(w->lane, run, &events, &count), 0);
  assert_int_equal(count, 2);
  assert_int_equal(events[0].number, first);
  assert_string_equal(events[0].name, "paid");
  assert_string_equal(events[0].json, "{\"a\":1}");
  assert_int_equal(events[0].length, 7);
  assert_int_equal(events[0].at_ms, 100);
  assert_int_equal(events[1].number, second);
  store_events_free(events, count);
  world_wake(w, run, &t, kinds);
  world_record(w, &t,
               (store_record){
                   .kind = RECORD_TAKEN, .element = NO_ELEMENT, .name = "paid", .numbers = {(int64_t)first}},
               RUN_RUNNING);
  world_sync(w);
  assert_int_equal(store_events(w->lane, run, &events, &count), 0);
  assert_int_equal(count, 1);
  assert_int_equal(events[0].number, second);
  store_events_free(events, count);
  assert_int_equal(store_has_event(w->lane, run, 100), 1); /* it came, all the same */
  assert_int_equal(store_has_event(w->lane, run, 101), 0);
  world_settle(w, &t, RUN_COMPLETED, INT64_MAX, NULL);
  store_journal_forget(&t.journal);
  world_again(w);
  store_event(w->lane, other,
              &(store_inbox_event){
                  .print = 300, .name = (char *)"paid", .json = (char *)"{}", .length = 2, .at_ms = 300},
              NULL); /* again: it is one */
  assert_true(
      store_event(w->lane, other,
                  &(store_inbox_event){
                      .print = 301, .name = (char *)"left", .json = (char *)"{}", .length = 2, .at_ms = 300},
                  NULL) > second);
  assert_int_equal(store_events(w->lane, run, &events, &count), 0);
  assert_int_equal(count, 0);
  world_sync(w);
  assert_int_equal(store_events(w->lane, other, &events, &count), 0);
  assert_int_equal(count, 2);
  store_events_free(events, count);
}

static void a_run_that_is_over_converts_and_stays_as_it_is(void **state) {
  world *w = *state;
  traveller t;
  char kinds[32];
  store_run before, after;
  uint64_t number = world_park(w, "ada", 5000);
  world_sync(w);
  world_wake(w, number, &t, kinds);
  world_settle(w, &t, RUN_DROPPED, INT64_MAX, "status");
  store_journal_forget(&t.journal);
  world_sync(w);
  assert_int_equal(store_find(w->lane, number, &before), 1);
  assert_int_equal(before.converted_ms, 0);
  store_position position = store_convert(w->lane, &before, 777);
  assert_int_equal(position, store_last(w->lane));
  world_again(w);
  assert_int_equal(store_find(w->lane, number, &after), 1);
  assert_int_equal(after.converted_ms, 777);
  assert_int_equal(after.state, RUN_DROPPED);
  assert_int_equal(after.since_ms, before.since_ms);
  assert_string_equal(after.reason, "status");
  store_report *report = store_report_new(w->s, w->journey, false);
  assert_int_equal(report->converted, 1);
  assert_int_equal(report->states[RUN_DROPPED], 1);
  store_report_free(report);
  world_wake(w, number, &t, kinds); /* it may be sent on, and ends once more */
  world_settle(w, &t, RUN_COMPLETED, INT64_MAX, NULL);
  store_journal_forget(&t.journal);
  world_again(w);
  store_run_free(&after);
  assert_int_equal(store_find(w->lane, number, &after), 1);
  assert_int_equal(after.converted_ms, 777);
  store_run_free(&before);
  store_run_free(&after);
}

static void what_predicates_have_refused_is_told_with_the_event(void **state) {
  world *w = *state;
  store_inbox_event *events;
  size_t count;
  uint64_t run = world_park(w, "ada", 5000), number = 0;
  const char *names[] = {"paid", "left", "paid", "paid"};
  for (uint64_t i = 0; i < 4; i++) {
    store_inbox_event event = {
        .print = i + 1, .name = (char *)names[i], .json = (char *)"{}", .length = 2, .met = i == 3};
    uint64_t given = store_event(w->lane, run, &event, NULL);
    if (i == 1) number = given;
  }
  store_refuse(w->lane, &(store_refusal){.run = run, .number = number});
  store_refuse(w->lane, &(store_refusal){.run = run, .number = number + 1, .name = "paid", .asked = 42});
  world_again(w);
  assert_int_equal(store_events(w->lane, run, &events, &count), 0);
  assert_int_equal(count, 4);
  const bool met[] = {true, true, false, true};
  const uint64_t asked[] = {42, 0, 42, 0};
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(events[i].met, met[i]);
    assert_int_equal(events[i].asked, asked[i]);
  }
  store_events_free(events, count);
}

static uint64_t an_event_comes(world *w, uint64_t run, uint64_t print) {
  store_inbox_event event = {.print = print, .name = (char *)"paid", .json = (char *)"{}", .length = 2};
  return store_event(w->lane, run, &event, NULL);
}

/* As many as the lane says, of each kind: the oldest give way, of this run alone. */
static void a_full_inbox_holds_the_newest(void **state) {
  world *w = *state;
  error err = {""};
  traveller t;
  char kinds[32];
  store_inbox_event *events;
  size_t count;
  uint64_t run = world_park(w, "ada", 5000), other = world_park(w, "bob", 5000), whose = 0;
  world_sync(w);
  store_lane_close(w->lane);
  w->lane = store_lane_open(w->s, w->journey,
                            &(store_lane_options){.durable = world_durable, .data = w, .inbox = 3}, &err);
  assert_non_null(w->lane);
  an_event_comes(w, other, 1);
  for (uint64_t i = 1; i <= 7; i++) {
    an_event_comes(w, run, i);
    if (i % 2) world_sync(w);
  }
  world_sync(w);
  assert_int_equal(store_events(w->lane, run, &events, &count), 0);
  assert_int_equal(count, 3);
  assert_int_equal(events[0].print, 5);
  assert_int_equal(store_crowded_out(w->lane, &whose), 4);
  assert_int_equal(whose, run);
  world_wake(w, run, &t, kinds);
  for (size_t i = 0; i < count; i++)
    world_record(w, &t,
                 (store_record){.kind = RECORD_TAKEN,
                                .element = NO_ELEMENT,
                                .name = "paid",
                                .numbers = {(int64_t)events[i].number}},
                 RUN_RUNNING);
  store_events_free(events, count);
  for (uint64_t i = 8; i <= 9; i++)
    world_record(w, &t,
                 (store_record){.kind = RECORD_TAKEN,
                                .element = NO_ELEMENT,
                                .name = "paid",
                                .numbers = {(int64_t)an_event_comes(w, run, i)}},
                 RUN_RUNNING);
  world_sync(w);
  assert_int_equal(store_has_event(w->lane, run, 7), 1);
  assert_int_equal(store_has_event(w->lane, run, 6), 0); /* too long ago */
  assert_int_equal(ask(w, "SELECT count(*) FROM inbox"), 3 + 1);
  assert_int_equal(store_crowded_out(w->lane, NULL), 4);
  assert_int_equal(store_has_event(w->lane, other, 1), 1);
  store_journal_forget(&t.journal);
}

static void the_newest_profile_of_a_person_is_kept(void **state) {
  world *w = *state;
  store_profile found;
  assert_int_equal(store_profile_of(w->lane, "ada", &found), 0);
  for (int i = 1; i <= 2; i++) {
    store_profile came = {
        .json = (char *)(i == 1 ? "{\"n\":1}" : "{\"n\":2}"), .length = 7, .fed = (uint64_t)i, .at_ms = i};
    store_profile_came(w->lane, "ada", &came);
    world_again(w);
  }
  assert_int_equal(store_profile_of(w->lane, "ada", &found), 1);
  assert_string_equal(found.json, "{\"n\":2}");
  assert_int_equal(found.fed, 2);
  assert_int_equal(found.at_ms, 2);
  free(found.json);
  assert_int_equal(store_profile_of(w->lane, "bob", &found), 0);
}

typedef struct gathered {
  int count;
  char text[256];
} gathered;

static void gather(void *data, const char *name, const char *json, size_t length, int64_t at_ms) {
  gathered *g = data;
  size_t used = strlen(g->text);
  snprintf(g->text + used, sizeof g->text - used, "%s=%.*s@%d ", name, (int)length, json, (int)at_ms);
  g->count++;
}

static void write_attribute(world *w, traveller *t, const char *name, const char *json) {
  world_record(w, t,
               (store_record){.kind = RECORD_WRITE,
                              .element = NO_ELEMENT,
                              .name = name,
                              .data = json,
                              .data_length = strlen(json),
                              .extra = t->person,
                              .extra_length = strlen(t->person)},
               t->state);
}

static void what_a_script_writes_to_a_person_outlives_the_run(void **state) {
  world *w = *state;
  traveller t;
  world_enter(w, &t, "ada");
  write_attribute(w, &t, "city", "\"Paris\"");
  write_attribute(w, &t, "city", "\"Rome\"");
  write_attribute(w, &t, "age", "36");
  world_settle(w, &t, RUN_COMPLETED, INT64_MAX, NULL);
  store_journal_forget(&t.journal);
  world_again(w);
  gathered g = {0};
  assert_int_equal(store_attributes(w->lane, "ada", gather, &g), 0);
  assert_string_equal(g.text, "age=36@1000 city=\"Rome\"@1000 ");
  g = (gathered){0};
  assert_int_equal(store_attributes(w->lane, "bob", gather, &g), 0);
  assert_int_equal(g.count, 0);
}

static void a_journey_is_paused_in_all_its_versions_and_stays_so(void **state) {
  world *w = *state;
  uint32_t newer = store_journey(w->s, "welcome", "v2", "{}", 2),
           other = store_journey(w->s, "other", "v1", "{}", 2);
  store_pause(w->s, newer, 77);
  assert_int_equal(store_paused(w->s, w->journey), 77);
  assert_int_equal(store_paused(w->s, other), 0);
  while (store_pause_kept(w->s, newer) != 77) usleep(100);
  world_again(w);
  assert_int_equal(store_paused(w->s, newer), 77);
  assert_int_equal(store_pause_kept(w->s, newer), 77);
  assert_int_equal(store_paused(w->s, other), 0);
  store_pause(w->s, newer, 0);
  world_again(w);
  assert_int_equal(store_paused(w->s, w->journey), 0);
}

/* Each search by an index: opening and waking cost the same with a million runs. */
static void nothing_is_searched_for_from_end_to_end(void **state) {
  world *w = *state;
  static const char *const searches[] = {
      "SELECT * FROM run WHERE number = 1",
      "SELECT run, past FROM entered WHERE who = 1",
      "SELECT number FROM run WHERE number >= 1 ORDER BY number LIMIT 5",
      "SELECT max(at) FROM fresh",
      "SELECT bytes FROM segment WHERE key BETWEEN 1 AND 2 ORDER BY key",
      "SELECT number FROM inbox WHERE run = 1",
      "SELECT number FROM inbox WHERE run = 1 AND taken = 0 ORDER BY number DESC LIMIT 1 OFFSET 3",
      "SELECT number FROM inbox WHERE run = 1 AND taken = 1 ORDER BY number DESC LIMIT 1 OFFSET 3",
      "SELECT json FROM attribute WHERE person = 'a'",
      ("SELECT due, run FROM timer WHERE family = 1 AND shard = 1 AND (due, run) >= (1, 1) ORDER BY due, run "
       "LIMIT 5"),
      ("SELECT run.journey FROM timer CROSS JOIN run ON run.number = timer.run WHERE timer.family = 1 AND "
       "timer.shard = 1 AND timer.due = 0 AND run.state = 1"),
      "SELECT max(number) FROM run",
  };
  sqlite3 *db;
  world_close(w);
  assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
  for (size_t i = 0; i < sizeof searches / sizeof *searches; i++) {
    char sql[512];
    sqlite3_stmt *s;
    snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", searches[i]);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    while (sqlite3_step(s) == SQLITE_ROW) {
      const char *how = (const char *)sqlite3_column_text(s, 3);
      if (strncmp(how, "SEARCH", 6) != 0) fail_msg("%s: %s", searches[i], how);
    }
    sqlite3_finalize(s);
  }
  sqlite3_close(db);
  world_open(w);
}

#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void) {
  const struct CMUnitTest tests[] = {
      FILE_TEST(a_parked_run_is_found_with_all_that_is_known_of_it),
      FILE_TEST(a_run_wakes_with_all_its_records_however_often_it_was_parked),
      FILE_TEST(a_run_that_goes_straight_through_has_one_row_and_no_other),
      FILE_TEST(a_restarted_run_does_not_read_what_it_did_before),
      FILE_TEST(a_persons_runs_come_newest_first_and_only_of_this_journey),
      FILE_TEST(a_held_run_that_is_sent_on_is_running_after_a_crash),
      FILE_TEST(a_forgotten_run_that_had_not_changed_is_told_again),
      FILE_TEST(open_runs_are_running_and_due_at_once_when_the_file_is_opened_again),
      FILE_TEST(the_log_is_empty_once_everything_is_settled),
      FILE_TEST(a_run_that_stays_open_does_not_make_the_log_grow_for_ever),
      FILE_TEST(names_ids_and_counters_last),
      FILE_TEST(the_rows_of_counters_stay_few_however_many_details_there_are),
      FILE_TEST(a_seeded_store_has_the_id_that_it_was_given),
      FILE_TEST(events_wait_for_their_run_in_order_until_they_are_taken_or_it_ends),
      FILE_TEST(what_a_script_writes_to_a_person_outlives_the_run),
      FILE_TEST(a_run_that_is_over_converts_and_stays_as_it_is),
      FILE_TEST(what_predicates_have_refused_is_told_with_the_event),
      FILE_TEST(a_full_inbox_holds_the_newest),
      FILE_TEST(the_newest_profile_of_a_person_is_kept),
      FILE_TEST(a_journey_is_paused_in_all_its_versions_and_stays_so),
      FILE_TEST(nothing_is_searched_for_from_end_to_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
