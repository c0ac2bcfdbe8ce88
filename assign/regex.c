#define PCRE2_CODE_UNIT_WIDTH 8
#include "assign/regex.h"

#include <pcre2.h>

#include "assign/arena.h"
#include "assign/limits.h"
#include "assign/regex_syntax.h"
#include "assign/scratch.h"

struct assign_regex {
    pcre2_code *code;
};

/* Memory comes from an arena, so that neither compiling nor matching leaves anything behind. */
struct matcher {
    pcre2_match_context *context;
    pcre2_match_data *data;
};

static void *take(PCRE2_SIZE n, void *arena)
{
    return assign_alloc(arena, n);
}

static void give_back(void *p, void *arena)
{
    (void)p;
    (void)arena;
}

const struct assign_regex *assign_regex_compile(struct assign_text pattern, bool fold_case, struct assign_arena *arena)
{
    uint32_t options = PCRE2_UTF | PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF | PCRE2_DOLLAR_ENDONLY |
                       PCRE2_NEVER_BACKSLASH_C | PCRE2_ALLOW_EMPTY_CLASS | (fold_case ? PCRE2_CASELESS : 0);
    struct assign_regex *r = assign_alloc(arena, sizeof *r);
    pcre2_general_context *general = r ? pcre2_general_context_create(take, give_back, arena) : NULL;
    pcre2_compile_context *context = general ? pcre2_compile_context_create(general) : NULL;
    int error;
    PCRE2_SIZE at;
    struct assign_text spelled;
    if (!context || pattern.n > ASSIGN_PATTERN_BYTES_MAX || !assign_regex_translate(pattern, arena, &spelled))
        return NULL;
    r->code = pcre2_compile((PCRE2_SPTR)spelled.p, spelled.n, options, &error, &at, context);
    return r->code ? r : NULL;
}

static struct matcher *matcher_of(struct assign_scratch *s)
{
    struct matcher *m = s->pcre;
    if (m)
        return m;
    m = assign_alloc(s->arena, sizeof *m);
    pcre2_general_context *general = m ? pcre2_general_context_create(take, give_back, s->arena) : NULL;
    if (!general)
        return NULL;
    m->context = pcre2_match_context_create(general);
    m->data = pcre2_match_data_create(1, general);
    if (!m->context || !m->data)
        return NULL;
    (void)pcre2_set_match_limit(m->context, ASSIGN_MATCH_LIMIT);
    (void)pcre2_set_depth_limit(m->context, ASSIGN_MATCH_DEPTH_LIMIT);
    (void)pcre2_set_heap_limit(m->context, ASSIGN_MATCH_HEAP_KIB);
    s->pcre = m;
    return m;
}

bool assign_regex_match(const struct assign_regex *regex, struct assign_text text, struct assign_scratch *s)
{
    struct matcher *m = matcher_of(s);
    if (!m) {
        s->failed = true;
        return false;
    }
    return pcre2_match(regex->code, (PCRE2_SPTR)(text.p ? text.p : ""), text.n, 0, 0, m->data, m->context) >= 0;
}
