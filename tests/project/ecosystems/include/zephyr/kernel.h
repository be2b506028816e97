/* Zephyr's kernel, of which the samples call nothing. */
