/* The split, simulated: made-up units through the compiled rule. */
#include "assign/assign.h"
#include "experimentd/config/experiment.h"
#include "experimentd/config/layers.h"
#include "experimentd/config/payload.h"
#include "experimentd/preflight/preflight.h"

/* SESSION: memory of one unit's evaluation, grown when it is not enough. */
enum { SESSION_BYTES = 16 << 10, SESSION_BYTES_MAX = 16 << 20, ID_MAX = 20, ATTRIBUTES_MAX = 64 };

/* What is hashed, and where the answer stands. */
struct simulation {
    struct arena *arena;
    struct assign_payload *payload;
    const struct payload *rules;
    size_t feature;
    struct str attributes[ATTRIBUTES_MAX];
    size_t attributes_count;
    struct assign_arena memory;
    char *block;
    size_t block_bytes;
};

/* ---- the part of the configuration that decides who is in ---- */

static bool is_live(const struct snapshot_experiment *e)
{
    return e->status == EXPERIMENT_RUNNING || (e->status == EXPERIMENT_CONCLUDED && e->rollout);
}

static bool needs(const struct snapshot_experiment *e, const struct snapshot_experiment *other)
{
    if (str_eq(e->parameter, other->parameter) || payload_holds_out(other, e))
        return true;
    for (size_t i = 0; i < e->prerequisites_count; i++)
        if (str_eq(e->prerequisites[i].experiment, other->key))
            return true;
    return false;
}

static bool is_needed(const struct snapshot *s, const bool *wanted, const struct snapshot_experiment *other)
{
    for (size_t k = 0; k < s->experiments_count; k++)
        if (wanted[k] && needs(&s->experiments[k], other))
            return true;
    return false;
}

/* Of what lives, all that one of the wanted needs, until nothing is added. */
static void want_all(const struct snapshot *s, bool *wanted)
{
    for (bool more_there = true; more_there;) {
        more_there = false;
        for (size_t i = 0; i < s->experiments_count; i++) {
            if (wanted[i] || !is_live(&s->experiments[i]) || !is_needed(s, wanted, &s->experiments[i]))
                continue;
            wanted[i] = more_there = true;
        }
    }
}

/* Made-up units have an id and nothing else. */
static bool drop_conditions(struct snapshot_experiment *e)
{
    bool any = e->targeting_json.n || e->segments.n || e->not_segments.n || e->urls_count;
    e->targeting_json = (struct str){ NULL, 0 };
    e->segments.n = e->not_segments.n = e->urls_count = e->forced_count = 0;
    return any;
}

static void make_part(const struct snapshot_experiment *placed, const struct snapshot *s, struct arena *arena,
                      struct snapshot *part, bool *out_ignores)
{
    bool *wanted = arena_zalloc(arena, s->experiments_count + 1);
    for (size_t i = 0; i < s->experiments_count; i++)
        wanted[i] = str_eq(s->experiments[i].key, placed->key);
    want_all(s, wanted);
    *part = *s;
    part->experiments = arena_alloc(arena, (s->experiments_count + 1) * sizeof *part->experiments);
    part->experiments_count = 0;
    for (size_t i = 0; i < s->experiments_count; i++) {
        if (!wanted[i])
            continue;
        struct snapshot_experiment *e = &part->experiments[part->experiments_count++];
        *e = str_eq(s->experiments[i].key, placed->key) ? *placed : s->experiments[i];
        *out_ignores = drop_conditions(e) || *out_ignores;
    }
}

/* ---- units ---- */

/* One attribute for each name that somebody hashes. */
static void add_attribute(struct simulation *m, struct str name)
{
    for (size_t i = 0; i < m->attributes_count; i++)
        if (str_eq(name, m->attributes[i]))
            return;
    if (m->attributes_count < ATTRIBUTES_MAX)
        m->attributes[m->attributes_count++] = name;
}

static void add_attributes(struct simulation *m, const struct snapshot *part)
{
    struct layer_step up[LAYERS_DEPTH_MAX];
    for (size_t i = 0; i < part->experiments_count; i++) {
        add_attribute(m, part->experiments[i].hash_attribute);
        size_t n = layers_above(part, part->experiments[i].layer, up);
        for (size_t k = 0; k < n; k++)
            add_attribute(m, up[k].layer->hash_attribute);
    }
}

/* S. Vigna's splitmix64: ids without a pattern, the same ones each time. */
static uint64_t mix(uint64_t i)
{
    uint64_t z = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* "0123456789abcdef-0": the unit in hexadecimal and the attribute's number; its length. printf would take a third of the time of all. */
static size_t make_id(uint64_t i, size_t attribute, char out[ID_MAX])
{
    uint64_t z = mix(i);
    size_t n = 0;
    for (int shift = 60; shift >= 0; shift -= 4)
        out[n++] = "0123456789abcdef"[z >> shift & 15];
    out[n++] = '-';
    if (attribute >= 10)
        out[n++] = (char)('0' + attribute / 10);
    out[n++] = (char)('0' + attribute % 10);
    return n;
}

static char *more(void *owner, size_t bytes)
{
    struct simulation *m = owner;
    size_t n = m->block_bytes ? 2 * m->block_bytes : SESSION_BYTES;
    while (n < bytes && n < SESSION_BYTES_MAX)
        n *= 2;
    if (n < bytes || n > SESSION_BYTES_MAX)
        return NULL;
    m->block = arena_alloc(m->arena, n);
    m->block_bytes = n;
    m->memory.at = m->block;
    m->memory.end = m->block + n;
    return m->block;
}

/* The variation that unit i gets of the experiment, or -1; -2 when the memory of an evaluation is not enough. */
static int simulate(struct simulation *m, uint64_t i, struct str experiment)
{
    struct assign_member members[ATTRIBUTES_MAX];
    char ids[ATTRIBUTES_MAX][ID_MAX];
    struct assign_unit unit = { .attributes = { .type = ASSIGN_OBJECT, .members = members } };
    struct assign_result r;
    for (size_t k = 0; k < m->attributes_count; k++) {
        members[k] = (struct assign_member){
            { m->attributes[k].p, m->attributes[k].n },
            { .type = ASSIGN_STRING, .text = { ids[k], make_id(i, k, ids[k]) } },
        };
    }
    unit.attributes.count = (uint32_t)m->attributes_count;
    m->memory.at = m->block;
    m->memory.end = m->block ? m->block + m->block_bytes : NULL;
    struct assign_session *session = assign_bind(m->payload, &unit, &m->memory);
    if (!session || !assign_eval(session, m->feature, &r, NULL))
        return -2;
    if (!r.has_run || !r.run.in_experiment || r.run.feature != (int)m->feature ||
        !str_eq(m->rules->list[m->feature].rules[r.run.rule].experiment->key, experiment))
        return -1;
    return r.run.variation;
}

/* ---- the whole ---- */

static bool compile(struct simulation *m, const struct snapshot *part, struct payload *rules,
                    const struct snapshot_experiment *placed)
{
    struct err err;
    struct assign_error e;
    if (!payload_build(part, false, m->arena, rules, &err))
        return false;
    m->payload = assign_payload_new(rules->json.p, rules->json.n, (struct assign_text){ NULL, 0 }, &e);
    int feature = m->payload ? assign_feature_index(m->payload, placed->parameter.p, placed->parameter.n) : -1;
    m->rules = rules;
    m->feature = feature >= 0 ? (size_t)feature : 0;
    add_attributes(m, part);
    return feature >= 0;
}

static bool count_units(struct simulation *m, const struct snapshot_experiment *placed, struct preflight_split *out)
{
    for (uint64_t i = 0; i < PREFLIGHT_UNITS; i++) {
        int v = simulate(m, i, placed->key);
        if (v < -1)
            return false;
        out->reached += v >= 0;
        if (v >= 0 && out->counts && (size_t)v < placed->variants_count)
            out->counts[v]++;
    }
    return true;
}

static void test(const struct snapshot_experiment *placed, struct preflight_split *out)
{
    struct err err;
    if (out->counts && out->reached)
        out->has_srm = srm_test(out->counts, out->weights, placed->variants_count, out->expected, &out->srm, &err);
}

void preflight_split(const struct snapshot_experiment *placed, const struct snapshot *s, struct arena *arena,
                     struct preflight_split *out)
{
    struct simulation m = { .arena = arena, .memory = { .more = more } };
    struct snapshot part;
    struct payload rules;
    size_t n = placed->variants_count;
    *out = (struct preflight_split){ 0 };
    m.memory.owner = &m;
    out->weights = arena_zalloc(arena, (n + 1) * sizeof *out->weights);
    out->expected = arena_zalloc(arena, (n + 1) * sizeof *out->expected);
    for (size_t i = 0; i < n; i++)
        out->weights[i] = experiment_weight(placed, i);
    if (placed->kind != EXPERIMENT_INTERLEAVE)
        out->counts = arena_zalloc(arena, (n + 1) * sizeof *out->counts);
    make_part(placed, s, arena, &part, &out->ignores_conditions);
    if (!compile(&m, &part, &rules, placed))
        out->why_not = "the experiment cannot be compiled";
    else if (!count_units(&m, placed, out))
        out->why_not = "evaluating a unit takes too much memory";
    else
        test(placed, out);
    if (m.payload)
        assign_payload_free(m.payload);
}
