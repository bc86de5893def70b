/* Memory comes from the module's own, which grows up to its declared maximum: then these give NULL. */
#ifndef TROUPE_WASM_STDLIB_H
#define TROUPE_WASM_STDLIB_H

#include <stddef.h>

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *memory, size_t size);
void free(void *memory);
_Noreturn void abort(void);

#endif
