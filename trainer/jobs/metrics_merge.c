#include "trainer/jobs/metrics_merge.h"

#include <stdlib.h>

#include "base/hash.h"
#include "trainer/kernels/segments.h"

/* What is known of an experiment before its cells are merged. */
struct dimension {
    struct str name;
    bool *in_split;
};

struct shown {
    struct str segment;
    int64_t units;
    bool stays;
};

struct known {
    int32_t last_day;
    struct dimension dimensions[SEGMENTS_DIMENSIONS_MAX];
    size_t dimensions_count;
    struct shown *segments;
    size_t segments_count, segments_room;
};

struct merging {
    struct merged *out;
    const struct program *program;
    const struct buf *parts;
    uint32_t splits;
    size_t experiments;
    struct known *known;
    struct moments2 **moments; /* of each cell, one for each split; NULL of counts */
    size_t room;
    uint32_t *places; /* open addressing: 0 empty, else the cell's number + 1 */
    size_t places_room;
    struct metrics_read read;
};

/* ---- the first look: which dimensions and values there are ---- */

static bool is_value(struct str segment)
{
    struct str dimension = segment_dimension(segment), rest = segment;
    rest.p += dimension.n + (dimension.n < rest.n);
    rest.n -= dimension.n + (dimension.n < rest.n);
    return !str_eq(rest, STR(SEGMENT_OTHER)) && !str_eq(rest, STR(SEGMENT_NONE));
}

static struct dimension *dimension_of(struct merging *m, struct known *k, struct str name)
{
    for (size_t i = 0; i < k->dimensions_count; i++)
        if (str_eq(k->dimensions[i].name, name))
            return &k->dimensions[i];
    if (k->dimensions_count == SEGMENTS_DIMENSIONS_MAX)
        return NULL;
    k->dimensions[k->dimensions_count] = (struct dimension){
        .name = arena_str(&m->out->arena, name), .in_split = arena_zalloc(&m->out->arena, m->splits * sizeof(bool))
    };
    return &k->dimensions[k->dimensions_count++];
}

static void see_segment(struct merging *m, struct known *k, uint32_t split, const struct total_exposures *e)
{
    struct dimension *d = dimension_of(m, k, segment_dimension(e->segment));
    size_t i = 0;
    if (!d)
        return;
    d->in_split[split] = true;
    if (!is_value(e->segment))
        return;
    while (i < k->segments_count && !str_eq(k->segments[i].segment, e->segment))
        i++;
    if (i == k->segments_count) {
        if (k->segments_count == k->segments_room) {
            k->segments_room = k->segments_room ? k->segments_room * 2 : 16;
            k->segments = mem_realloc(k->segments, k->segments_room * sizeof *k->segments);
        }
        k->segments[k->segments_count++] = (struct shown){ .segment = arena_str(&m->out->arena, e->segment) };
    }
    k->segments[i].units += e->units;
}

static int by_dimension_and_units(const void *a, const void *b)
{
    const struct shown *x = a, *y = b;
    struct str p = segment_dimension(x->segment), q = segment_dimension(y->segment);
    int d = event_compare_str(p, q);
    if (d)
        return d;
    return x->units != y->units ? (x->units > y->units ? -1 : 1) : event_compare_str(x->segment, y->segment);
}

static void choose_segments(struct known *k)
{
    size_t rank = 0;
    if (k->segments_count)
        qsort(k->segments, k->segments_count, sizeof *k->segments, by_dimension_and_units);
    for (size_t i = 0; i < k->segments_count; i++) {
        bool same = i &&
                    str_eq(segment_dimension(k->segments[i].segment), segment_dimension(k->segments[i - 1].segment));
        rank = same ? rank + 1 : 0;
        k->segments[i].stays = rank < SEGMENTS_SHOWN;
    }
}

static bool damaged(uint32_t split, struct err *err)
{
    return err_set(err, ERR_SYSTEM, "the result of split %u is damaged", split);
}

static uint32_t experiment_of(enum metrics_record kind, const struct metrics_read *r)
{
    return kind == METRICS_COUNTS      ? r->experiment
           : kind == METRICS_EXPOSURES ? r->exposures.experiment
                                       : r->cell.experiment;
}

static bool look(struct merging *m, uint32_t split, struct err *err)
{
    struct str bytes = buf_str(&m->parts[split]);
    while (bytes.n) {
        enum metrics_record kind = metrics_read(&bytes, &m->read);
        if (kind == METRICS_END || experiment_of(kind, &m->read) >= m->experiments ||
            ((kind == METRICS_CELL || kind == METRICS_CAP) && m->read.cell.metric >= m->program->metrics_count))
            return damaged(split, err);
        struct known *k = &m->known[experiment_of(kind, &m->read)];
        if (kind == METRICS_EXPOSURES && m->read.exposures.segment.n)
            see_segment(m, k, split, &m->read.exposures);
        if (kind == METRICS_CELL && !m->read.cell.segment.n && m->read.cell.day > k->last_day)
            k->last_day = m->read.cell.day;
    }
    return true;
}

/* ---- the cells ---- */

static size_t place_of(const struct merging *m, const struct merged_cell *key)
{
    uint64_t h = hash64(key->segment) ^ hash64(key->variant) * 31 ^
                 (((uint64_t)key->experiment << 40) + ((uint64_t)key->metric << 20) + (uint64_t)key->day) *
                     UINT64_C(0x9E3779B97F4A7C15);
    for (size_t at = (size_t)(h ^ h >> 29);; at++) {
        uint32_t n = m->places[at & (m->places_room - 1)];
        const struct merged_cell *c = n ? &m->out->cells[n - 1] : NULL;
        if (!c || (c->experiment == key->experiment && c->metric == key->metric && c->day == key->day &&
                   str_eq(c->variant, key->variant) && str_eq(c->segment, key->segment)))
            return at & (m->places_room - 1);
    }
}

static void grow(struct merging *m)
{
    struct merged *out = m->out;
    m->room = m->room ? m->room * 2 : 64;
    out->cells = mem_realloc(out->cells, m->room * sizeof *out->cells);
    m->moments = mem_realloc(m->moments, m->room * sizeof *m->moments);
    mem_free(m->places);
    m->places_room = m->room * 4;
    m->places = mem_zalloc(m->places_room * sizeof *m->places);
    for (size_t i = 0; i < out->count; i++)
        m->places[place_of(m, &out->cells[i])] = (uint32_t)i + 1;
}

static size_t cell_of(struct merging *m, const struct merged_cell *key)
{
    struct merged *out = m->out;
    if (out->count == m->room)
        grow(m);
    uint32_t *n = &m->places[place_of(m, key)];
    if (*n == 0) {
        struct merged_cell *c = &out->cells[out->count];
        *c = *key;
        c->variant = arena_str(&out->arena, key->variant);
        c->segment = arena_str(&out->arena, key->segment);
        m->moments[out->count] = key->metric == PROGRAM_NONE
                                     ? NULL
                                     : arena_zalloc(&out->arena, m->splits * sizeof **m->moments);
        *n = (uint32_t)++out->count;
    }
    return *n - 1;
}

static bool add_cell(struct merging *m, uint32_t split, struct str segment, struct err *err)
{
    const struct total_cell *from = &m->read.cell;
    const struct merged_cell key = { .experiment = from->experiment,
                                     .metric = from->metric,
                                     .variant = from->variant,
                                     .segment = segment,
                                     .day = from->day };
    size_t i = cell_of(m, &key);
    struct merged_cell *c = &m->out->cells[i];
    moments2_merge(&m->moments[i][split], &from->m);
    if (from->pre && !c->pre) {
        c->pre = arena_alloc(&m->out->arena, sizeof *c->pre);
        *c->pre = *from->pre;
    } else if (from->pre) {
        cross_merge(c->pre, from->pre);
    }
    if (from->sketch && !c->sketch) {
        c->sketch = arena_alloc(&m->out->arena, sizeof *c->sketch);
        sketch_init(c->sketch);
    }
    return !from->sketch || sketch_merge(c->sketch, from->sketch, err);
}

static bool add_exposures(struct merging *m, uint32_t split, struct str segment, struct err *err)
{
    const struct total_exposures *e = &m->read.exposures;
    const struct merged_cell key = {
        .experiment = e->experiment, .metric = PROGRAM_NONE, .variant = e->variant, .segment = segment, .day = e->day
    };
    (void)split, (void)err;
    size_t i = cell_of(m, &key); /* may move the cells */
    struct merged_cell *c = &m->out->cells[i];
    c->units += e->units;
    c->several += e->several;
    return true;
}

static void add_counts(struct merging *m)
{
    struct total_counts *c = &m->out->counts[m->read.experiment];
    c->units += m->read.counts.units;
    c->several += m->read.counts.several;
    c->marked += m->read.counts.marked;
    if (m->read.counts.last_us > c->last_us)
        c->last_us = m->read.counts.last_us;
}

/* Where a segment's units go: their own, or "DIM=(other)". */
static struct str home_of(struct merging *m, const struct known *k, struct str segment)
{
    for (size_t i = 0; i < k->segments_count; i++)
        if (str_eq(k->segments[i].segment, segment) && !k->segments[i].stays)
            return arena_printf(&m->out->arena, STR_FMT "=" SEGMENT_OTHER, STR_ARG(segment_dimension(segment)));
    return segment;
}

/* A cell or count under its segment; one of all units also under "DIM=(none)" of dimensions that no unit of the split had. */
typedef bool (*add_fn)(struct merging *m, uint32_t split, struct str segment, struct err *err);
static bool add_to_segments(struct merging *m, const struct known *k, uint32_t split, struct str segment, bool last,
                            add_fn add, struct err *err)
{
    if (!add(m, split, home_of(m, k, segment), err))
        return false;
    for (size_t i = 0; i < k->dimensions_count && !segment.n && last; i++) {
        if (k->dimensions[i].in_split[split])
            continue;
        struct str none = arena_printf(&m->out->arena, STR_FMT "=" SEGMENT_NONE, STR_ARG(k->dimensions[i].name));
        if (!add(m, split, none, err))
            return false;
    }
    return true;
}

static bool add_split(struct merging *m, uint32_t split, struct err *err)
{
    struct str bytes = buf_str(&m->parts[split]);
    while (bytes.n) {
        enum metrics_record kind = metrics_read(&bytes, &m->read);
        const struct known *k = &m->known[experiment_of(kind, &m->read)];
        const struct total_cell *c = &m->read.cell;
        bool ok = true;
        if (kind == METRICS_COUNTS)
            add_counts(m);
        else if (kind == METRICS_EXPOSURES)
            ok = add_to_segments(m, k, split, m->read.exposures.segment, true, add_exposures, err);
        else
            ok = add_to_segments(m, k, split, c->segment, kind == METRICS_CELL && c->m.n > 0 && c->day == k->last_day,
                                 add_cell, err);
        if (!ok)
            return false;
    }
    return true;
}

/* What a quantile's rows say follows from the values of all splits together. */
static bool finish_cell(struct merging *m, size_t i, struct err *err)
{
    struct merged_cell *c = &m->out->cells[i];
    double value;
    if (!m->moments[i])
        return true;
    c->m = moments2_tree(m->moments[i], m->splits);
    const struct metric_def *def = &m->program->metrics[c->metric].def;
    return def->form != METRIC_FORM_QUANTILE || !c->sketch || c->sketch->events == 0 ||
           sketch_moments(c->sketch, def->quantile, &c->m, &value, err);
}

static bool merge_all(struct merging *m, struct err *err)
{
    bool ok = true;
    for (uint32_t s = 0; ok && s < m->splits; s++)
        ok = look(m, s, err);
    for (size_t e = 0; ok && e < m->experiments; e++)
        choose_segments(&m->known[e]);
    for (uint32_t s = 0; ok && s < m->splits; s++)
        ok = add_split(m, s, err);
    for (size_t i = 0; ok && i < m->out->count; i++)
        ok = finish_cell(m, i, err);
    return ok;
}

bool merged_make(struct merged *out, const struct program *program, size_t experiments, const struct buf *parts,
                 uint32_t parts_count, struct err *err)
{
    struct merging *m = mem_zalloc(sizeof *m);
    *out = (struct merged){ .count = 0 };
    arena_init(&out->arena, 1 << 16);
    out->counts = arena_zalloc(&out->arena, (experiments + 1) * sizeof *out->counts);
    m->out = out;
    m->program = program;
    m->parts = parts;
    m->splits = parts_count;
    m->experiments = experiments;
    m->known = arena_zalloc(&out->arena, (experiments + 1) * sizeof *m->known);
    for (size_t i = 0; i < experiments; i++)
        m->known[i].last_day = INT32_MIN;
    bool ok = merge_all(m, err);
    for (size_t i = 0; i < experiments; i++)
        mem_free(m->known[i].segments);
    mem_free(m->moments);
    mem_free(m->places);
    mem_free(m);
    return ok;
}

void merged_release(struct merged *m)
{
    arena_release(&m->arena);
    mem_free(m->cells);
    *m = (struct merged){ .count = 0 };
}

bool merged_caps(const struct merged *m, const struct program *program, struct arena *arena, struct metrics_cap **out,
                 size_t *out_count, struct err *err)
{
    struct metrics_cap *caps = arena_alloc(arena, (m->count + 1) * sizeof *caps);
    size_t count = 0;
    for (size_t i = 0; i < m->count; i++) {
        const struct merged_cell *c = &m->cells[i];
        struct moments2 moments;
        if (!c->sketch || c->sketch->events == 0)
            continue;
        caps[count] = (struct metrics_cap){ .day = c->day, .experiment = c->experiment, .metric = c->metric };
        if (!sketch_moments(c->sketch, program->metrics[c->metric].def.cap_percentile, &moments, &caps[count].value,
                            err))
            return false;
        count++;
    }
    *out = caps;
    *out_count = count;
    return true;
}
