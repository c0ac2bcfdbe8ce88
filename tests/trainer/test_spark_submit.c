/* What spark-submit is given: settings in the right order, no secret; and the bundle: the worker in it runs with its own loader. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "trainer/spark/bundle.h"
#include "trainer/spark/submit.h"

#define URL "host=db.example user=x password=hunter2 dbname=experimentd"

static struct spark_settings settings = { .submit = "spark-submit",
                                          .master = "spark://h:7077",
                                          .deploy_mode = "client",
                                          .conf = "",
                                          .python = "",
                                          .worker_path = "",
                                          .ui_url_template = "",
                                          .history_url = "" };
static const char *const arguments[] = { "run", "--run", "id-1", "--engine", "pipe", NULL };

static struct spark_run a_run(void)
{
    return (struct spark_run){ .id = "id-1",
                               .job = "metrics",
                               .dir = "/nowhere",
                               .database_url = URL,
                               .arguments = arguments,
                               .max_attempts = 4,
                               .memory_mb = 1024 };
}

static int place(const struct spark_words *w, const char *text)
{
    for (size_t i = 0; i < w->count; i++)
        if (strcmp(w->at[i], text) == 0)
            return (int)i;
    return -1;
}

Test(spark_submit, no_argument_holds_the_secret)
{
    const char *modes[] = { "client", "cluster" };
    for (int i = 0; i < 2; i++) {
        struct spark_settings s = settings;
        struct spark_run run = a_run();
        struct spark_words w;
        s.deploy_mode = (char *)(uintptr_t)modes[i];
        spark_words_make(&s, &run, "/nowhere/hash", "experimentd-hash.tar.gz", &w);
        for (size_t k = 0; k < w.count; k++)
            cr_assert_null(strstr(w.at[k], "hunter2"), "%s", w.at[k]);
        cr_assert_eq(place(&w, "--files") >= 0, i == 1);
        cr_assert_eq(place(&w, "--trainer") >= 0, i == 0);
        spark_words_free(&w);
    }
}

Test(spark_submit, the_operators_settings_come_last_and_so_win)
{
    struct spark_settings s = settings;
    struct spark_run run = a_run();
    struct spark_words w;
    s.conf = (char *)(uintptr_t) "spark.executor.cores=4  spark.speculation=false";
    spark_words_make(&s, &run, "/nowhere/hash", "experimentd-hash.tar.gz", &w);
    cr_assert(gt(int, place(&w, "spark.speculation=false"), place(&w, "spark.speculation=true")));
    cr_assert(ge(int, place(&w, "spark.executor.memoryOverhead=5632m"), 0));
    cr_assert(ge(int, place(&w, "spark.task.maxFailures=4"), 0));
    cr_assert_str_eq(w.at[w.count - 1], "pipe");
    spark_words_free(&w);
}

Test(spark_submit, wrong_settings_are_named)
{
    const struct {
        const char *master, *mode, *conf, *url, *why;
    } cases[] = {
        { "", "client", "", URL, "spark.master" },
        { "yarn", "sideways", "", URL, "spark.deploy_mode" },
        { "yarn", "client", "spark.a=1 nonsense", URL, "nonsense" },
        { "yarn", "client", "", "host=/var/run user=x", "Unix socket" },
        { "yarn", "client", "", "dbname=x", "Unix socket" },
    };
    struct err err;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct spark_settings s = settings;
        s.master = (char *)(uintptr_t)cases[i].master;
        s.deploy_mode = (char *)(uintptr_t)cases[i].mode;
        s.conf = (char *)(uintptr_t)cases[i].conf;
        cr_assert_not(spark_settings_check(&s, cases[i].url, &err));
        cr_assert_not_null(strstr(err.text, cases[i].why), "%s", err.text);
    }
    struct spark_settings relative = settings;
    relative.python = (char *)(uintptr_t) "venv/bin/python";
    cr_assert_not(spark_settings_check(&relative, URL, &err));
    cr_assert_not_null(strstr(err.text, "a whole path"), "%s", err.text);
    cr_assert(spark_settings_check(&settings, URL, &err));
    cr_assert(spark_settings_check(&settings, "postgresql://db.example/x", &err));
}

static void check_link(const struct spark_settings *s, const char *said, bool ended, const char *wanted)
{
    AUTO(mem_free) char *link = spark_ui_url(s, "app-1", said, ended);
    if (wanted)
        cr_assert_str_eq(link, wanted);
    else
        cr_assert_null(link);
}

Test(spark_submit, links_come_from_the_template_or_from_spark)
{
    struct spark_settings s = settings;
    check_link(&s, "http://h:4040", false, "http://h:4040");
    check_link(&s, NULL, false, NULL);
    s.ui_url_template = (char *)(uintptr_t) "https://ui/{app_id}/jobs";
    check_link(&s, "http://h:4040", false, "https://ui/app-1/jobs");
    check_link(&s, "http://h:4040", true, "https://ui/app-1/jobs");
    s.history_url = (char *)(uintptr_t) "https://history";
    check_link(&s, "http://h:4040", true, "https://history/history/app-1/");
}

Test(spark_bundle, its_program_runs_with_its_own_loader_and_is_made_once)
{
    char dir[] = "/tmp/test-bundle-XXXXXX", archive[64];
    struct err err;
    cr_assert_not_null(mkdtemp(dir));
    char *folder = bundle_make(dir, archive, &err);
    cr_assert_not_null(folder, "%s", err.text);
    (void)setenv("BUNDLE_DIR", dir, 1);
    (void)setenv("BUNDLE_FOLDER", folder, 1);
    (void)setenv("BUNDLE_ARCHIVE", archive, 1);
    /* what is in it is this test program; with --help it says how it is used */
    cr_assert_eq(system("cd $BUNDLE_DIR && mkdir at && tar xzf $BUNDLE_FOLDER/$BUNDLE_ARCHIVE -C at && "
                        "env -i ./at/loader --library-path at/lib at/trainer --help 2>&1 | grep -q usage"),
                 0);
    cr_assert_eq(system("cd $BUNDLE_FOLDER && test -s driver.py && test -s task.py && test -s frames.py"), 0);
    char *again = bundle_make(dir, archive, &err);
    cr_assert_str_eq(again, folder);
    cr_assert_eq(system("test $(ls $BUNDLE_DIR | wc -l) = 2 && rm -r $BUNDLE_DIR"), 0);
    mem_free(folder);
    mem_free(again);
}
