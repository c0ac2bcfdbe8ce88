#include "trainer/kernels/searches/fetch.h"

#include <curl/curl.h>

#include "base/buf.h"
#include "base/clock.h"

enum { AT_ONCE_MAX = 64, POLL_MS = 50, SHOWN_BYTES = 120 };

/* One request under way. */
struct lane {
    struct fetching *all;
    CURL *easy;
    size_t index;
    uint32_t tries; /* of this request, this one among them */
    bool busy, waits, too_large;
    int64_t not_before_us;
    struct buf answer;
    char text[CURL_ERROR_SIZE];
};

struct fetching {
    const struct fetch_options *o;
    const struct fetch_request *requests;
    const struct fetch_calls *calls;
    size_t count, next, done;
    CURLM *multi;
    struct curl_slist *headers;
    struct lane lanes[AT_ONCE_MAX];
    uint32_t lanes_count;
};

static size_t on_bytes(char *p, size_t size, size_t n, void *arg)
{
    struct lane *l = arg;
    buf_add(&l->answer, p, size * n);
    l->too_large = l->answer.failed;
    return l->too_large ? 0 : size * n;
}

static void set_certificates(struct fetching *f, CURL *e)
{
    struct curl_blob ca = { (void *)(uintptr_t)f->o->ca.p, f->o->ca.n, CURL_BLOB_COPY };
    (void)curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, f->o->verify ? 1L : 0L);
    (void)curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, f->o->verify ? 2L : 0L);
    if (f->o->ca.n)
        (void)curl_easy_setopt(e, CURLOPT_CAINFO_BLOB, &ca);
}

static void lane_init(struct fetching *f, struct lane *l)
{
    CURL *e = l->easy = curl_easy_init();
    l->all = f;
    buf_init(&l->answer, f->o->max_bytes);
    (void)curl_easy_setopt(e, CURLOPT_PRIVATE, l);
    (void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_bytes);
    (void)curl_easy_setopt(e, CURLOPT_WRITEDATA, l);
    (void)curl_easy_setopt(e, CURLOPT_ERRORBUFFER, l->text);
    (void)curl_easy_setopt(e, CURLOPT_HTTPHEADER, f->headers);
    (void)curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "");
    (void)curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(e, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(e, CURLOPT_USERAGENT, "experimentd/" EXPERIMENTD_VERSION);
    (void)curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)f->o->timeout_s * 1000L);
    (void)curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)f->o->timeout_s * 1000L);
    set_certificates(f, e);
}

static void lane_start(struct fetching *f, struct lane *l)
{
    const struct fetch_request *r = &f->requests[l->index];
    buf_clear(&l->answer);
    l->too_large = l->waits = false;
    l->text[0] = 0;
    l->busy = true;
    l->tries++;
    (void)curl_easy_setopt(l->easy, CURLOPT_URL, r->url);
    if (r->body.p) {
        (void)curl_easy_setopt(l->easy, CURLOPT_POSTFIELDSIZE, (long)r->body.n);
        (void)curl_easy_setopt(l->easy, CURLOPT_POSTFIELDS, r->body.p);
    } else {
        (void)curl_easy_setopt(l->easy, CURLOPT_HTTPGET, 1L);
    }
    (void)curl_multi_add_handle(f->multi, l->easy);
}

/* What an engine says beside a bad status, on one line, as text. */
static void show(struct str answer, char out[SHOWN_BYTES + 1])
{
    struct str s = str_trim(str_cut(answer, SHOWN_BYTES));
    bool text = str_is_utf8(s);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        out[i] = c < 0x20 || c == 0x7f ? ' ' : c > 0x7f && !text ? '?' : (char)c;
    }
    out[s.n] = 0;
}

static bool is_later(long status)
{
    return status == 408 || status == 429 || status >= 500;
}

/* True: *why says why this try was none; *out_again: another may be one. */
static bool went_wrong(const struct lane *l, CURLcode code, struct err *why, bool *out_again)
{
    long status = 0;
    char shown[SHOWN_BYTES + 1];
    (void)curl_easy_getinfo(l->easy, CURLINFO_RESPONSE_CODE, &status);
    *out_again = false;
    if (l->too_large)
        return !err_set(why, ERR_TOO_LARGE, "the answer has more than %zu bytes", l->all->o->max_bytes);
    if (code != CURLE_OK) {
        *out_again = code != CURLE_PEER_FAILED_VERIFICATION && code != CURLE_URL_MALFORMAT &&
                     code != CURLE_UNSUPPORTED_PROTOCOL && code != CURLE_SSL_CACERT_BADFILE;
        return !err_set(why, ERR_BUSY, "%.200s", l->text[0] ? l->text : curl_easy_strerror(code));
    }
    if (status == 200)
        return false;
    *out_again = is_later(status);
    show(buf_str(&l->answer), shown);
    return !err_set(why, ERR_BUSY, "HTTP status %ld%s%s", status, shown[0] ? ": " : "", shown);
}

static void wait_before_again(struct lane *l)
{
    curl_off_t asked = 0;
    int64_t pause_ms = (int64_t)FETCH_PAUSE_MS << (l->tries < 10 ? l->tries - 1 : 9);
    (void)curl_easy_getinfo(l->easy, CURLINFO_RETRY_AFTER, &asked);
    if (asked > 0)
        pause_ms = asked > FETCH_PAUSE_MAX_MS / 1000 ? FETCH_PAUSE_MAX_MS : (int64_t)asked * 1000;
    if (pause_ms > FETCH_PAUSE_MAX_MS)
        pause_ms = FETCH_PAUSE_MAX_MS;
    l->waits = true;
    l->not_before_us = clock_mono_us() + pause_ms * 1000;
}

static bool lane_ended(struct fetching *f, struct lane *l, CURLcode code, struct err *err)
{
    struct err why;
    bool again, wrong = went_wrong(l, code, &why, &again);
    l->busy = false;
    if (wrong && again && l->tries < f->o->tries) {
        wait_before_again(l);
        return true;
    }
    if (wrong && again && f->o->tries > 1)
        (void)err_prefix(&why, "tried %u times: ", l->tries);
    l->tries = 0;
    f->done++;
    const struct str none = { NULL, 0 };
    return f->calls->on_answer(f->calls->arg, l->index, wrong ? none : buf_str(&l->answer), wrong ? &why : NULL, err);
}

static bool take_ended(struct fetching *f, struct err *err)
{
    int left;
    bool ok = true;
    for (CURLMsg *m = curl_multi_info_read(f->multi, &left); m && ok; m = curl_multi_info_read(f->multi, &left)) {
        struct lane *l;
        CURLcode code = m->data.result;
        if (m->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &l);
        (void)curl_multi_remove_handle(f->multi, l->easy);
        ok = lane_ended(f, l, code, err);
    }
    return ok;
}

static void start_free_lanes(struct fetching *f)
{
    for (uint32_t i = 0; i < f->lanes_count; i++) {
        struct lane *l = &f->lanes[i];
        if (l->busy || (l->waits && clock_mono_us() < l->not_before_us))
            continue;
        if (!l->waits) {
            if (f->next == f->count)
                continue;
            l->index = f->next++;
        }
        lane_start(f, l);
    }
}

/* What ended makes place for the next at once; only then is there something to wait for. */
static bool turn(struct fetching *f, struct err *err)
{
    int running;
    size_t before = f->done;
    start_free_lanes(f);
    CURLMcode code = curl_multi_perform(f->multi, &running);
    if (code == CURLM_OK && !take_ended(f, err))
        return false;
    if (code == CURLM_OK && f->done == before)
        code = curl_multi_poll(f->multi, NULL, 0, POLL_MS, NULL);
    if (code != CURLM_OK)
        return err_set(err, ERR_SYSTEM, "cannot go on with requests: %s", curl_multi_strerror(code));
    return f->calls->on_tick(f->calls->arg, err);
}

static void open_all(struct fetching *f)
{
    for (size_t i = 0; i < f->o->headers_count; i++)
        f->headers = curl_slist_append(f->headers, f->o->headers[i].p);
    f->headers = curl_slist_append(f->headers, "Accept: application/json");
    f->headers = curl_slist_append(f->headers, "Content-Type: application/json");
    f->headers = curl_slist_append(f->headers, "Expect:");
    f->lanes_count = f->o->at_once < AT_ONCE_MAX ? f->o->at_once : AT_ONCE_MAX;
    for (uint32_t i = 0; i < f->lanes_count; i++)
        lane_init(f, &f->lanes[i]);
}

static void close_all(struct fetching *f)
{
    for (uint32_t i = 0; i < f->lanes_count; i++) {
        if (f->lanes[i].busy)
            (void)curl_multi_remove_handle(f->multi, f->lanes[i].easy);
        curl_easy_cleanup(f->lanes[i].easy);
        buf_release(&f->lanes[i].answer);
    }
    curl_slist_free_all(f->headers);
    (void)curl_multi_cleanup(f->multi);
}

bool fetch_all(const struct fetch_options *options, const struct fetch_request *requests, size_t count,
               const struct fetch_calls *calls, struct err *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(err, ERR_SYSTEM, "cannot start libcurl");
    struct fetching *f = mem_zalloc(sizeof *f);
    bool ok = true;
    *f = (struct fetching){
        .o = options, .requests = requests, .calls = calls, .count = count, .multi = curl_multi_init()
    };
    open_all(f);
    while (ok && f->done < f->count)
        ok = turn(f, err);
    close_all(f);
    mem_free(f);
    curl_global_cleanup();
    return ok;
}
