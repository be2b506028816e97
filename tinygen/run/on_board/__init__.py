"""A board at the end of a serial line: bytes that may be lost or changed, a firmware that may be another one."""
