// SPDX-License-Identifier: Apache-2.0
// What the parts of misuse.c share.
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <swt.h>

extern atomic_int checks, failures;
// Where the calls of the main thread put their text.
extern swt_error error;

void check(bool is_right, const char *place, const char *what, int found);
// A misuse: has to return `want`, and to say why in one line.
void refused(const char *place, const char *call, swt_status found, swt_status want);
// Strange, but it may succeed: has to return a status.
void survived(const char *place, const char *call, swt_status found);

#define TEXT(token) TEXT_OF(token)
#define TEXT_OF(token) #token
#define HERE __FILE__ ":" TEXT(__LINE__)
#define CHECK(condition) check(condition, HERE, #condition, 0)
#define REFUSED(want, call) refused(HERE, #call, call, want)
#define SURVIVED(call) survived(HERE, #call, call)

// The same pointer, one byte on.
void *misaligned(const void *pointer);
// Opens a model, or ends the program.
swt_model *open_model(const char *path);
// A session on one thread for pooled features and stage 0.
swt_session *make_session(const swt_model *model, const int64_t shape[4]);
// Copies the first `count` bytes of a file.
void copy_start(const char *from, const char *to, size_t count);

void misuse_pipelines(const char *model, const char *encoder, const char *flat, const char *scan,
                      const char *folder);
void misuse_cases(const char *model, const char *encoder, const char *scan);
void misuse_segmentation(const char *network, const char *encoder, const char *scan);
void misuse_threads(const char *model);
