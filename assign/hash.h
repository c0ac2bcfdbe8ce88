/* hash.h - inside of libassign: FNV-1a, 32 bit, over UTF-16 code units. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define ASSIGN_FNV_BASIS 0x811c9dc5u
#define ASSIGN_FNV_PRIME 0x01000193u
enum { ASSIGN_SCALE_V1 = 1000, ASSIGN_SCALE_V2 = 10000 };

uint32_t assign_fnv(uint32_t h, const char *text, size_t n);
/* The digits of v, as JavaScript prints it. */
uint32_t assign_fnv_decimal(uint32_t h, uint32_t v);
/* Version 2 for `count` seeds at once: states[i] is the state behind seed i; out[i] is n times 10000. */
void assign_hash_many(const uint32_t *states, size_t count, const uint16_t *units, size_t units_n, uint16_t *out);
