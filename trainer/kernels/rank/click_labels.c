#include "trainer/kernels/rank/click_labels.h"

#define CTR_PRIOR 10 /* searches with the mean share of clicks that a feature "ctr" begins with */
#define COEC_PRIOR 1 /* clicks, and as many expected ones, that "coec" begins with */

const char *const click_debias_names[DEBIAS_COUNT] = {
    [DEBIAS_NONE] = "none", [DEBIAS_IPS] = "ips", [DEBIAS_RATIO] = "ratio"
};
const char *const click_feature_names[CLICK_FEATURES] = {
    [CLICK_CLICKS] = "clicks",   [CLICK_IMPRESSIONS] = "impressions", [CLICK_CTR] = "ctr",
    [CLICK_COEC] = "coec",       [CLICK_DOC_CLICKS] = "doc_clicks",   [CLICK_DOC_IMPRESSIONS] = "doc_impressions",
    [CLICK_DOC_CTR] = "doc_ctr", [CLICK_DOC_COEC] = "doc_coec"
};

static bool clicked(const struct serp_pattern *p, uint32_t place)
{
    return (p->clicked >> place & 1) != 0;
}

void click_places_add(struct click_places *places, const struct serp_query *q)
{
    for (uint32_t i = 0; i < q->patterns_count; i++)
        for (uint32_t k = 0; k < q->patterns[i].n; k++) {
            places->shown[k] += (double)q->patterns[i].count;
            places->clicks[k] += clicked(&q->patterns[i], k) ? (double)q->patterns[i].count : 0;
        }
}

void click_sums_add(const struct serp_query *q, const struct click_rules *rules, const struct click_places *places,
                    struct click_sums *out)
{
    for (uint32_t i = 0; i < q->patterns_count; i++) {
        const struct serp_pattern *p = &q->patterns[i];
        const double count = (double)p->count;
        for (uint32_t k = 0; k < p->n; k++) {
            struct click_sums *s = &out[p->docs[k]];
            const double least = 1 / rules->clip;
            const double look = rules->examination[k] > least ? rules->examination[k] : least;
            s->shown += count;
            s->looked += count * look;
            if (places && places->shown[k] > 0)
                s->expected += count * places->clicks[k] / places->shown[k];
            if (clicked(p, k)) {
                s->clicks += count;
                s->weight += count / look;
            }
        }
    }
}

void click_sums_total(const struct click_sums *sums, size_t count, struct click_sums *into)
{
    for (size_t i = 0; i < count; i++) {
        into->shown += sums[i].shown;
        into->clicks += sums[i].clicks;
        into->looked += sums[i].looked;
        into->weight += sums[i].weight;
        into->expected += sums[i].expected;
    }
}

static double share(double of, double all)
{
    return all > 0 ? of / all : 0;
}

double click_label(const struct click_sums *s, const struct click_rules *rules)
{
    const double a = rules->prior;
    switch (rules->debias) {
    case DEBIAS_IPS:
        return share(s->weight + a * share(s->expected, s->looked), s->shown + a);
    case DEBIAS_RATIO:
        return share(s->clicks + a * share(s->expected, s->looked), s->looked + a);
    default:
        return share(s->clicks + a * share(s->expected, s->shown), s->shown + a);
    }
}

double click_evidence(const struct click_sums *s, const struct click_rules *rules)
{
    return (rules->debias == DEBIAS_NONE ? s->shown : s->looked) + rules->prior;
}

static double ctr(const struct click_sums *s, const struct click_sums *total)
{
    return share(s->clicks + CTR_PRIOR * share(total->clicks, total->shown), s->shown + CTR_PRIOR);
}

static double coec(const struct click_sums *s)
{
    return (s->clicks + COEC_PRIOR) / (s->expected + COEC_PRIOR);
}

float click_feature_value(enum click_feature f, const struct click_sums *query, const struct click_sums *doc,
                          const struct click_sums *total)
{
    static const struct click_sums none = { .shown = 0 };
    const struct click_sums *s = f >= CLICK_DOC_CLICKS ? doc : query ? query : &none;
    switch (f) {
    case CLICK_CLICKS:
    case CLICK_DOC_CLICKS:
        return (float)s->clicks;
    case CLICK_IMPRESSIONS:
    case CLICK_DOC_IMPRESSIONS:
        return (float)s->shown;
    case CLICK_CTR:
    case CLICK_DOC_CTR:
        return (float)ctr(s, total);
    default:
        return (float)coec(s);
    }
}
