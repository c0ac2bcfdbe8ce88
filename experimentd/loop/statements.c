/* The statements of the leader's part. */
#include "experimentd/loop/parts.h"

#define ALIAS(name) "left join model_aliases " name " on " name ".model = l.model and " name ".alias = '" name "' "
#define LAST_BY(name)                                                                                    \
    "(select g.set_by from model_alias_log g where g.model = l.model and g.alias = '" name "' order by " \
    "g.id desc limit 1)"
#define EXPERIMENT "coalesce(l.state->>'experiment', l.spec->>'experiment')"
#define OVER                                                                                    \
    "coalesce((l.state->>'since_us')::bigint + (l.spec->>'max_days')::bigint * 86400000000 <= " \
    "us(clock_timestamp()), false)"

const struct pg_stmt loop_statements[LOOP_STMT_COUNT] = {
    [LOOP_SEEN] = { "loop_seen", 1,
                    "select l.model, l.spec::text, l.state::text, coalesce(champion.version, 0), "
                    "coalesce(challenger.version, 0), coalesce(next.version, 0), " LAST_BY("champion") ", " LAST_BY(
                        "challenger") ", (select v.actor from revisions v where v.subject = 'experiment:' "
                                      "|| " EXPERIMENT " order by v.id desc limit 1), " OVER
                                      ", md5(concat_ws('|', l.spec, l.state, champion.log, challenger.log, next.log, "
                                      "champion.version, challenger.version, next.version, e.version, "
                                      "m.published_at, p.published_at, g.version, " OVER
                                      ")) from model_loops l cross join config_version g " ALIAS("champion")
                                          ALIAS("challenger")
                                              ALIAS("next") "left join experiments e on e.key = " EXPERIMENT
                                                            " left join moments_current m on m.experiment = e.key "
                                                            "left join preferences_current p on p.experiment = e.key "
                                                            "where $1::text is null or l.model = $1 order by l.model" },
    [LOOP_LOCK] = { "loop_lock", 1, "select 1 from models where name = $1 for update" },
    [LOOP_STEP] = { "loop_step", 9,
                    "select model_loop_step($1, $2, $3::int, $4, $5::int, $6, $7, $8::jsonb, $9::jsonb)" },
    [LOOP_POINT] = { "loop_point", 4, "select model_alias_set($1, $2, $3::int, 'publish', $4, true)->>'refused'" },
    [LOOP_DROP_ALIAS] = { "loop_drop_alias", 4, "select model_alias_drop($1, $2, $3::int, $4)" },
    [LOOP_STATE] = { "loop_state", 2, "update model_loops set state = $2::jsonb where model = $1" },
};
