/* classifier_speed ARTIFACT: how long the classifier of an artifact takes for a text of standard input (one a line), on one core. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "model/classifier.h"

enum { LINES_MAX = 4096, ROUNDS = 50 };

int main(int argc, char **argv)
{
    static char lines[LINES_MAX][QUERY_TEXT_MAX];
    static struct classifier_work work;
    struct artifact a;
    struct classifier c;
    struct err err;
    size_t n = 0;
    double sum = 0;
    FILE *f = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (!f) {
        (void)fprintf(stderr, "classifier_speed: usage: ARTIFACT\n");
        return 2;
    }
    char *bytes = malloc((size_t)1 << 30);
    const size_t size = fread(bytes, 1, (size_t)1 << 30, f);
    (void)fclose(f);
    if (!artifact_read((struct str){ bytes, size }, &a, &err) || !classifier_open(&a, &c, &err)) {
        (void)fprintf(stderr, "classifier_speed: %s\n", err.text);
        return 1;
    }
    while (n < LINES_MAX && fgets(lines[n], sizeof lines[n], stdin))
        n++;
    const int64_t began_us = clock_mono_us();
    for (int r = 0; r < ROUNDS; r++)
        for (size_t i = 0; i < n; i++) {
            classifier_predict(&c, str_of(lines[i]), &work);
            sum += work.p[0];
        }
    const double us = (double)(clock_mono_us() - began_us) / (double)(n ? n * ROUNDS : 1);
    printf("%.2f us a text, %u classes, %u n-grams (%g)\n", us, c.classes, c.table.rows, sum > 0 ? 1.0 : 0.0);
    free(bytes);
    return 0;
}
