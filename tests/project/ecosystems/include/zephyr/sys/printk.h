/* Zephyr's printk, on this computer. */
#ifndef PRINTK_H
#define PRINTK_H

#include <stdio.h>

#define printk printf

#endif
