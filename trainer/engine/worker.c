/* The worker process: reads a TASK, runs its kernel, says DONE or ERROR, reads the next. After a failure it ends: no state survives an
 * attempt. It dies with its coordinator: PR_SET_PDEATHSIG, and the end of file on fd 0. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "trainer/engine/build.h"
#include "trainer/engine/memory.h"
#include "trainer/engine/runtime.h"

/* A task's memory stays for the next one, up to so much: pages that go back to the kernel and come again are a tenth of a pass. */
enum { KEPT_BYTES = 32 << 20 };

static int exit_code_of(enum err_kind kind)
{
    switch (kind) {
    case ERR_INVALID:
    case ERR_NOT_FOUND:
    case ERR_TOO_LARGE:
        return WORKER_BAD_DATA;
    case ERR_SYSTEM:
        return WORKER_SYSTEM;
    default:
        return WORKER_AGAIN;
    }
}

static bool say_done(const struct task *t, size_t peak)
{
    char text[96];
    (void)snprintf(text, sizeof text, "{\"rows\":%llu,\"peak_bytes\":%zu}", (unsigned long long)t->rows, peak);
    return wire_say(FRAME_DONE, t->split, t->attempt, str_of(text));
}

/* What lives as long as the process. */
struct worker {
    struct wire wire;
    struct pg *connection;
    struct blob_checks checks;
};

/* 0, or the exit code of a worker that has failed. */
static int run_task(struct worker *w, const struct frame *f)
{
    struct task t;
    struct err err = { 0 };
    bool open = task_open(&t, &w->wire, &w->checks, f, &err);
    t.connection = &w->connection;
    const struct kernel *kernel = open ? task_kernel(&t, &err) : NULL;
    memory_cap(&t);
    bool ok = kernel && kernel->run(&t, &err) && task_finish(&t, &err);
    size_t peak = memory_uncap();
    if (!ok)
        (void)wire_say(FRAME_ERROR, t.split, t.attempt, str_of(err.text));
    else if (!say_done(&t, peak))
        err_set(&err, ERR_CONFLICT, "the coordinator has gone");
    task_close(&t);
    if (err.kind == ERR_NONE)
        return 0;
    return t.bug ? WORKER_BUG : open && !kernel ? WORKER_OTHER_BUILD : exit_code_of(err.kind);
}

static int serve(struct worker *w)
{
    struct frame f;
    int code = 0;
    while (code == 0) {
        enum wire_state state = wire_read(&w->wire, &f);
        if (state == WIRE_END)
            return EXIT_SUCCESS; /* the coordinator has gone */
        if (state == WIRE_BAD)
            return WORKER_OTHER_BUILD;
        switch (f.type) {
        case FRAME_TASK:
            code = run_task(w, &f);
            break;
        case FRAME_CANCEL: /* of an attempt that had ended */
            break;
        case FRAME_BYE:
            return EXIT_SUCCESS;
        default:
            return WORKER_OTHER_BUILD;
        }
    }
    return code;
}

static bool say_hello(void)
{
    char build[BUILD_TEXT_MAX], text[160];
    (void)snprintf(text, sizeof text, "{\"version\":\"%s\",\"build\":\"%s\"}", EXPERIMENTD_VERSION, build_text(build));
    return wire_say(FRAME_HELLO, 0, 0, str_of(text));
}

int worker_main(int argc, char **argv)
{
    struct worker w = { .connection = NULL };
    uint32_t parent;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (argc > 0 && parse_u32(str_of(argv[0]), &parent, NULL) && getppid() != (pid_t)parent)
        return EXIT_SUCCESS; /* the parent died before the line above */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    wire_open(&w.wire);
    int code = say_hello() ? serve(&w) : EXIT_SUCCESS;
    pg_close(w.connection);
    wire_close(&w.wire);
    return code;
}
