/*
 * The ABI in WebAssembly: the functions of troupe_plugin.h, exported by a core module together with its memory, and two
 * more by which the host gets room there. A pointer is an offset in that memory, a size_t 32 bits.
 *
 * The module runs in a thread of its own and has no other: the host's table says wake_kind 0, and nobody is ever woken. A
 * plugin speaks when it is pushed to, and is pulled until it has nothing more; a push never finds it full for long. All
 * that it may import are the functions at the end of this file, from the module "troupe". It must declare a maximum of its
 * memory (wasm-ld: --max-memory=268435456 at the most), and no function may run longer than the host waits (5 s).
 */
#ifndef TROUPE_WASM_H
#define TROUPE_WASM_H

#include <stddef.h>
#include <stdint.h>

#include "troupe_plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Room of so many bytes for the host to write to and read from; NULL when there is none. */
TROUPE_EXPORT void *troupe_plugin_alloc(size_t size);
/* The host doesn't need it any more. */
TROUPE_EXPORT void troupe_plugin_free(void *memory, size_t size);

#if defined(__wasm__)
#define TROUPE_IMPORT(name) __attribute__((import_module("troupe"), import_name(name)))

/* Milliseconds since 1970. */
TROUPE_IMPORT("now_ms") double troupe_now_ms(void);
/* Fills memory with bytes that nobody can guess. */
TROUPE_IMPORT("random") void troupe_random(void *into, size_t size);
#endif

#ifdef __cplusplus
}
#endif
#endif
