/*
 * malloc and its kin, for a module without a C library; and the room that the host asks for.
 *
 * What is free is a list in the order of its addresses. The first that is large enough is taken; what is given back grows
 * together with its neighbours. The module's memory grows when nothing fits, up to what it declares.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "troupe_wasm.h"

#define PAGE 65536u
/* Sizes and addresses are whole units, so that anything may lie at an address that is given out. */
#define UNIT 16u

typedef struct block {
  struct block *next; /* while it is free */
  size_t size;        /* with this head, in bytes */
  uint64_t unused;
} block;

_Static_assert(sizeof(block) == UNIT, "a block's head is a unit");

extern unsigned char __heap_base;

static block *first;
/* Memory behind the heap's end is the next block's. */
static uintptr_t heap_end;

static uintptr_t memory_end(void) { return (uintptr_t)__builtin_wasm_memory_size(0) * PAGE; }

/* A block of at least `size` bytes behind all others. */
static block *grow(size_t size) {
  if (heap_end == 0) heap_end = ((uintptr_t)&__heap_base + UNIT - 1) & ~(uintptr_t)(UNIT - 1);
  size_t room = memory_end() - heap_end;
  if (room < size) {
    size_t pages = (size - room + PAGE - 1) / PAGE;
    if (__builtin_wasm_memory_grow(0, pages) == SIZE_MAX) return NULL;
    room = memory_end() - heap_end;
  }
  block *made = (block *)heap_end;
  made->size = room & ~(size_t)(UNIT - 1);
  heap_end += made->size;
  return made;
}

static void give_back(block *given) {
  block **at = &first, *before = NULL;
  for (; *at != NULL && *at < given; at = &(*at)->next) before = *at;
  given->next = *at;
  *at = given;
  if (given->next != NULL && (uintptr_t)given + given->size == (uintptr_t)given->next) {
    given->size += given->next->size;
    given->next = given->next->next;
  }
  if (before == NULL || (uintptr_t)before + before->size != (uintptr_t)given) return;
  before->size += given->size;
  before->next = given->next;
}

/* The first free block of that size: as much of it as is needed. */
static block *take(size_t size) {
  for (block **at = &first; *at != NULL; at = &(*at)->next) {
    block *found = *at;
    if (found->size < size) continue;
    if (found->size < size + 2 * UNIT) {
      *at = found->next;
      return found;
    }
    block *rest = (block *)((uintptr_t)found + size);
    rest->size = found->size - size;
    rest->next = found->next;
    *at = rest;
    found->size = size;
    return found;
  }
  return NULL;
}

void *malloc(size_t size) {
  if (size > SIZE_MAX / 2) return NULL;
  size_t needed = (size + 2 * UNIT - 1) & ~(size_t)(UNIT - 1);
  block *found = take(needed);
  if (found == NULL) {
    block *more = grow(needed);
    if (more == NULL) return NULL;
    give_back(more);
    found = take(needed);
  }
  return found == NULL ? NULL : (uint8_t *)found + UNIT;
}

void free(void *memory) {
  if (memory != NULL) give_back((block *)((uint8_t *)memory - UNIT));
}

void *calloc(size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
  void *memory = malloc(bytes);
  if (memory != NULL) memset(memory, 0, bytes);
  return memory;
}

void *realloc(void *memory, size_t size) {
  if (memory == NULL) return malloc(size);
  size_t room = ((block *)((uint8_t *)memory - UNIT))->size - UNIT;
  if (size <= room) return memory;
  void *larger = malloc(size);
  if (larger == NULL) return NULL;
  memcpy(larger, memory, room);
  free(memory);
  return larger;
}

void *troupe_plugin_alloc(size_t size) { return malloc(size); }

void troupe_plugin_free(void *memory, size_t size) {
  (void)size;
  free(memory);
}
