/* As much of Arduino's core as an example sketch calls, to check that it compiles. */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct Printer {
    void begin(unsigned long baud);
    void print(const char *text);
    void print(char value);
    void print(long value);
    void print(unsigned long value);
    void print(double value, int digits);
    void println(const char *text);
    void println(void);
};
extern Printer Serial;

unsigned long micros(void);
void delay(unsigned long milliseconds);

#endif
