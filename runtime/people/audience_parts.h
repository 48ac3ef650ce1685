/* What tests need of the audience beyond audience.h. */
#ifndef JAUNT_PEOPLE_AUDIENCE_PARTS_H
#define JAUNT_PEOPLE_AUDIENCE_PARTS_H

#include <stddef.h>

#include "people/audience.h"

/* audience_open, reading `chunk` bytes (from 1) at a time: so every place of a file can be a chunk's border.
 */
audience *audience_open_chunked(const audience_options *options, size_t chunk, error *err);

#endif
