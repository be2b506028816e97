/* Prints the floats on standard input as the firmware does, one a line. */
#include <stdio.h>
#include <string.h>

#include "decimal.h"
#include "tinygen_port.h"

void port_putc(char c)
{
    putchar(c);
}

int main(void)
{
    float value;
    while (fread(&value, sizeof value, 1, stdin) == 1) {
        tg_write_real(value);
        port_putc('\n');
    }
    return 0;
}
