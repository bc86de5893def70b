/*
 * The ABI of native plugins: five functions that a shared library exports, and the table that the host hands it.
 *
 * No callback, nothing allocated crosses, and no thread of the plugin's ever calls into the host. The plugin keeps a
 * queue of its frames; the host pulls it. One byte on a descriptor says that the queue is no longer empty.
 *
 * A frame is a length (u32, little-endian) and so many bytes: a HostFrame to the plugin, a PluginFrame from it, in
 * Protocol Buffers, as protocol/schemas/plugin/v1/plugin.proto says. Most plugins never see one: they are written
 * with troupe_actor.h, the Rust crate, or another SDK.
 *
 * Threads. The host calls open and close off its main thread, and push and pull from one thread at a time, never
 * inside each other, never before open has returned and never after close began. Neither may block: what takes longer
 * is the plugin's own thread's to do. Several opens of one library live in one process and share its statics. Nobody
 * forks.
 *
 * History of the version (major << 16 | minor; the host takes every minor of its own major, and reads no field past
 * `size`; a table grows at its end alone):
 *
 *   1.0  The first.
 */
#ifndef TROUPE_PLUGIN_H
#define TROUPE_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TROUPE_ABI_MAJOR 1u
#define TROUPE_ABI_MINOR 0u
#define TROUPE_ABI ((TROUPE_ABI_MAJOR << 16) | TROUPE_ABI_MINOR)

/* A module of WebAssembly is looked at after each push, and has nobody to wake: troupe_wasm.h. */
#define TROUPE_WAKE_NONE 0u
#define TROUPE_WAKE_FD 1u
#define TROUPE_WAKE_HANDLE 2u

#if defined(_WIN32)
#define TROUPE_EXPORT __declspec(dllexport)
#else
#define TROUPE_EXPORT __attribute__((visibility("default")))
#endif

/* What the host is. The host's memory, valid while open runs: what is needed later is copied. */
typedef struct {
  uint32_t size; /* of this table, in bytes: a field past it isn't there */
  uint32_t abi;  /* the host's version */
  /* Write one byte to it when the queue was empty and no longer is, and when room was made after a push that found
   * none. Non-blocking, closed on exec; EAGAIN means that a signal is on its way already. The host's: never closed by
   * the plugin, valid until close has returned 0, and for ever when it returned 1. Not needed for frames that are made
   * while push runs: the host pulls after every push. */
  int64_t wake;
  uint32_t wake_kind;  /* TROUPE_WAKE_FD or TROUPE_WAKE_HANDLE */
  uint32_t max_frame;  /* bytes of the longest frame, either way */
  uint32_t max_queued; /* frames that the plugin keeps at the most; at that point push gives 1 */
} troupe_host;

/* One open plugin. The plugin's own, made by open, freed by close. */
typedef struct troupe_plugin troupe_plugin;

/* The library's version. Called first, before anything else, on any thread; its meaning never changes. */
TROUPE_EXPORT uint32_t troupe_plugin_abi(void);

/*
 * Opens a plugin. `config` is JSON text, or nothing; the host's memory, valid while this runs. A configuration that is
 * wrong is not an error of open: open succeeds, and Hello is answered with Failed and text.
 * 0: *out is a plugin, and the caller's until it gives it to close. Anything else: nothing was made, *out isn't read.
 */
TROUPE_EXPORT int32_t troupe_plugin_open(const troupe_host *host, const uint8_t *config, size_t n,
                                         troupe_plugin **out);

/*
 * Gives frames to the plugin: whole ones, one or more. The memory is the host's, valid while this runs.
 * 0: all were taken. 1: full, none was taken; the host comes again. Below 0: broken, and only close may follow.
 */
TROUPE_EXPORT int32_t troupe_plugin_push(troupe_plugin *plugin, const uint8_t *frames, size_t n);

/*
 * Takes frames from the plugin: as many whole ones as fit, written to `into`, which is the host's.
 * Above 0: so many bytes. 0: the queue is empty. Below 0: the next frame alone needs minus that many bytes; when that is
 * more than a frame may have, the plugin is broken, and only close may follow.
 */
TROUPE_EXPORT int64_t troupe_plugin_pull(troupe_plugin *plugin, uint8_t *into, size_t capacity);

/*
 * Ends the plugin, within `timeout_ms`. The handle is the plugin's again, whatever is returned.
 * 0: none of its threads runs, and all is freed. 1: some still run: the library stays mapped, the descriptor open.
 */
TROUPE_EXPORT int32_t troupe_plugin_close(troupe_plugin *plugin, uint32_t timeout_ms);

#ifdef __cplusplus
}
#endif
#endif
