/* A module has one thread, the host's: nobody else holds a lock, and nobody waits. */
#ifndef TROUPE_WASM_PTHREAD_H
#define TROUPE_WASM_PTHREAD_H

typedef int pthread_t;
typedef int pthread_mutex_t;
typedef int pthread_cond_t;

static inline int pthread_mutex_init(pthread_mutex_t *lock, const void *attributes) {
  (void)attributes;
  return *lock = 0;
}
static inline int pthread_cond_init(pthread_cond_t *condition, const void *attributes) {
  (void)attributes;
  return *condition = 0;
}
static inline int pthread_mutex_destroy(pthread_mutex_t *lock) { return (void)lock, 0; }
static inline int pthread_mutex_lock(pthread_mutex_t *lock) { return (void)lock, 0; }
static inline int pthread_mutex_unlock(pthread_mutex_t *lock) { return (void)lock, 0; }
static inline int pthread_cond_destroy(pthread_cond_t *condition) { return (void)condition, 0; }
static inline int pthread_cond_broadcast(pthread_cond_t *condition) { return (void)condition, 0; }

#endif
