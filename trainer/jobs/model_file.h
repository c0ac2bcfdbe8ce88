/* model_file.h - the artifact of a training job, section by section, then its card and its checksum. */
#pragma once
#include "model/lists.h"
#include "trainer/models/training.h"

enum { MODEL_FILE_SECTIONS = 16 };

struct model_file {
    struct artifact_out out;
    struct buf sections[MODEL_FILE_SECTIONS], card, file;
    size_t count;
    char digest[ARTIFACT_DIGEST];
};
void model_file_begin(struct model_file *f, const char *kind);
void model_file_release(struct model_file *f);
/* Where the bytes of one more section go; it lives as long as the file. */
struct buf *model_file_section(struct model_file *f);
/* Ends lists, and adds them as a section of this name. */
bool model_file_lists(struct model_file *f, const char *name, struct lists_out *lists, struct err *err) MUSTCHECK;
/* Adds the card that `t` tells, and ends the artifact: t->kind, file and digest are set, and borrow from here. */
bool model_file_end(struct model_file *f, const struct run_context *run, struct training *t, struct err *err) MUSTCHECK;
