/* zone.h - time zones by their IANA names: offset at an instant, and the instants that a wall clock's time stands for.
 *
 * The C library's TZ is one for the whole process and setting it is not thread safe, so the compiled files of tzdata (RFC 9636: TZif, version 2
 * and later) are read here: small and strict, anything odd is refused. Instants behind the file's last transition follow its footer, the rule in
 * POSIX form ("CET-1CEST,M3.5.0,M10.5.0/3"). "UTC" needs no file. PostgreSQL knows zones, too, but only by asking it: a schedule would cost a
 * statement for every instant. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

enum { ZONE_NAME_MAX = 64, ZONE_FILE_MAX = 256 << 10 };

struct zone;

/* Of /usr/share/zoneinfo. ERR_INVALID names a zone that is not known. */
struct zone *zone_load(struct str name, struct err *err);
/* From the bytes of a file. */
struct zone *zone_parse(struct str bytes, struct err *err);
void zone_free(struct zone *z);
DEFINE_AUTO(struct zone *, zone_free)

/* Seconds east of UTC at an instant (seconds since 1970). */
int32_t zone_offset(const struct zone *z, int64_t at);
/* The instant for which the wall clock shows `wall` (its time read as if it were UTC, in seconds since 1970). A time that comes twice, when clocks
 * are set back, is its first; one that never comes, when they are set forward, is the instant at which they are: so later walls are never earlier
 * instants. */
int64_t zone_instant(const struct zone *z, int64_t wall);
