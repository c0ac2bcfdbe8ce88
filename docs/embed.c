/* embed SERVER CLIENT_KEY [REFRESH_SECONDS]: a front end that evaluates in process; a unit's id a line on stdin, its features on stdout.
 * docs/embedding.md goes through it. Built with: cc embed.c $(pkg-config --cflags --libs libassign libcurl) */
#include <assign/assign.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct assign_payload *payload; /* the snapshot in use */
static char etag[128];

static long request(CURL *curl, const char *url, struct curl_slist *headers, const char *post, FILE *body)
{
    long status = 0;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
    if (post)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, post);
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    return status;
}

/* Asks for the payload if it is another than ours. Whatever goes wrong, the one that is there goes on answering. */
static void refresh(CURL *curl, const char *url)
{
    char *text = NULL, condition[160];
    size_t n = 0;
    FILE *body = open_memstream(&text, &n);
    struct assign_text no_key = { NULL, 0 };
    struct assign_error error = { "" };
    struct curl_header *tag = NULL;
    (void)snprintf(condition, sizeof condition, "If-None-Match: %s", etag);
    long status = request(curl, url, etag[0] ? curl_slist_append(NULL, condition) : NULL, NULL, body);
    (void)fclose(body);
    struct assign_payload *next = status == 200 ? assign_payload_new(text, n, no_key, &error) : NULL;
    if (next) {
        assign_payload_free(payload); /* no session is on it here; with threads: when the last one is done */
        payload = next;
        (void)snprintf(etag, sizeof etag, "%s",
                       curl_easy_header(curl, "ETag", 0, CURLH_HEADER, -1, &tag) ? "" : tag->value);
    } else if (status != 304) {
        (void)fprintf(stderr, "no new payload: status %ld %s\n", status, error.text);
    }
    free(text);
}

static void write_text(FILE *to, const char *before, struct assign_text text)
{
    char room[1024];
    struct assign_value v = { .type = ASSIGN_STRING, .text = text };
    (void)assign_json_write(&v, room, sizeof room);
    (void)fprintf(to, "%s%s", before, room);
}

/* An experiment's hash put the unit in: one more exposure to report. */
static void note_exposure(void *exposures, const struct assign_run *run)
{
    write_text(exposures, ftell(exposures) ? ",{\"unit\":" : "[{\"unit\":", run->hash_text);
    write_text(exposures, ",\"experiment\":", run->experiment);
    write_text(exposures, ",\"variant\":", run->key);
    (void)fputc('}', exposures);
}

static void evaluate(const char *id, FILE *exposures)
{
    static char memory[65536]; /* for one unit at a time */
    struct assign_arena arena = { .at = memory, .end = memory + sizeof memory };
    struct assign_member attribute = { { "id", 2 }, { .type = ASSIGN_STRING, .text = { id, strlen(id) } } };
    struct assign_unit unit = { .attributes = { .type = ASSIGN_OBJECT, .count = 1, .members = &attribute },
                                .on_exposure = note_exposure,
                                .arg = exposures };
    struct assign_session *session = assign_bind(payload, &unit, &arena);
    for (size_t i = 0; session && i < assign_feature_count(payload); i++) {
        struct assign_result result;
        char value[1024];
        struct assign_text key = assign_feature_key(payload, i);
        if (!assign_eval(session, i, &result, NULL))
            break;
        (void)assign_json_write(result.value, value, sizeof value);
        (void)printf("%s %.*s %s %s\n", id, (int)key.n, key.p, value, assign_source_name(result.source));
    }
}

static void report(CURL *curl, const char *server, const char *key, char *list)
{
    char url[512], bearer[256], *text = NULL;
    size_t n = 0;
    FILE *body = open_memstream(&text, &n);
    (void)snprintf(url, sizeof url, "%s/v1/exposures", server);
    (void)snprintf(bearer, sizeof bearer, "Authorization: Bearer %s", key);
    struct curl_slist *headers = curl_slist_append(curl_slist_append(NULL, bearer), "Content-Type: application/json");
    long status = request(curl, url, headers, list, body);
    (void)fclose(body);
    if (status != 200)
        (void)fprintf(stderr, "exposures were not taken: status %ld %s\n", status, text);
    free(text);
}

int main(int argc, char **argv)
{
    char url[512], id[256], *list = NULL;
    size_t n = 0;
    time_t loaded = 0, every = argc > 3 ? strtol(argv[3], NULL, 10) : 30;
    FILE *exposures = open_memstream(&list, &n);
    CURL *curl = curl_easy_init();
    if (argc < 3 || !curl || !exposures)
        return 64;
    (void)snprintf(url, sizeof url, "%s/api/features/%s", argv[1], argv[2]);
    while (fgets(id, sizeof id, stdin)) {
        id[strcspn(id, "\n")] = '\0';
        if (!payload || time(NULL) - loaded >= every) {
            refresh(curl, url);
            loaded = time(NULL);
        }
        if (payload)
            evaluate(id, exposures);
    }
    (void)fputs(ftell(exposures) ? "]" : "[]", exposures);
    (void)fclose(exposures);
    report(curl, argv[1], argv[2], list);
    free(list);
    assign_payload_free(payload);
    curl_easy_cleanup(curl);
    return 0;
}
