/* Files are read and compressed once, before the workers start, and never change: workers share them without a lock. */
#include "experimentd/http/static_files.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#define ZLIB_CONST
#include <zlib.h>

#include "base/buf.h"
#include "base/hash.h"

enum { FILES_MAX = 200, FILE_BYTES_MAX = 4 << 20, GZIP_WORTH_BYTES = 512 };

struct file {
    char *path; /* "/assets/index-abc.js" */
    char etag[24];
    const char *type;
    struct buf plain, gzip; /* gzip empty: not worth it */
    bool immutable;         /* its name holds a hash of its contents */
};

static struct file files[FILES_MAX];
static size_t files_count;

static const struct {
    const char *suffix, *type;
} types[] = {
    { ".html", "text/html; charset=utf-8" },
    { ".js", "text/javascript; charset=utf-8" },
    { ".css", "text/css; charset=utf-8" },
    { ".svg", "image/svg+xml" },
    { ".json", "application/json" },
    { ".png", "image/png" },
    { ".ico", "image/x-icon" },
    { ".woff2", "font/woff2" },
    { ".txt", "text/plain; charset=utf-8" },
};

static const char csp[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static const char *type_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < COUNT_OF(types); i++)
        if (strcmp(dot, types[i].suffix) == 0)
            return types[i].type;
    return "application/octet-stream";
}

static bool read_whole(const char *name, struct buf *out, struct err *err)
{
    FILE *f = fopen(name, "re");
    char piece[16384];
    size_t n;
    buf_init(out, FILE_BYTES_MAX);
    if (!f)
        return err_set_errno(err, "cannot read \"%s\"", name);
    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        buf_add(out, piece, n);
    (void)fclose(f);
    return buf_ok(out, name, err);
}

static void compress_file(struct file *f)
{
    z_stream z = { .next_in = (const Bytef *)f->plain.p, .avail_in = (uInt)f->plain.n };
    buf_init(&f->gzip, FILE_BYTES_MAX);
    if (f->plain.n < GZIP_WORTH_BYTES || strncmp(f->type, "image/png", 9) == 0 || strncmp(f->type, "font/", 5) == 0)
        return;
    if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        return;
    size_t room = deflateBound(&z, f->plain.n);
    char *to = buf_reserve(&f->gzip, room);
    z.next_out = (Bytef *)to;
    z.avail_out = (uInt)room;
    if (to && deflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out < f->plain.n)
        f->gzip.n = z.total_out;
    (void)deflateEnd(&z);
}

static bool add_file(const char *dir, const char *sub, const char *name, struct err *err)
{
    AUTO(mem_free) char *full = mem_printf("%s%s/%s", dir, sub, name);
    if (files_count == FILES_MAX)
        return err_set(err, ERR_TOO_LARGE, "\"%s\" holds more than %d files", dir, FILES_MAX);
    struct file *f = &files[files_count];
    if (!read_whole(full, &f->plain, err))
        return false;
    f->path = mem_printf("%s/%s", sub, name);
    f->type = type_of(name);
    f->immutable = strcmp(sub, "/assets") == 0;
    (void)snprintf(f->etag, sizeof f->etag, "\"%016llx\"", (unsigned long long)hash64(buf_str(&f->plain)));
    compress_file(f);
    files_count++;
    return true;
}

static bool add_dir(const char *dir, const char *sub, struct err *err)
{
    AUTO(mem_free) char *full = mem_printf("%s%s", dir, sub);
    DIR *d = opendir(full);
    bool ok = true;
    for (struct dirent *e; d && ok && (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        if (e->d_type == DT_DIR && !*sub) {
            AUTO(mem_free) char *below = mem_printf("/%s", e->d_name);
            ok = add_dir(dir, below, err);
        } else if (e->d_type == DT_REG) {
            ok = add_file(dir, sub, e->d_name, err);
        }
    }
    if (d)
        (void)closedir(d);
    return ok;
}

bool static_open(const char *dir, struct err *err)
{
    return add_dir(dir, "", err);
}

void static_close(void)
{
    for (size_t i = 0; i < files_count; i++) {
        mem_free(files[i].path);
        buf_release(&files[i].plain);
        buf_release(&files[i].gzip);
    }
    files_count = 0;
}

static const struct file *find(struct str path)
{
    for (size_t i = 0; i < files_count; i++)
        if (str_eq_c(path, files[i].path))
            return &files[i];
    return NULL;
}

static bool holds(struct str haystack, const char *needle)
{
    return haystack.n && memmem(haystack.p, haystack.n, needle, strlen(needle)) != NULL;
}

static void send_file(struct http_request *req, const struct file *f)
{
    bool gzip = f->gzip.n && holds(http_header(req, STR("accept-encoding")), "gzip");
    http_reply_header(req, STR("ETag"), str_of(f->etag));
    http_reply_header(req, STR("Cache-Control"),
                      f->immutable ? STR("public, max-age=31536000, immutable") : STR("no-cache"));
    http_reply_header(req, STR("Content-Security-Policy"), (struct str){ csp, sizeof csp - 1 });
    http_reply_header(req, STR("X-Content-Type-Options"), STR("nosniff"));
    http_reply_header(req, STR("Referrer-Policy"), STR("no-referrer"));
    http_reply_header(req, STR("Vary"), STR("Accept-Encoding"));
    if (holds(http_header(req, STR("if-none-match")), f->etag)) {
        http_reply(req, 304, NULL, STR(""));
        return;
    }
    if (gzip)
        http_reply_header(req, STR("Content-Encoding"), STR("gzip"));
    http_reply(req, 200, f->type, gzip ? buf_str(&f->gzip) : buf_str(&f->plain));
}

void static_get(struct http_request *req, void *arg)
{
    (void)arg;
    bool wants_page = holds(http_header(req, STR("accept")), "text/html") && !str_starts(req->path, STR("/v1/")) &&
                      !str_starts(req->path, STR("/api/"));
    const struct file *f = find(str_eq(req->path, STR("/")) ? STR("/index.html") : req->path);
    if (!f && wants_page)
        f = find(STR("/index.html"));
    if (f) {
        send_file(req, f);
    } else if (wants_page) {
        http_reply(req, 404, "text/plain; charset=utf-8",
                   STR("The page has not been built: run script/setup, or give --web-dir.\n"));
    } else {
        struct err err;
        err_set(&err, ERR_NOT_FOUND, "there is nothing at \"" STR_FMT "\"",
                (int)(req->path.n > 100 ? 100 : req->path.n), req->path.p);
        http_reply_err(req, &err);
    }
}
