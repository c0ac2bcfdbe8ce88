#include "experimentd/ingest/journal/journal_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/pg.h"

static const char magic[4] = { 'X', 'D', 'J', '1' };
enum { READ_BYTES = 1 << 20 };

static char *segment_path(const char *dir, uint64_t start)
{
    return mem_printf("%s/%016" PRIx64 ".seg", dir, start);
}

static bool is_segment(const char *name, uint64_t *out_start)
{
    char *end;
    if (strlen(name) != 20 || strcmp(name + 16, ".seg") != 0)
        return false;
    *out_start = strtoull(name, &end, 16);
    return end == name + 16;
}

/* The segment with the smallest start that is >= from, or the largest that is <= upto. */
static bool find_segment(const char *dir, bool last, uint64_t bound, uint64_t *out_start)
{
    DIR *d = opendir(dir);
    bool found = false;
    uint64_t start;
    for (struct dirent *e; d && (e = readdir(d));) {
        if (!is_segment(e->d_name, &start) || (last ? start > bound : start < bound))
            continue;
        if (!found || (last ? start > *out_start : start < *out_start))
            *out_start = start;
        found = true;
    }
    if (d)
        (void)closedir(d);
    return found;
}

static bool sync_dir(const char *dir, struct err *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok || err_set_errno(err, "cannot sync directory \"%s\"", dir);
}

static bool write_all(int fd, const char *p, size_t n, off_t at)
{
    while (n > 0) {
        ssize_t done = pwrite(fd, p, n, at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        p += done;
        n -= (size_t)done;
        at += done;
    }
    return true;
}

static bool new_segment(struct journal_file *f, uint64_t start, struct err *err)
{
    AUTO(mem_free) char *path = segment_path(f->dir, start);
    char head[SEGMENT_HEAD_BYTES] = { 0 };
    memcpy(head, magic, sizeof magic);
    memcpy(head + 8, f->id, sizeof f->id);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set_errno(err, "cannot make journal segment \"%s\"", path);
    int full = posix_fallocate(fd, 0, (off_t)(SEGMENT_HEAD_BYTES + f->segment_bytes));
    errno = full ? full : errno;
    if (full || !write_all(fd, head, sizeof head, 0) || fdatasync(fd) != 0 || !sync_dir(f->dir, NULL)) {
        err_set_errno(err, "cannot make journal segment \"%s\"", path);
        close(fd);
        (void)unlink(path);
        return false;
    }
    f->fd = fd;
    f->start = f->end = start;
    return true;
}

/* Two processes that write one journal would each overwrite what the other has acknowledged. */
static bool take_lock(struct journal_file *f, struct err *err)
{
    AUTO(mem_free) char *path = mem_printf("%s/lock", f->dir);
    char owner[16] = "";
    f->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (f->lock_fd < 0)
        return err_set_errno(err, "cannot open \"%s\"", path);
    if (flock(f->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return err_set_errno(err, "cannot lock \"%s\"", path);
        ssize_t n = pread(f->lock_fd, owner, sizeof owner - 1, 0);
        return err_set(err, ERR_CONFLICT, "journal \"%s\" is in use by process %.*s", f->dir,
                       n > 0 ? (int)strcspn(owner, "\n") : 1, n > 0 ? owner : "?");
    }
    if (ftruncate(f->lock_fd, 0) == 0) /* a full disk must not keep a journal closed */
        (void)dprintf(f->lock_fd, "%d\n", (int)getpid());
    return true;
}

static bool read_id(struct journal_file *f, struct err *err)
{
    AUTO(mem_free) char *path = mem_printf("%s/id", f->dir);
    char text[UUID_TEXT_MAX] = { 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, UUID_TEXT_MAX - 1);
    if (fd >= 0)
        close(fd);
    if (n == UUID_TEXT_MAX - 1 && uuid_parse(str_of(text), f->id))
        return true;
    if (fd >= 0 && n > 0)
        return err_set(err, ERR_SYSTEM, "\"%s\" holds no journal id", path);
    uuid_v7(f->id, clock_now_us());
    uuid_format(f->id, text);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write_all(fd, text, UUID_TEXT_MAX - 1, 0) && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok ? sync_dir(f->dir, err) : err_set_errno(err, "cannot write \"%s\"", path);
}

/* Finds the end of the last segment by reading it through; what lies behind the last whole record was never acknowledged. */
static bool recover_tail(struct journal_file *f, uint64_t start, struct err *err)
{
    struct journal_reader r;
    enum record_type type;
    struct str payload;
    AUTO(mem_free) char *path = segment_path(f->dir, start);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        if (fd >= 0)
            close(fd);
        return err_set_errno(err, "cannot open journal segment \"%s\"", path);
    }
    journal_reader_init(&r, f->dir, start);
    while (journal_reader_next(&r, UINT64_MAX, &type, &payload)) {
    }
    uint64_t end = r.position;
    journal_reader_release(&r);
    /* Cut first, allocate again after: a whole record behind a torn one must not come back to life when the gap is filled. */
    off_t bytes = (off_t)(SEGMENT_HEAD_BYTES + (end - start));
    int e = ftruncate(fd, bytes) != 0 ? errno : 0;
    if (!e && (uint64_t)bytes < SEGMENT_HEAD_BYTES + f->segment_bytes)
        (void)posix_fallocate(
            fd, 0, (off_t)(SEGMENT_HEAD_BYTES + f->segment_bytes)); /* a full disk shows at the next append */
    if (e || fsync(fd) != 0) {
        close(fd);
        return err_set_errno(err, "cannot cut journal segment \"%s\"", path);
    }
    f->fd = fd;
    f->start = start;
    f->end = end;
    return true;
}

bool journal_file_open(struct journal_file *f, const char *dir, uint64_t segment_bytes, struct err *err)
{
    uint64_t start;
    *f = (struct journal_file){ .dir = mem_strdup(dir), .segment_bytes = segment_bytes, .lock_fd = -1, .fd = -1 };
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return err_set_errno(err, "cannot make directory \"%s\"", dir);
    if (!take_lock(f, err) || !read_id(f, err))
        return false;
    return find_segment(dir, true, UINT64_MAX, &start) ? recover_tail(f, start, err) : new_segment(f, 0, err);
}

void journal_file_close(struct journal_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    if (f->lock_fd >= 0)
        close(f->lock_fd);
    mem_free(f->dir);
    *f = (struct journal_file){ .lock_fd = -1, .fd = -1 };
}

bool journal_file_append(struct journal_file *f, struct str bytes, struct err *err)
{
    if (f->fd >= 0 && f->end > f->start && f->end - f->start + bytes.n > f->segment_bytes) {
        close(f->fd);
        f->fd = -1;
    }
    if (f->fd < 0 && !new_segment(f, f->end, err))
        return false;
    off_t at = (off_t)(SEGMENT_HEAD_BYTES + (f->end - f->start));
    if (write_all(f->fd, bytes.p, bytes.n, at) && fdatasync(f->fd) == 0) {
        f->end += bytes.n;
        return true;
    }
    err_set_errno(err, "cannot write the journal in \"%s\"", f->dir);
    /* After a failed sync nobody knows what is on disk: end this segment at what was acknowledged and go on in a new one. */
    (void)!ftruncate(f->fd, at);
    (void)fsync(f->fd);
    if (f->end > f->start) {
        close(f->fd);
        f->fd = -1;
    }
    return false;
}

void journal_file_go_to(struct journal_file *f, uint64_t position)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
    f->start = f->end = position;
}

void journal_file_forget(const struct journal_file *f, uint64_t position)
{
    uint64_t start, next;
    while (find_segment(f->dir, false, 0, &start) && find_segment(f->dir, false, start + 1, &next) &&
           next <= position) {
        AUTO(mem_free) char *path = segment_path(f->dir, start);
        if (unlink(path) != 0)
            return;
    }
}

uint64_t journal_file_first(const struct journal_file *f)
{
    uint64_t start;
    return find_segment(f->dir, false, 0, &start) ? start : f->end;
}

/* ---- reading ---- */

void journal_reader_init(struct journal_reader *r, const char *dir, uint64_t position)
{
    *r = (struct journal_reader){ .dir = dir, .fd = -1, .position = position };
    buf_init(&r->buffer, (size_t)4 * READ_BYTES);
}

void journal_reader_release(struct journal_reader *r)
{
    if (r->fd >= 0)
        close(r->fd);
    buf_release(&r->buffer);
    r->fd = -1;
}

static void pass_gap(struct journal_reader *r, uint64_t start)
{
    log_error("journal_gap", "dir=%s from=%" PRIu64 " to=%" PRIu64, r->dir, r->position, start);
    r->bad++;
    r->position = start;
}

/* The segment that holds the position; when it is gone, the next one before the limit. */
static bool open_at(struct journal_reader *r, uint64_t limit)
{
    if (!find_segment(r->dir, true, r->position, &r->start)) {
        if (!find_segment(r->dir, false, r->position, &r->start) || r->start >= limit)
            return false;
        pass_gap(r, r->start);
    }
    AUTO(mem_free) char *path = segment_path(r->dir, r->start);
    r->fd = open(path, O_RDONLY | O_CLOEXEC);
    r->failed = r->fd < 0 ? errno : 0;
    buf_clear(&r->buffer);
    r->at = 0;
    return r->fd >= 0;
}

static struct str rest_of(const struct journal_reader *r)
{
    return (struct str){ r->buffer.p + r->at, r->buffer.n - r->at };
}

/* More bytes of the segment behind what is buffered; false at the end of the file or at the limit. */
static bool fill(struct journal_reader *r, uint64_t limit)
{
    if (r->at) {
        buf_consume(&r->buffer, r->at);
        r->at = 0;
    }
    uint64_t from = r->position + r->buffer.n;
    size_t want = limit - from < READ_BYTES ? (size_t)(limit - from) : READ_BYTES;
    char *to = want ? buf_reserve(&r->buffer, want) : NULL;
    ssize_t n = to ? pread(r->fd, to, want, (off_t)(SEGMENT_HEAD_BYTES + (from - r->start))) : 0;
    r->failed = n < 0 ? errno : 0;
    if (n <= 0)
        return false;
    r->buffer.n += (size_t)n;
    return true;
}

/* The segment is read to its end: the next one starts exactly here, if there is one. */
static bool next_segment(struct journal_reader *r, uint64_t limit)
{
    uint64_t start;
    if (!find_segment(r->dir, false, r->start + 1, &start))
        return false;
    if (start > r->position)
        pass_gap(r, start);
    close(r->fd);
    r->fd = -1;
    return open_at(r, limit);
}

/* Whether a whole record stands `size` bytes behind the damaged one: then it is damage, else the torn end of the file. */
static bool whole_follows(struct journal_reader *r, size_t size, uint64_t limit)
{
    enum record_type type;
    struct str payload, rest;
    size_t next_size;
    enum record_state state;
    do {
        rest = rest_of(r);
        state = rest.n < size ? RECORD_SHORT
                              : record_read((struct str){ rest.p + size, rest.n - size }, &type, &payload, &next_size);
    } while (state == RECORD_SHORT && fill(r, limit));
    return state == RECORD_WHOLE;
}

static bool segment_starts_here(const struct journal_reader *r)
{
    uint64_t start;
    return find_segment(r->dir, false, r->start + 1, &start) && start == r->position;
}

/* Where the length itself is damaged, nothing says where the next record stands: it is looked for byte by byte. No client can forge
 * one inside its texts: a length below RECORD_BYTES_MAX has a zero byte, and texts hold no NUL. False (and no step taken) without
 * one before the limit. */
static bool search_whole(struct journal_reader *r, uint64_t limit)
{
    enum record_type type;
    struct str payload;
    size_t size;
    uint64_t from = r->position;
    while (r->position < limit) {
        struct str rest = rest_of(r);
        enum record_state state = rest.n ? record_read(rest, &type, &payload, &size) : RECORD_SHORT;
        if (state == RECORD_WHOLE && r->position > from)
            return true;
        if (state == RECORD_SHORT && fill(r, limit))
            continue;
        if (rest.n == 0)
            break;
        r->at++;
        r->position++;
    }
    r->position = from;
    r->at = 0;
    buf_clear(&r->buffer);
    return false;
}

static void log_damage(struct journal_reader *r, uint64_t from)
{
    log_error("journal_record_damaged", "dir=%s segment=%016" PRIx64 " offset=%" PRIu64 " bytes=%" PRIu64, r->dir,
              r->start, SEGMENT_HEAD_BYTES + (from - r->start), r->position - from);
    r->bad++;
}

/* Behind a damaged record, to the next whole one. What is synced ends with a whole record, so that without one the reader goes to
 * the limit; while recovering (no limit) it stays, and the tail is cut there. */
static bool pass_damage(struct journal_reader *r, enum record_state state, size_t size, uint64_t limit)
{
    uint64_t from = r->position;
    bool synced = limit != UINT64_MAX;
    if (state == RECORD_BAD && size > 0 && whole_follows(r, size, limit)) {
        r->position += size;
        r->at += size;
    } else if (segment_starts_here(r)) {
        return next_segment(r, limit);
    } else if ((!synced && state != RECORD_BAD) || !search_whole(r, limit)) {
        if (r->failed)
            return false;
        if (next_segment(r, limit))
            return true;
        if (!synced)
            return false;
        r->position = limit;
        buf_clear(&r->buffer);
        r->at = 0;
    }
    log_damage(r, from);
    return true;
}

bool journal_reader_next(struct journal_reader *r, uint64_t limit, enum record_type *out_type, struct str *out_payload)
{
    size_t size = 0;
    while (r->position < limit) {
        if (r->fd < 0 && !open_at(r, limit))
            return false;
        enum record_state state = r->buffer.n ? record_read(rest_of(r), out_type, out_payload, &size) : RECORD_SHORT;
        if (state == RECORD_WHOLE) {
            r->at += size;
            r->position += size;
            return true;
        }
        if (state == RECORD_SHORT && fill(r, limit))
            continue;
        if (r->failed || !pass_damage(r, state, size, limit))
            return false;
    }
    return false;
}
