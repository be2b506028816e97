/* The serial lines of the bench firmware, without the bench: assembling requests, writing answers, checksums.
 * tinygen/protocol.py is where the grammar is written down. */
#ifndef TINYGEN_PROTOCOL_H
#define TINYGEN_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TG_LINE_BYTES 81 /* 80 characters and the terminator */

/* The request being received, a line, or a command of the other protocol, which ends with a percent sign. `overlong`
 * swallows the rest of what does not fit. */
struct tg_line {
    char text[TG_LINE_BYTES];
    uint8_t length;
    bool overlong;
};

enum tg_line_state {
    TG_LINE_OPEN,
    TG_LINE_READY,
    TG_LINE_OVERLONG,
    TG_COMMAND_READY,
    TG_COMMAND_OVERLONG,
};

/* Adds a received byte. All but OPEN end a line or a command; the next byte starts a new one. Carriage returns vanish.
 */
enum tg_line_state tg_line_add(struct tg_line *line, int byte);

/* If the text at *cursor starts with this word, moves *cursor past it and the space behind it. */
bool tg_take_word(const char **cursor, const char *word);

/* Reads a number in the given base (10 or 16), at most 32 bits, ended by a space or the end of the line. */
bool tg_take_number(const char **cursor, uint32_t base, uint32_t *value);

/* CRC-32 as in zlib: start from 0 and pass the result on. */
uint32_t tg_crc32(uint32_t crc, const uint8_t *bytes, size_t count);

void tg_write(const char *text);
void tg_write_bytes(const uint8_t *bytes, size_t count);
void tg_write_hex(uint32_t value);
void tg_write_hex_byte(uint8_t value);
void tg_write_number(uint32_t value);
/* Answers are `tg WORD key=value key=value`, their checksum ` sum=` and a line end; tg_end() adds the last two. */
void tg_field_text(const char *key, const char *value);
void tg_field_number(const char *key, uint32_t value);
void tg_field_hex(const char *key, uint32_t value);
void tg_field_long(const char *key, uint64_t value);
void tg_end(void);

#endif
