/* Bytes and texts, for a module without a C library. Copies are instructions of the machine. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size) { return __builtin_memcpy(to, from, size); }

void *memmove(void *to, const void *from, size_t size) { return __builtin_memmove(to, from, size); }

void *memset(void *to, int byte, size_t size) { return __builtin_memset(to, byte, size); }

int memcmp(const void *one, const void *other, size_t size) {
  const uint8_t *a = one, *b = other;
  for (; size > 0; size -= 1, a += 1, b += 1)
    if (*a != *b) return *a < *b ? -1 : 1;
  return 0;
}

size_t strlen(const char *text) {
  const char *end = text;
  while (*end != 0) end += 1;
  return (size_t)(end - text);
}

int strcmp(const char *one, const char *other) {
  for (; *one != 0 && *one == *other; other += 1) one += 1;
  return (unsigned char)*one - (unsigned char)*other;
}

_Noreturn void abort(void) { __builtin_trap(); }

typedef struct {
  char *into;
  size_t size;
  size_t length; /* with what had no room */
} output;

static void put(output *out, char byte) {
  if (out->length + 1 < out->size) out->into[out->length] = byte;
  out->length += 1;
}

static void put_number(output *out, uint64_t number, unsigned base) {
  char digits[20];
  size_t count = 0;
  do digits[count++] = "0123456789abcdef"[number % base];
  while ((number /= base) > 0);
  while (count > 0) put(out, digits[--count]);
}

static void put_signed(output *out, int64_t number) {
  if (number < 0) put(out, '-');
  put_number(out, number < 0 ? 0 - (uint64_t)number : (uint64_t)number, 10);
}

int snprintf(char *into, size_t size, const char *format, ...) {
  output out = {into, size, 0};
  va_list values;
  va_start(values, format);
  for (; *format != 0; format += 1) {
    if (*format != '%') {
      put(&out, *format);
      continue;
    }
    int wide = 0;
    for (format += 1; *format == 'l' || *format == 'z'; format += 1) wide += *format == 'l';
    if (*format == 'd' || *format == 'i') put_signed(&out, wide > 1 ? va_arg(values, int64_t) : va_arg(values, int));
    else if (*format == 'u' || *format == 'x')
      put_number(&out, wide > 1 ? va_arg(values, uint64_t) : va_arg(values, unsigned), *format == 'u' ? 10 : 16);
    else if (*format == 's')
      for (const char *text = va_arg(values, const char *); *text != 0; text += 1) put(&out, *text);
    else if (*format == 'c') put(&out, (char)va_arg(values, int));
    else if (*format == '%') put(&out, '%');
    else abort();
  }
  va_end(values);
  if (size > 0) into[out.length < size ? out.length : size - 1] = 0;
  return (int)out.length;
}
