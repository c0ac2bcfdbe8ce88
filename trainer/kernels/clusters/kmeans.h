/* kmeans.h - pure: spherical k-means (Dhillon, Modha 2001) over vectors of length 1, most of whose numbers are 0.
 *
 * A cluster's centre is the sum of its documents, scaled to length 1; a document belongs to the centre of the greatest cosine, of equal ones to the first. Seeds are
 * drawn by k-means++ (Arthur, Vassilvitskii 2007): each with a chance in proportion to the distance 1 - cosine to the nearest seed so far, which is half the square of
 * the Euclidean one. A cluster that loses all its documents gets the one that is farthest from its centre. Sums run in the order of documents; what is drawn follows
 * from seed, stream and a counter alone. */
#pragma once
#include "base/buf.h"
#include "base/mem.h"
#include "trainer/kernels/content/content_index.h"

enum { KMEANS_MAX = 1000, KMEANS_SEED_SAMPLE = 20000 };

/* Documents; as a blob: u32 documents | u32 dims | u64 end of each | entries (number below dims, by number). */
struct kdocs {
    uint32_t count, dims;
    const uint64_t *ends;
    const struct content_entry *entries;
};
void kdocs_write(struct buf *b, const struct kdocs *d);
/* Some of them, as documents of their own: ends in the arena, entries in the buffer, which is empty. */
void kdocs_pick(const struct kdocs *d, const uint32_t *numbers, uint32_t count, struct arena *arena,
                struct buf *entries, struct kdocs *out);
bool kdocs_read(struct str blob, struct kdocs *out, struct err *err) MUSTCHECK;

/* Some documents of them, by number; members NULL: all. */
struct kset {
    const struct kdocs *docs;
    const uint32_t *members;
    uint32_t count;
};
static inline uint32_t kset_at(const struct kset *s, uint32_t i)
{
    return s->members ? s->members[i] : i;
}

/* Centres by dimension: the k numbers of one dimension lie together, `room` of them. As a blob: u32 k | room | dims | 0, numbers. */
struct kcentres {
    uint32_t k, room, dims;
    float *numbers; /* dims × room */
};
void kcentres_alloc(struct kcentres *c, uint32_t k, uint32_t dims); /* zeros */
void kcentres_release(struct kcentres *c);
void kcentres_write(struct buf *b, const struct kcentres *c);
bool kcentres_read(struct str blob, struct kcentres *out, struct err *err) MUSTCHECK; /* borrows it */

struct knear {
    uint32_t centre, second; /* second = centre: there is one only */
    float cosine, second_cosine;
};
/* scratch: c->room floats, at a multiple of 32. */
void kmeans_near(const struct kdocs *d, uint32_t document, const struct kcentres *c, float *scratch, struct knear *out);

/* Numbers from 0 to less than 1: number i of a stream. */
double kmeans_draw(uint64_t seed, uint64_t stream, uint64_t i);
/* k seeds, as places in the set (below s->count). Fewer when all others are equal to one of them: returns how many. Of more than KMEANS_SEED_SAMPLE documents, every
 * so manieth is looked at. farthest: behind the first, each is the one that is farthest from all before (Gonzalez 1985), which finds what lies apart, and of equal ones
 * the first. */
uint32_t kmeans_seed(const struct kset *s, uint32_t k, uint64_t seed, uint64_t stream, bool farthest,
                     uint32_t *out_places);
/* Centres that are these documents. */
void kmeans_centres_at(const struct kset *s, const uint32_t *places, struct kcentres *c);
/* Centres of what belongs together: cluster[i] < c->k, of place i. lengths (of the sums), sizes: of each cluster. */
void kmeans_centres(const struct kset *s, const uint32_t *cluster, struct kcentres *c, double *lengths,
                    uint32_t *sizes);
/* What k-means does between two assignments: takes near over into cluster, gives a document to each that is empty, computes centres. Returns how many documents moved;
 * 0: it is settled, and nothing was computed. */
uint32_t kmeans_step(const struct kset *s, const struct knear *near, uint32_t *cluster, struct kcentres *c,
                     double *lengths, uint32_t *sizes);
/* Σ cosine to the own centre. */
double kmeans_cohesion(const struct knear *near, uint32_t count);

/* The mean cosine to the own centre as it would be without the document; of one that is alone it is 0. More clusters are worth more by it only as long as their centres say
 * something of documents that they were not made of. */
double kmeans_left_out(const struct kset *s, const struct knear *near, const double *lengths, const uint32_t *sizes);
/* The mean over documents of (b - a)/max(a, b): a the distance to the own centre as it would be without the document, b that to the next one (silhouettes of centres). A
 * document that is alone counts 0. From -1 to 1: so a cluster for each document is no good, as it is by the sum of distances. */
double kmeans_silhouette(const struct kset *s, const struct knear *near, const double *lengths, const uint32_t *sizes);

/* The whole of it in one place, `starts` times, the best of them: what bisecting does to a cluster. tick: NULL, or called now and then; false ends it. */
struct kmeans_rules {
    uint32_t k, starts, max_iterations;
    uint64_t seed, stream; /* streams [stream, stream + starts) */
};
bool kmeans_run(const struct kset *s, const struct kmeans_rules *r, bool (*tick)(void *arg), void *arg,
                uint32_t *out_cluster, uint32_t *out_k);
