/* assign_inprocess PAYLOAD UNITS: libassign's side of assign_inprocess.py. Commands on stdin, an answer each on stdout:
 *     answers            one line a unit: the values of all features as a JSON array, in the payload's order
 *     parsed SECONDS     evaluates all units again and again; attributes were read before. Prints "nanoseconds assignments"
 *     text SECONDS       likewise, reading each unit's attributes from JSON each time
 * Attributes lie one JSON object a line in UNITS. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "assign/assign.h"

enum { UNITS_MAX = 65536, ROOM = 1 << 16, UNITS_ROOM = 1 << 26 };

struct unit {
    struct assign_text text;
    struct assign_value attributes;
};
struct bench {
    struct assign_payload *payload;
    struct unit units[UNITS_MAX];
    struct assign_unit now; /* who is being evaluated: the session borrows it */
    size_t unit_count, features;
    char memory[ROOM] __attribute__((aligned(16)));
    size_t sink; /* so that no answer is computed for nothing */
};

static char *read_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    FILE *out = f ? open_memstream(&text, n) : NULL;
    for (int c; out && (c = getc(f)) != EOF;)
        (void)putc(c, out);
    if (out)
        (void)fclose(out);
    if (f)
        (void)fclose(f);
    return text;
}

static bool read_units(struct bench *b, char *text, struct assign_arena *arena)
{
    struct assign_error e;
    for (char *line = text, *end; (end = strchr(line, '\n')) && b->unit_count < UNITS_MAX; line = end + 1) {
        struct unit *u = &b->units[b->unit_count++];
        u->text = (struct assign_text){ line, (size_t)(end - line) };
        if (!assign_json_read(line, u->text.n, arena, &u->attributes, &e))
            return false;
    }
    return true;
}

static struct assign_session *bind(struct bench *b, const struct unit *u, bool from_text, struct assign_arena *arena)
{
    struct assign_error e;
    b->now.attributes = u->attributes;
    *arena = (struct assign_arena){ .at = b->memory, .end = b->memory + ROOM };
    if (from_text && !assign_json_read(u->text.p, u->text.n, arena, &b->now.attributes, &e))
        abort();
    struct assign_session *s = assign_bind(b->payload, &b->now, arena);
    if (!s || (b->features > 1 && !assign_hash_all(s)))
        abort();
    return s;
}

static void evaluate_all(struct bench *b, bool from_text)
{
    struct assign_arena arena;
    for (size_t i = 0; i < b->unit_count; i++) {
        struct assign_session *s = bind(b, &b->units[i], from_text, &arena);
        for (size_t f = 0; f < b->features; f++) {
            struct assign_result r;
            if (!assign_eval(s, f, &r, NULL))
                abort();
            b->sink += (size_t)r.source + r.value->count;
        }
    }
}

static int64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void measure(struct bench *b, bool from_text, double seconds)
{
    int64_t started = now_ns(), spent = 0;
    size_t assignments = 0;
    while ((double)(spent = now_ns() - started) < seconds * 1e9) {
        evaluate_all(b, from_text);
        assignments += b->unit_count * b->features;
    }
    (void)printf("%lld %zu\n", (long long)spent, assignments);
}

static void print_answers(struct bench *b)
{
    struct assign_arena arena;
    char text[4096];
    for (size_t i = 0; i < b->unit_count; i++) {
        struct assign_session *s = bind(b, &b->units[i], true, &arena);
        for (size_t f = 0; f < b->features; f++) {
            struct assign_result r;
            if (!assign_eval(s, f, &r, NULL))
                abort();
            (void)assign_json_write(r.value, text, sizeof text);
            (void)printf("%s%s", f ? "," : "[", text);
        }
        (void)puts("]");
    }
}

static char *more(void *owner, size_t bytes)
{
    (void)owner;
    return bytes <= UNITS_ROOM ? aligned_alloc(16, (bytes + 15) / 16 * 16) : NULL;
}

int main(int argc, char **argv)
{
    static struct bench b;
    static char room[UNITS_ROOM] __attribute__((aligned(16)));
    struct assign_arena arena = { .at = room, .end = room + sizeof room, .more = more };
    struct assign_error e = { "cannot be read" };
    size_t n = 0, units_n = 0;
    char *payload = argc == 3 ? read_file(argv[1], &n) : NULL, *units = argc == 3 ? read_file(argv[2], &units_n) : NULL;
    if (!payload || !units || !(b.payload = assign_payload_new(payload, n, (struct assign_text){ NULL, 0 }, &e)) ||
        !read_units(&b, units, &arena)) {
        (void)fprintf(stderr, "assign_inprocess PAYLOAD UNITS: %s\n", e.text);
        return 64;
    }
    b.features = assign_feature_count(b.payload);
    for (char command[64]; fgets(command, sizeof command, stdin); (void)fflush(stdout)) {
        if (strncmp(command, "answers", 7) == 0)
            print_answers(&b);
        else if (strncmp(command, "parsed ", 7) == 0)
            measure(&b, false, strtod(command + 7, NULL));
        else if (strncmp(command, "text ", 5) == 0)
            measure(&b, true, strtod(command + 5, NULL));
    }
    return 0;
}
