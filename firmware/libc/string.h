/* The five memory functions generated code may use, for compilers that bring no C library headers. */
#ifndef TINYGEN_STRING_H
#define TINYGEN_STRING_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

void *memcpy(void *to, const void *from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int value, size_t count);
int memcmp(const void *left, const void *right, size_t count);
size_t strlen(const char *text);

#ifdef __cplusplus
}
#endif

/* A freestanding compiler takes memcpy for any function and calls it even for four bytes; its builtin is a load. */
#define memcpy(to, from, count) __builtin_memcpy(to, from, count)
#define memmove(to, from, count) __builtin_memmove(to, from, count)
#define memset(to, value, count) __builtin_memset(to, value, count)

#endif
