/* Which answer a request gets: the vendor's own pages, drawn faults, repeats, the behaviour, or a plain 200.
 */
#include <string.h>

#include "serve/vendor_parts.h"
#include "serve/vendor_tell.h"

/* ---- own pages ---- */

static void show_health(vendor *v, const vendor_request *r, vendor_answer *answer) {
  (void)v;
  (void)r;
  vendor_answer_json(answer, 200, "{\"ok\":true}\n", 12);
}

static void show_received(vendor *v, const vendor_request *r, vendor_answer *answer) {
  buf json = BUF_EMPTY;
  int status = vendor_tell(v->record, &r->query, &json);
  vendor_answer_json(answer, status, "", 0);
  answer->body = json;
}

static void do_reset(vendor *v, const vendor_request *r, vendor_answer *answer) {
  (void)r;
  vendor_record_clear(v->record);
  vendor_answer_json(answer, 200, "{\"ok\":true}\n", 12);
}

static const struct {
  const char *name, *method;
  void (*show)(vendor *v, const vendor_request *r, vendor_answer *answer);
} pages[] = {
    {"_health", "GET", show_health},
    {"_received", "GET", show_received},
    {"_reset", "POST", do_reset},
};

static void show_page(vendor *v, const vendor_request *r, vendor_answer *answer) {
  for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
    if (strcmp(pages[i].name, vendor_request_connection(r)) != 0) continue;
    if (strcmp(pages[i].method, r->method) == 0)
      pages[i].show(v, r, answer);
    else
      vendor_answer_error(answer, 405,
                          "this page takes another method: GET /_health, GET /_received, POST /_reset");
    return;
  }
  vendor_answer_error(answer, 404, "no such page: there are /_health, /_received and /_reset");
}

/* ---- requests ---- */

static void process(vendor *v, const vendor_request *r, const vendor_arrival *arrival, vendor_decision *d) {
  vendor_item *item = arrival->item;
  vendor_behaved behaved = BEHAVED_NOT;
  if (v->behaviour != NULL) behaved = vendor_behaviour_answer(v->behaviour, r, &d->answer);
  if (d->answer.latency_ms > 0) d->latency_ms = d->answer.latency_ms;
  d->reset = d->reset || d->answer.reset;
  d->plain = behaved == BEHAVED_NOT;
  d->status = d->plain ? 200 : d->answer.status;
  if (d->status >= 200 && d->status < 300) {
    if (item->accepted > 0) vendor_record_count(v->record, arrival, VENDOR_COUNT(doubles));
    vendor_record_accepted(v->record, item, &d->answer);
    vendor_record_count(v->record, arrival, VENDOR_COUNT(accepted));
  } else {
    vendor_record_count(v->record, arrival, VENDOR_COUNT(refused));
    if (behaved == BEHAVED_IN_ERROR) vendor_record_count(v->record, arrival, VENDOR_COUNT(errors));
  }
}

static void repeat(vendor *v, const vendor_arrival *arrival, vendor_decision *d) {
  const vendor_answer *first = &arrival->item->answer;
  if (first->status != 0)
    vendor_answer_copy(&d->answer, first);
  else
    vendor_answer_json(&d->answer, 200, "{\"ok\":true}\n", 12); /* the plain one is not kept with each item */
  vendor_pairs_add(&d->answer.headers, vendor_text_of("Idempotent-Replay", 17), vendor_text_of("true", 4));
  d->status = d->answer.status;
  vendor_record_count(v->record, arrival, VENDOR_COUNT(repeats));
}

static void refuse(vendor_decision *d, int status, const char *why) {
  vendor_answer_error(&d->answer, status, why);
  d->status = status;
}

static void answer_request(vendor *v, const vendor_request *r, const vendor_arrival *arrival,
                           vendor_decision *d) {
  if (arrival->two_bodies) {
    refuse(d, 422, "this idempotency key came before with another method, target or body");
    vendor_record_count(v->record, arrival, VENDOR_COUNT(refused));
  } else if (arrival->item->accepted > 0 && !r->keyless) {
    repeat(v, arrival, d);
  } else {
    process(v, r, arrival, d);
  }
}

void vendor_decide(vendor *v, vendor_request *r, vendor_decision *d) {
  const char *connection = vendor_request_connection(r);
  const vendor_lookalike *look = v->behaviour ? vendor_behaviour_find(v->behaviour, connection) : NULL;
  const vendor_faults *faults = look != NULL ? &look->faults : &v->faults;
  if (connection[0] == '_') {
    show_page(v, r, &d->answer);
    return;
  }
  vendor_request_settle(r, look != NULL ? look->key_header : NULL);
  vendor_arrival arrival = vendor_record_arrived(v->record, r);
  vendor_fault fault = vendor_fault_draw(faults, v->seed, r->key.bytes, r->key.length, r->attempt);
  d->latency_ms = faults->latency_ms;
  d->reset = fault == FAULT_RESET_BEFORE || fault == FAULT_RESET_AFTER;
  if (fault == FAULT_FAIL) {
    refuse(d, 503, "a failure that was asked for (--fail)");
    vendor_record_count(v->record, &arrival, VENDOR_COUNT(failed));
  } else if (fault != FAULT_RESET_BEFORE) {
    answer_request(v, r, &arrival, d);
  }
  if (d->reset) vendor_record_count(v->record, &arrival, VENDOR_COUNT(reset));
  if (fault == FAULT_RESET_AFTER) vendor_record_count(v->record, &arrival, VENDOR_COUNT(lost));
  vendor_record_status(v->record, arrival.item, d->reset ? 0 : d->status);
}
