/* memcpy, memmove, memset, memcmp and strlen: all the C library a firmware needs, words at a time where aligned. */
#include <stddef.h>
#include <stdint.h>

/* Compilers recognise these loops and would replace them by calls of the very functions they implement. */
#if defined(__clang__)
#define NO_IDIOM __attribute__((no_builtin))
#else
#define NO_IDIOM __attribute__((optimize("no-tree-loop-distribute-patterns")))
#endif

void *memcpy(void *to, const void *from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int value, size_t count);
int memcmp(const void *left, const void *right, size_t count);
size_t strlen(const char *text);

typedef uint32_t __attribute__((may_alias)) word;

NO_IDIOM void *memcpy(void *to, const void *from, size_t count)
{
    unsigned char *out = to;
    const unsigned char *in = from;
    if ((((uintptr_t)out ^ (uintptr_t)in) & 3u) == 0u) {
        for (; count != 0u && ((uintptr_t)out & 3u) != 0u; count--) {
            *out++ = *in++;
        }
        word *out_words = (word *)(void *)out;
        const word *in_words = (const word *)(const void *)in;
        for (; count >= 16u; count -= 16u) {
            word a = in_words[0], b = in_words[1], c = in_words[2], d = in_words[3];
            out_words[0] = a;
            out_words[1] = b;
            out_words[2] = c;
            out_words[3] = d;
            out_words += 4;
            in_words += 4;
        }
        for (; count >= 4u; count -= 4u) {
            *out_words++ = *in_words++;
        }
        out = (unsigned char *)out_words;
        in = (const unsigned char *)in_words;
    }
    for (; count != 0u; count--) {
        *out++ = *in++;
    }
    return to;
}

NO_IDIOM void *memmove(void *to, const void *from, size_t count)
{
    unsigned char *out = to;
    const unsigned char *in = from;
    if ((uintptr_t)out - (uintptr_t)in >= count) {
        return memcpy(to, from, count); /* ascending is safe: memcpy above never looks back */
    }
    out += count;
    in += count;
    if ((((uintptr_t)out ^ (uintptr_t)in) & 3u) == 0u) {
        for (; count != 0u && ((uintptr_t)out & 3u) != 0u; count--) {
            *--out = *--in;
        }
        word *out_words = (word *)(void *)out;
        const word *in_words = (const word *)(const void *)in;
        for (; count >= 4u; count -= 4u) {
            *--out_words = *--in_words;
        }
        out = (unsigned char *)out_words;
        in = (const unsigned char *)in_words;
    }
    for (; count != 0u; count--) {
        *--out = *--in;
    }
    return to;
}

NO_IDIOM void *memset(void *to, int value, size_t count)
{
    unsigned char *out = to;
    const unsigned char byte = (unsigned char)value;
    for (; count != 0u && ((uintptr_t)out & 3u) != 0u; count--) {
        *out++ = byte;
    }
    word *words = (word *)(void *)out;
    const word pattern = (word)byte * 0x01010101u;
    for (; count >= 4u; count -= 4u) {
        *words++ = pattern;
    }
    out = (unsigned char *)words;
    for (; count != 0u; count--) {
        *out++ = byte;
    }
    return to;
}

NO_IDIOM int memcmp(const void *left, const void *right, size_t count)
{
    const unsigned char *a = left;
    const unsigned char *b = right;
    for (; count != 0u; count--, a++, b++) {
        if (*a != *b) {
            return (int)*a - (int)*b;
        }
    }
    return 0;
}

NO_IDIOM size_t strlen(const char *text)
{
    const char *end = text;
    while (*end != '\0') {
        end++;
    }
    return (size_t)(end - text);
}
