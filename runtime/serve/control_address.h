/* The address of a socket in the file system, however long its path is. */
#ifndef JAUNT_SERVE_CONTROL_ADDRESS_H
#define JAUNT_SERVE_CONTROL_ADDRESS_H

#include <sys/socket.h>
#include <sys/un.h>

#include "base/error.h"

typedef struct control_address {
  struct sockaddr_un at;
  int folder; /* open for as long as the address is used; -1: none is needed */
} control_address;

/* 0, or -1 with the reason. */
int control_address_of(const char *path, control_address *out, error *err);
void control_address_free(control_address *address);

#endif
