/* Limits of the host's that the SDK keeps. */
#ifndef TROUPE_LIMITS_H
#define TROUPE_LIMITS_H

#include <stddef.h>

static const size_t PLUGIN_REQUEST_BODY_BYTES = 8388608;
static const size_t BODY_CHUNK_BYTES = 65536;

#endif
