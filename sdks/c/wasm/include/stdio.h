/* Texts alone: a plugin has no files. Knows %d %i %u %x %c %s %% and the lengths l, ll and z; no widths. */
#ifndef TROUPE_WASM_STDIO_H
#define TROUPE_WASM_STDIO_H

#include <stddef.h>

__attribute__((format(printf, 3, 4))) int snprintf(char *into, size_t size, const char *format, ...);

#endif
