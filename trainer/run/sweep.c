#include "trainer/run/sweep.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "base/log.h"

enum { NAMES_BYTES = 1 << 20 };

static const struct pg_stmt ended = {
    "sweep_ended", 1,
    "select r.id from runs r where r.id in (select x::uuid from jsonb_array_elements_text($1::jsonb) x) and "
    "r.state not in ('queued', 'running', 'publishing') and (r.state <> 'lost' or r.finished_at < now() - interval "
    "'7 days')"
};

static void list(const char *base, struct buf *out)
{
    struct jsonw w;
    unsigned char id[16];
    DIR *d = opendir(base);
    jsonw_init(&w, out);
    jsonw_open(&w, NULL, '[');
    for (struct dirent *f; d && (f = readdir(d));)
        if (uuid_parse(str_of(f->d_name), id))
            jsonw_text(&w, NULL, f->d_name);
    jsonw_close(&w);
    if (d)
        (void)closedir(d);
}

static void remove_folder(const char *base, const char *id)
{
    AUTO(mem_free) char *folder = mem_printf("%s/%s", base, id);
    DIR *d = opendir(folder);
    for (struct dirent *f; d && (f = readdir(d));) {
        AUTO(mem_free) char *path = mem_printf("%s/%s", folder, f->d_name);
        if (f->d_name[0] != '.')
            (void)unlink(path);
    }
    if (d)
        (void)closedir(d);
    if (rmdir(folder) == 0)
        log_info("spool_swept", "run=%s", id);
}

bool sweep_spool(struct pg *pg, const char *base, struct err *err)
{
    AUTO(buf_release) struct buf names;
    buf_init(&names, NAMES_BYTES);
    list(base, &names);
    if (!buf_ok(&names, "the list of spool folders", err))
        return false;
    const char *params[] = { names.p };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &ended, params, err);
    for (int i = 0; r && i < PQntuples(r); i++)
        remove_folder(base, pg_get(r, i, 0).p);
    return r != NULL;
}
