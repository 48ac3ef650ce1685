/* A doubly linked list that lives inside its members: no allocation, removal in O(1).
 *
 * A `list` is a ring with a head of its own; an unlinked member points at itself. */
#ifndef JAUNT_BASE_LIST_H
#define JAUNT_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct list {
  struct list *next, *prev;
} list;

/* The structure of which `member` (a list *) is the field `field`. */
#define LIST_OF(type, field, member) ((type *)((char *)(member)-offsetof(type, field)))

static inline void list_init(list *l) {
  l->next = l->prev = l;
}

static inline bool list_empty(const list *l) {
  return l->next == l;
}

static inline void list_push(list *head, list *member) {
  member->prev = head->prev;
  member->next = head;
  head->prev->next = member;
  head->prev = member;
}

static inline void list_remove(list *member) {
  member->prev->next = member->next;
  member->next->prev = member->prev;
  list_init(member);
}

/* Takes the oldest member out; NULL when the list is empty. */
static inline list *list_pop(list *head) {
  if (list_empty(head)) return NULL;
  list *member = head->next;
  list_remove(member);
  return member;
}

/* Moves all members of `from` behind those of `to`. */
static inline void list_move_all(list *to, list *from) {
  if (list_empty(from)) return;
  from->next->prev = to->prev;
  to->prev->next = from->next;
  from->prev->next = to;
  to->prev = from->prev;
  list_init(from);
}

#endif
