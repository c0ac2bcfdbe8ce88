/* target.h - inside of libassign: which URLs an automatic experiment is for. */
#pragma once
#include "assign/regex.h"
#include "assign/scratch.h"

enum assign_url_kind { URL_NEVER, URL_REGEX, URL_SIMPLE };

struct assign_url_parameter {
    struct assign_text key;
    const struct assign_regex *regex;
};
struct assign_url_target {
    enum assign_url_kind kind;
    bool include, with_hash;
    const struct assign_regex *regex;              /* URL_REGEX */
    const struct assign_regex *host, *path, *hash; /* URL_SIMPLE; NULL never fits */
    const struct assign_url_parameter *parameters;
    uint32_t parameters_count;
};

/* False: the arena gave no more. What makes no sense never fits. */
bool assign_url_target_compile(const struct assign_value *json, struct assign_arena *a, struct assign_url_target *out);
bool assign_url_targeted(struct assign_text url, const struct assign_url_target *targets, uint32_t count,
                         struct assign_scratch *s);
/* The new URL with those parameters of the old one that it lacks; as it is when one of both is no URL. */
bool assign_url_merge(struct assign_text old_url, struct assign_text new_url, struct assign_arena *a,
                      struct assign_text *out);
