/* The serial lines of the bench firmware: assembling requests, writing answers, checksums. */
#include "protocol.h"

#include "tinygen_port.h"

enum tg_line_state tg_line_add(struct tg_line *line, int byte)
{
    if (byte == '\n' || byte == '%') {
        const bool overlong = line->overlong;
        line->text[line->length] = '\0';
        line->length = 0;
        line->overlong = false;
        if (byte == '%') {
            return overlong ? TG_COMMAND_OVERLONG : TG_COMMAND_READY;
        }
        return overlong ? TG_LINE_OVERLONG : TG_LINE_READY;
    }
    if (byte == '\r') {
        return TG_LINE_OPEN;
    }
    if (line->length == TG_LINE_BYTES - 1) {
        line->overlong = true;
    } else {
        line->text[line->length++] = (char)byte;
    }
    return TG_LINE_OPEN;
}

bool tg_take_word(const char **cursor, const char *word)
{
    const char *text = *cursor;
    while (*word != '\0') {
        if (*text++ != *word++) {
            return false;
        }
    }
    if (*text == ' ') {
        text++;
    } else if (*text != '\0') {
        return false;
    }
    *cursor = text;
    return true;
}

static uint32_t digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return (uint32_t)c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return (uint32_t)c - 'a' + 10u;
    }
    return UINT32_MAX;
}

bool tg_take_number(const char **cursor, uint32_t base, uint32_t *value)
{
    const char *text = *cursor;
    uint32_t result = 0;
    if (*text == '\0' || *text == ' ') {
        return false;
    }
    for (; *text != '\0' && *text != ' '; text++) {
        const uint32_t digit = digit_value(*text);
        if (digit >= base || result > (UINT32_MAX - digit) / base) {
            return false;
        }
        result = result * base + digit;
    }
    *cursor = *text == ' ' ? text + 1 : text;
    *value = result;
    return true;
}

uint32_t tg_crc32(uint32_t crc, const uint8_t *bytes, size_t count)
{
    /* The reflected polynomial 0xEDB88320 for the sixteen values of four bits. */
    static const uint32_t table[16] = {
        0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u, 0x4DB26158u, 0x5005713Cu,
        0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu, 0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu,
    };
    crc = ~crc;
    for (; count != 0u; count--) {
        crc ^= *bytes++;
        crc = crc >> 4 ^ table[crc & 15u];
        crc = crc >> 4 ^ table[crc & 15u];
    }
    return ~crc;
}

/* The line being written: whether it is one of ours, and its checksum, as a serial line may change it on its way. */
static const char ours[] = "tg ";
static uint32_t line_crc;
static uint8_t matched; /* characters of `ours`, or one more than it has when the line began otherwise */

static void put(char c)
{
    port_putc(c);
    if (c == '\n') {
        line_crc = 0;
        matched = 0;
    } else if (c != '\r') {
        const uint8_t byte = (uint8_t)c;
        line_crc = tg_crc32(line_crc, &byte, 1);
        if (matched < sizeof ours - 1u) {
            matched = c == ours[matched] ? (uint8_t)(matched + 1u) : (uint8_t)sizeof ours;
        }
    }
}

void tg_write(const char *text)
{
    while (*text != '\0') {
        put(*text++);
    }
}

void tg_write_bytes(const uint8_t *bytes, size_t count)
{
    for (; count != 0u; count--) {
        port_putc((char)*bytes++);
    }
}

void tg_write_hex_byte(uint8_t value)
{
    port_putc("0123456789abcdef"[value >> 4]);
    port_putc("0123456789abcdef"[value & 15u]);
}

void tg_write_hex(uint32_t value)
{
    for (uint32_t shift = 32; shift != 0u; shift -= 4u) {
        put("0123456789abcdef"[value >> (shift - 4u) & 15u]);
    }
}

void tg_field_text(const char *key, const char *value)
{
    put(' ');
    tg_write(key);
    put('=');
    tg_write(value);
}

void tg_write_number(uint32_t value)
{
    char digits[11];
    char *first = digits + sizeof digits - 1;
    *first = '\0';
    do {
        *--first = (char)('0' + value % 10u);
        value /= 10u;
    } while (value != 0u);
    tg_write(first);
}

void tg_field_number(const char *key, uint32_t value)
{
    tg_field_text(key, "");
    tg_write_number(value);
}

void tg_field_hex(const char *key, uint32_t value)
{
    tg_field_text(key, "0x");
    tg_write_hex(value);
}

/* Hexadecimal: decimal would pull 64-bit division into the firmware. */
void tg_field_long(const char *key, uint64_t value)
{
    tg_field_hex(key, (uint32_t)(value >> 32));
    tg_write_hex((uint32_t)value);
}

void tg_end(void)
{
    if (matched == sizeof ours - 1u) {
        const uint32_t sum = line_crc;
        tg_write(" sum=");
        tg_write_hex(sum);
    }
    tg_write("\r\n");
}
