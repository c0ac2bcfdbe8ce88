/* fnv.h - inside of libassign: FNV-1a, 32 bit, over UTF-16 code units. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define FNV_BASIS 0x811c9dc5u
#define FNV_PRIME 0x01000193u

uint32_t fnv_add(uint32_t h, const char *text, size_t n);
uint32_t fnv_add_decimal(uint32_t h, uint32_t v); /* the digits of v, as JavaScript prints it */
