#include "trainer/kernels/clusters/kmeans.h"

#include <math.h>

typedef float float8 __attribute__((vector_size(32)));
enum { LANES = 8, TICK_DOCUMENTS = 4096 };

/* ---- documents ---- */

void kdocs_write(struct buf *b, const struct kdocs *d)
{
    const uint32_t head[] = { d->count, d->dims };
    buf_add(b, head, sizeof head);
    buf_add(b, d->ends, d->count * sizeof *d->ends);
    buf_add(b, d->entries, (d->count ? d->ends[d->count - 1] : 0) * sizeof *d->entries);
}

void kdocs_pick(const struct kdocs *d, const uint32_t *numbers, uint32_t count, struct arena *arena,
                struct buf *entries, struct kdocs *out)
{
    uint64_t *ends = arena_alloc(arena, ((size_t)count + 1) * sizeof *ends);
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t from = numbers[i] ? d->ends[numbers[i] - 1] : 0;
        buf_add(entries, d->entries + from, (d->ends[numbers[i]] - from) * sizeof *d->entries);
        ends[i] = entries->n / sizeof *d->entries;
    }
    *out = (struct kdocs){ count, d->dims, ends, (const void *)buf_str(entries).p };
}

bool kdocs_read(struct str blob, struct kdocs *out, struct err *err)
{
    uint32_t head[2] = { 0, 0 };
    if (blob.n >= sizeof head)
        memcpy(head, blob.p, sizeof head);
    *out = (struct kdocs){ .count = head[0], .dims = head[1] };
    const size_t ends = (size_t)head[0] * sizeof(uint64_t);
    if (blob.n < sizeof head + ends)
        return err_set(err, ERR_INVALID, "the vectors of documents have %zu bytes", blob.n);
    out->ends = (const void *)(blob.p + sizeof head);
    out->entries = (const void *)(blob.p + sizeof head + ends);
    const uint64_t all = head[0] ? out->ends[head[0] - 1] : 0;
    return blob.n == sizeof head + ends + all * sizeof *out->entries ||
           err_set(err, ERR_INVALID, "the vectors of documents have %zu bytes", blob.n);
}

static uint64_t begin_of(const struct kdocs *d, uint32_t document)
{
    return document ? d->ends[document - 1] : 0;
}

/* ---- centres ---- */

void kcentres_alloc(struct kcentres *c, uint32_t k, uint32_t dims)
{
    *c = (struct kcentres){ .k = k, .room = (k + LANES - 1) / LANES * LANES, .dims = dims };
    c->numbers = mem_zalloc(((size_t)dims * c->room + 1) * sizeof *c->numbers);
}

void kcentres_release(struct kcentres *c)
{
    mem_free(c->numbers);
    c->numbers = NULL;
}

void kcentres_write(struct buf *b, const struct kcentres *c)
{
    const uint32_t head[] = { c->k, c->room, c->dims, 0 };
    buf_add(b, head, sizeof head);
    buf_add(b, c->numbers, (size_t)c->dims * c->room * sizeof *c->numbers);
}

bool kcentres_read(struct str blob, struct kcentres *out, struct err *err)
{
    uint32_t head[4] = { 0, 0, 0, 0 };
    if (blob.n >= sizeof head)
        memcpy(head, blob.p, sizeof head);
    *out = (struct kcentres){ .k = head[0], .room = head[1], .dims = head[2] };
    out->numbers = (void *)(uintptr_t)(blob.p + sizeof head);
    return (head[0] >= 1 && head[0] <= head[1] && head[1] % LANES == 0 &&
            blob.n == sizeof head + (size_t)head[1] * head[2] * sizeof *out->numbers) ||
           err_set(err, ERR_INVALID, "the centres have %zu bytes", blob.n);
}

/* ---- the nearest ---- */

static void choose(const float *cosines, uint32_t k, struct knear *out)
{
    *out = (struct knear){ 0, 0, -2, -2 };
    for (uint32_t i = 0; i < k; i++) {
        if (cosines[i] > out->cosine) {
            out->second = out->centre;
            out->second_cosine = out->cosine;
            out->centre = i;
            out->cosine = cosines[i];
        } else if (cosines[i] > out->second_cosine) {
            out->second = i;
            out->second_cosine = cosines[i];
        }
    }
    if (k == 1)
        out->second_cosine = out->cosine;
}

/* Eight centres at once, whatever the processor has: each sums in the order of entries, so the bits are the same everywhere. */
void kmeans_near(const struct kdocs *d, uint32_t document, const struct kcentres *c, float *scratch, struct knear *out)
{
    const uint32_t lanes = c->room / LANES;
    memset(scratch, 0, c->room * sizeof *scratch);
    for (uint64_t i = begin_of(d, document); i < d->ends[document]; i++) {
        const float weight = d->entries[i].weight, *row = c->numbers + (size_t)d->entries[i].number * c->room;
        for (uint32_t l = 0; l < lanes; l++) {
            float8 x, sum;
            memcpy(&x, row + (size_t)l * LANES, sizeof x);
            memcpy(&sum, scratch + (size_t)l * LANES, sizeof sum);
            sum += weight * x;
            memcpy(scratch + (size_t)l * LANES, &sum, sizeof sum);
        }
    }
    choose(scratch, c->k, out);
}

/* ---- seeds ---- */

double kmeans_draw(uint64_t seed, uint64_t stream, uint64_t i)
{
    uint64_t v = seed * UINT64_C(0xd1342543de82ef95) + stream * UINT64_C(0xaf251af3b0f025b5) +
                 (i + 1) * UINT64_C(0x9e3779b97f4a7c15); /* then the finaliser of splitmix64 */
    v = (v ^ (v >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ (v >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((v ^ (v >> 31)) >> 11) / 9007199254740992.0;
}

struct seeding {
    const struct kset *s;
    uint32_t *places; /* of the sample */
    double *distances;
    float *dense; /* the last seed */
    uint32_t count;
    bool farthest;
};

static void spread(const struct kdocs *d, uint32_t document, float *dense, bool clear)
{
    for (uint64_t i = begin_of(d, document); i < d->ends[document]; i++)
        dense[d->entries[i].number] = clear ? 0 : d->entries[i].weight;
}

static double cosine_to(const struct kdocs *d, uint32_t document, const float *dense)
{
    double sum = 0;
    for (uint64_t i = begin_of(d, document); i < d->ends[document]; i++)
        sum += (double)d->entries[i].weight * (double)dense[d->entries[i].number];
    return sum;
}

/* Vectors have float weights: what is nearer than their rounding is the same. */
static double distance(double cosine)
{
    return 1 - cosine > 1e-6 ? 1 - cosine : 0;
}

static void draw_nearer(struct seeding *g, uint32_t place)
{
    const struct kdocs *d = g->s->docs;
    spread(d, kset_at(g->s, place), g->dense, false);
    for (uint32_t i = 0; i < g->count; i++) {
        const double far = distance(cosine_to(d, kset_at(g->s, g->places[i]), g->dense));
        if (far < g->distances[i])
            g->distances[i] = far;
    }
    spread(d, kset_at(g->s, place), g->dense, true);
}

/* The first whose running sum is above `at`; the last one with a distance when rounding has it that none is. */
static uint32_t pick(const struct seeding *g, double at)
{
    double sum = 0;
    uint32_t last = 0;
    for (uint32_t i = 0; i < g->count; i++) {
        sum += g->distances[i];
        if (g->distances[i] > 0)
            last = i;
        if (sum > at)
            return i;
    }
    return last;
}

static uint32_t pick_farthest(const struct seeding *g)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < g->count; i++)
        if (g->distances[i] > g->distances[best])
            best = i;
    return best;
}

static uint32_t draw_seeds(struct seeding *g, uint32_t k, uint64_t seed, uint64_t stream, uint32_t *out)
{
    uint32_t n = 0;
    for (; n < k; n++) {
        double total = 0;
        for (uint32_t i = 0; i < g->count; i++)
            total += g->distances[i];
        if (!(total > 0))
            break;
        const double u = kmeans_draw(seed, stream, n);
        const uint32_t i = n == 0 ? (uint32_t)(u * g->count) : g->farthest ? pick_farthest(g) : pick(g, u * total);
        out[n] = g->places[i];
        draw_nearer(g, out[n]);
    }
    return n;
}

uint32_t kmeans_seed(const struct kset *s, uint32_t k, uint64_t seed, uint64_t stream, bool farthest,
                     uint32_t *out_places)
{
    struct seeding g = { .s = s,
                         .farthest = farthest,
                         .count = s->count < KMEANS_SEED_SAMPLE ? s->count : KMEANS_SEED_SAMPLE };
    g.places = mem_alloc((g.count + 1) * sizeof *g.places);
    g.distances = mem_alloc((g.count + 1) * sizeof *g.distances);
    g.dense = mem_zalloc((s->docs->dims + 1) * sizeof *g.dense);
    for (uint32_t i = 0; i < g.count; i++) {
        g.places[i] = (uint32_t)((uint64_t)i * s->count / g.count);
        g.distances[i] = 1;
    }
    const uint32_t n = draw_seeds(&g, k, seed, stream, out_places);
    mem_free(g.places);
    mem_free(g.distances);
    mem_free(g.dense);
    return n;
}

void kmeans_centres_at(const struct kset *s, const uint32_t *places, struct kcentres *c)
{
    const struct kdocs *d = s->docs;
    memset(c->numbers, 0, (size_t)c->dims * c->room * sizeof *c->numbers);
    for (uint32_t k = 0; k < c->k; k++) {
        const uint32_t document = kset_at(s, places[k]);
        for (uint64_t i = begin_of(d, document); i < d->ends[document]; i++)
            c->numbers[(size_t)d->entries[i].number * c->room + k] = d->entries[i].weight;
    }
}

/* ---- centres of clusters ---- */

void kmeans_centres(const struct kset *s, const uint32_t *cluster, struct kcentres *c, double *lengths, uint32_t *sizes)
{
    const struct kdocs *d = s->docs;
    const size_t all = (size_t)c->dims * c->room;
    double *sums = mem_zalloc((all + 1) * sizeof *sums);
    memset(lengths, 0, c->k * sizeof *lengths);
    memset(sizes, 0, c->k * sizeof *sizes);
    for (uint32_t i = 0; i < s->count; i++) {
        const uint32_t document = kset_at(s, i);
        sizes[cluster[i]]++;
        for (uint64_t e = begin_of(d, document); e < d->ends[document]; e++)
            sums[(size_t)d->entries[e].number * c->room + cluster[i]] += (double)d->entries[e].weight;
    }
    for (uint32_t x = 0; x < c->dims; x++)
        for (uint32_t k = 0; k < c->k; k++)
            lengths[k] += sums[(size_t)x * c->room + k] * sums[(size_t)x * c->room + k];
    for (uint32_t k = 0; k < c->k; k++)
        lengths[k] = sqrt(lengths[k]);
    for (uint32_t x = 0; x < c->dims; x++)
        for (uint32_t k = 0; k < c->k; k++) {
            const double sum = sums[(size_t)x * c->room + k];
            c->numbers[(size_t)x * c->room + k] = lengths[k] > 0 ? (float)(sum / lengths[k]) : 0;
        }
    mem_free(sums);
}

/* To each empty cluster the document that is farthest from its own centre, of a cluster that can spare one; of equal ones the first. */
static void fill_empty(uint32_t count, const struct knear *near, uint32_t k, uint32_t *cluster, uint32_t *sizes)
{
    bool *taken = mem_zalloc((size_t)count + 1);
    for (uint32_t c = 0; c < k; c++) {
        uint32_t worst = count;
        for (uint32_t i = 0; sizes[c] == 0 && i < count; i++)
            if (!taken[i] && sizes[cluster[i]] > 1 && (worst == count || near[i].cosine < near[worst].cosine))
                worst = i;
        if (worst == count)
            continue;
        taken[worst] = true;
        sizes[cluster[worst]]--;
        cluster[worst] = c;
        sizes[c] = 1;
    }
    mem_free(taken);
}

uint32_t kmeans_step(const struct kset *s, const struct knear *near, uint32_t *cluster, struct kcentres *c,
                     double *lengths, uint32_t *sizes)
{
    uint32_t moved = 0;
    memset(sizes, 0, c->k * sizeof *sizes);
    for (uint32_t i = 0; i < s->count; i++) {
        moved += cluster[i] != near[i].centre;
        cluster[i] = near[i].centre;
        sizes[cluster[i]]++;
    }
    if (moved == 0)
        return 0;
    fill_empty(s->count, near, c->k, cluster, sizes);
    kmeans_centres(s, cluster, c, lengths, sizes);
    return moved;
}

double kmeans_cohesion(const struct knear *near, uint32_t count)
{
    double sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += (double)near[i].cosine;
    return sum;
}

/* With x of length 1 and s the sum of its cluster: x·(s - x) = cos |s| - 1, |s - x|² = |s|² - 2 cos |s| + 1. */
static double left_out(const struct knear *n, double length, uint32_t size)
{
    const double c = (double)n->cosine, rest = length * length - 2 * c * length + 1;
    if (size < 2)
        return 0;
    return rest > 1e-12 ? (c * length - 1) / sqrt(rest) : 1;
}

static double silhouette_of(const struct knear *n, double length, uint32_t size)
{
    if (size < 2 || n->second == n->centre)
        return 0;
    const double a = 1 - left_out(n, length, size), b = 1 - (double)n->second_cosine, most = a > b ? a : b;
    return most > 1e-12 ? (b - a) / most : 0;
}

double kmeans_left_out(const struct kset *s, const struct knear *near, const double *lengths, const uint32_t *sizes)
{
    double sum = 0;
    for (uint32_t i = 0; i < s->count; i++)
        sum += left_out(&near[i], lengths[near[i].centre], sizes[near[i].centre]);
    return s->count ? sum / s->count : 0;
}

double kmeans_silhouette(const struct kset *s, const struct knear *near, const double *lengths, const uint32_t *sizes)
{
    double sum = 0;
    for (uint32_t i = 0; i < s->count; i++)
        sum += silhouette_of(&near[i], lengths[near[i].centre], sizes[near[i].centre]);
    return s->count ? sum / s->count : 0;
}

/* ---- all of it ---- */

struct running {
    const struct kset *s;
    const struct kmeans_rules *rules;
    bool (*tick)(void *arg);
    void *arg;
    struct knear *near;
    uint32_t *cluster, *places, *sizes;
    double *lengths;
};

static bool assign(const struct running *r, const struct kcentres *c)
{
    float *scratch = mem_alloc(c->room * sizeof *scratch);
    bool going = true;
    for (uint32_t i = 0; going && i < r->s->count; i++) {
        kmeans_near(r->s->docs, kset_at(r->s, i), c, scratch, &r->near[i]);
        going = i % TICK_DOCUMENTS != 0 || !r->tick || r->tick(r->arg);
    }
    mem_free(scratch);
    return going;
}

static bool one_start(const struct running *r, uint64_t stream, uint32_t *out_k, double *out_cohesion)
{
    struct kcentres c;
    bool going = true;
    *out_k = kmeans_seed(r->s, r->rules->k, r->rules->seed, stream, false, r->places);
    if (*out_k == 0)
        return true;
    kcentres_alloc(&c, *out_k, r->s->docs->dims);
    kmeans_centres_at(r->s, r->places, &c);
    for (uint32_t i = 0; i < r->s->count; i++)
        r->cluster[i] = UINT32_MAX;
    for (uint32_t it = 0; going; it++) {
        going = assign(r, &c);
        if (!going || it >= r->rules->max_iterations ||
            kmeans_step(r->s, r->near, r->cluster, &c, r->lengths, r->sizes) == 0)
            break;
    }
    for (uint32_t i = 0; i < r->s->count; i++)
        r->cluster[i] = r->near[i].centre;
    *out_cohesion = kmeans_cohesion(r->near, r->s->count);
    kcentres_release(&c);
    return going;
}

bool kmeans_run(const struct kset *s, const struct kmeans_rules *rules, bool (*tick)(void *arg), void *arg,
                uint32_t *out_cluster, uint32_t *out_k)
{
    struct running r = { .s = s,
                         .rules = rules,
                         .tick = tick,
                         .arg = arg,
                         .near = mem_alloc((s->count + 1) * sizeof *r.near),
                         .cluster = mem_alloc((s->count + 1) * sizeof *r.cluster),
                         .places = mem_alloc((rules->k + 1) * sizeof *r.places),
                         .sizes = mem_alloc((rules->k + 1) * sizeof *r.sizes),
                         .lengths = mem_alloc((rules->k + 1) * sizeof *r.lengths) };
    double best = -HUGE_VAL, cohesion = 0;
    bool going = true;
    *out_k = 0;
    for (uint32_t i = 0; going && i < rules->starts; i++) {
        uint32_t k = 0;
        going = one_start(&r, rules->stream + i, &k, &cohesion);
        if (!going || k == 0 || cohesion <= best)
            continue;
        best = cohesion;
        *out_k = k;
        memcpy(out_cluster, r.cluster, s->count * sizeof *r.cluster);
    }
    mem_free(r.near);
    mem_free(r.cluster);
    mem_free(r.places);
    mem_free(r.sizes);
    mem_free(r.lengths);
    return going;
}
