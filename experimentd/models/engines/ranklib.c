/* RankLib: features are numbered from 1, a value goes left when it is at most the threshold, and what is missing is 0. */
#include <math.h>

#include "experimentd/models/engines/engine.h"

static void put_node(const struct ranker_tree_node *nodes, uint32_t i, const char *side, struct buf *out)
{
    const struct ranker_tree_node *n = &nodes[i];
    buf_addf(out, side[0] ? "<split pos=\"%s\">" : "<split%s>", side);
    if (!n->left) {
        buf_add_c(out, "<output> ");
        engine_float(out, n->leaf);
        buf_add_c(out, " </output></split>\n");
        return;
    }
    buf_addf(out, "<feature> %u </feature><threshold> ", n->feature + 1);
    engine_float(out, nextafterf(n->threshold, -INFINITY));
    buf_add_c(out, " </threshold>\n");
    put_node(nodes, n->left, "left", out);
    put_node(nodes, n->right, "right", out);
    buf_add_c(out, "</split>\n");
}

bool ranklib_trees(const struct engine_ask *a, struct buf *out, struct err *err)
{
    const struct ranker *r = a->r;
    uint32_t elsewhere = engine_missing_is_not_zero(r, true);
    (void)err;
    buf_addf(out, "## LambdaMART\n## No. of trees = %u\n", r->trees);
    for (uint32_t f = 0; f < r->features; f++)
        buf_addf(out, "## feature %u is " STR_FMT "\n", f + 1, STR_ARG(r->names[f]));
    buf_add_c(out, "\n<ensemble>\n");
    for (uint32_t t = 0; t < r->trees; t++) {
        struct ranker_tree_node *nodes = engine_tree(r, t);
        buf_addf(out, "<tree id=\"%u\" weight=\"1.0\">\n", t + 1);
        put_node(nodes, 0, "", out);
        buf_add_c(out, "</tree>\n");
        mem_free(nodes);
    }
    buf_add_c(out, "</ensemble>\n");
    if (elsewhere)
        engine_note(a, "a missing value is 0 there: %u splits send it elsewhere", elsewhere);
    return true;
}
