// SPDX-License-Identifier: Apache-2.0
// Misuses libswt in every way that a caller can without lying about its own memory: each has to end in an error
// code with one line of text. Run under sanitizers by scripts/test sanitizers.
//
//   misuse MODEL.swt ENCODER.swt FLAT.swt SCAN.nii.gz FOLDER NETWORK.swt
//
// MODEL is 3-D with one channel and a classifier, ENCODER the same without one, FLAT is 2-D; files
// are made in FOLDER.
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "misuse.h"

atomic_int checks, failures;
swt_error error;

void check(bool is_right, const char *place, const char *what, int found) {
  checks++;
  if (is_right) return;
  failures++;
  printf("%s: %s: %d, \"%.*s\"\n", place, what, found, (int)sizeof error.message - 1, error.message);
}

void refused(const char *place, const char *call, swt_status found, swt_status want) {
  const size_t length = strnlen(error.message, sizeof error.message);
  const bool is_said = length > 0 && length < sizeof error.message && !strchr(error.message, '\n');
  check(found == want && is_said, place, call, found);
  memset(error.message, 'x', sizeof error.message);
}

void survived(const char *place, const char *call, swt_status found) {
  check(found == SWT_OK || found == SWT_USAGE || found == SWT_BAD_INPUT || found == SWT_CANNOT_OPEN ||
            found == SWT_MEMORY,
        place, call, found);
}

void *misaligned(const void *pointer) { return (char *)pointer + 1; }

swt_model *open_model(const char *path) {
  swt_model *model = NULL;
  if (swt_model_open(path, &model, &error)) {
    printf("%s\n", error.message);
    exit(66);
  }
  return model;
}

swt_session *make_session(const swt_model *model, const int64_t shape[4]) {
  swt_session *session = NULL;
  const int32_t stages[] = {0};
  CHECK(swt_session_create(model, shape, 4, SWT_POOLED, stages, 1, 1, &session, NULL) == SWT_OK);
  return session;
}

void copy_start(const char *from, const char *to, size_t count) {
  FILE *source = fopen(from, "rb"), *target = fopen(to, "wb");
  for (int byte; source && target && count > 0 && (byte = fgetc(source)) != EOF; count--) fputc(byte, target);
  if (!source || !target || fclose(source) || fclose(target)) abort();
}

enum { SIDE = 16, VOXELS = SIDE * SIDE * SIDE };
static const int64_t shape[4] = {1, SIDE, SIDE, SIDE};
static float voxels[VOXELS + 1];
static float result[1024];

// Everything that takes a handle, with arguments that are right otherwise.
static void use_bad_handle(void *handle) {
  swt_model *model = handle;
  swt_session *session = handle, *new_session = NULL;
  swt_pipeline *pipeline = handle, *new_pipeline = NULL;
  const char *files[] = {"scan.nii.gz"};
  const float *channels[] = {voxels};
  const double spacing[3] = {1, 1, 1};
  int64_t sizes[4];
  CHECK(swt_model_description(model) == NULL);
  CHECK(swt_model_pooled_count(model) == 0);
  CHECK(swt_model_logit_count(model) == 0);
  REFUSED(SWT_USAGE, swt_session_create(model, shape, 4, SWT_POOLED, NULL, 0, 1, &new_session, &error));
  CHECK(new_session == NULL);
  REFUSED(SWT_USAGE, swt_session_run(session, voxels, NULL, &error));
  REFUSED(SWT_USAGE, swt_session_pooled(session, result, 64, &error));
  REFUSED(SWT_USAGE, swt_session_logits(session, result, 2, &error));
  REFUSED(SWT_USAGE, swt_session_stage_shape(session, 0, sizes, 4, &error));
  REFUSED(SWT_USAGE, swt_session_stage(session, 0, result, 64, &error));
  REFUSED(SWT_USAGE, swt_pipeline_create(model, NULL, 1, 0, &new_pipeline, &error));
  CHECK(new_pipeline == NULL);
  REFUSED(SWT_USAGE, swt_pipeline_run_files(pipeline, files, 1, NULL, 0, result, 2, &error));
  REFUSED(SWT_USAGE, swt_pipeline_run_volumes(pipeline, channels, 1, shape + 1, spacing, NULL, 0, result, 2, &error));
  const swt_status nothing = handle ? SWT_USAGE : SWT_OK;
  CHECK(swt_model_close(&model) == nothing && model == handle);
  CHECK(swt_session_close(&session) == nothing && session == handle);
  CHECK(swt_pipeline_close(&pipeline) == nothing && pipeline == handle);
}

static void misuse_handles(const char *path) {
  swt_model *model = open_model(path);
  swt_session *session = make_session(model, shape);
  swt_pipeline *pipeline = NULL;
  CHECK(swt_pipeline_create(model, NULL, 1, 0, &pipeline, NULL) == SWT_OK);
  const uintptr_t value = (uintptr_t)model;
  int local = 0;
  void *bad[] = {NULL, (void *)1, (void *)8, &local, malloc(64), (void *)~(uintptr_t)0, voxels,
                 (void *)(value + 1000), (void *)(value | 1u << 24), (void *)(value ^ (uintptr_t)1 << 62),
                 (void *)(value ^ (uintptr_t)1 << 63), (void *)((uintptr_t)1 << 62 | 0xFFFFFF)};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) use_bad_handle(bad[i]);
  free(bad[4]);

  // Of another kind.
  REFUSED(SWT_USAGE, swt_session_run((swt_session *)model, voxels, NULL, &error));
  REFUSED(SWT_USAGE, swt_session_pooled((swt_session *)pipeline, result, 64, &error));
  REFUSED(SWT_USAGE, swt_pipeline_run_files((swt_pipeline *)session, NULL, 1, NULL, 0, result, 2, &error));
  CHECK(swt_model_description((swt_model *)session) == NULL);
  swt_model *wrong = (swt_model *)session;
  CHECK(swt_model_close(&wrong) == SWT_USAGE && wrong == (swt_model *)session);
  swt_session *wrong_session = (swt_session *)pipeline;
  CHECK(swt_session_close(&wrong_session) == SWT_USAGE);
  swt_pipeline *wrong_pipeline = (swt_pipeline *)model;
  CHECK(swt_pipeline_close(&wrong_pipeline) == SWT_USAGE);

  // Closed; and twice.
  void *closed[] = {model, session, pipeline};
  CHECK(swt_model_close(&model) == SWT_OK && model == NULL);
  CHECK(swt_model_close(&model) == SWT_OK && swt_model_close(NULL) == SWT_OK);
  // The model's handle is gone, what it made works.
  CHECK(swt_session_run(session, voxels, NULL, NULL) == SWT_OK);
  CHECK(swt_session_pooled(session, result, 64, NULL) == SWT_OK);
  CHECK(swt_session_close(&session) == SWT_OK && session == NULL && swt_session_close(NULL) == SWT_OK);
  CHECK(swt_pipeline_close(&pipeline) == SWT_OK && pipeline == NULL && swt_pipeline_close(NULL) == SWT_OK);
  for (int i = 0; i < 3; i++) use_bad_handle(closed[i]);
  // Places are used again, handles never.
  for (int i = 0; i < 50; i++) {
    swt_model *next = open_model(path);
    CHECK(next != closed[0] && next != closed[1] && next != closed[2]);
    CHECK(swt_model_pooled_count(closed[0]) == 0);
    swt_model_close(&next);
  }
  CHECK(swt_model_close(misaligned(closed)) == SWT_USAGE);
}

static void misuse_open(const char *path, const char *scan, const char *folder) {
  swt_model *model = (swt_model *)&model;
  char name[4096];
  REFUSED(SWT_USAGE, swt_model_open(NULL, &model, &error));
  CHECK(model == NULL);
  REFUSED(SWT_USAGE, swt_model_open(path, NULL, &error));
  REFUSED(SWT_USAGE, swt_model_open(path, misaligned(&model), &error));
  REFUSED(SWT_USAGE, swt_model_open("\xff\xfe.swt", &model, &error));
  REFUSED(SWT_USAGE, swt_model_open("caf\xe9.swt", &model, &error));
  REFUSED(SWT_USAGE, swt_model_open("\xed\xa0\x80", &model, &error));
  REFUSED(SWT_CANNOT_OPEN, swt_model_open("", &model, &error));
  REFUSED(SWT_CANNOT_OPEN, swt_model_open("not\nthere", &model, &error));
  REFUSED(SWT_CANNOT_OPEN, swt_model_open(folder, &model, &error));
  REFUSED(SWT_CANNOT_OPEN, swt_model_open("/dev/zero", &model, &error));
  REFUSED(SWT_BAD_INPUT, swt_model_open(scan, &model, &error));
  snprintf(name, sizeof name, "%s/pipe", folder);
  CHECK(mkfifo(name, 0600) == 0);
  REFUSED(SWT_CANNOT_OPEN, swt_model_open(name, &model, &error));
  remove(name);
  // The first bytes of a model, as many as there are.
  const size_t lengths[] = {0, 1, 127, 128, 200, 4096, 65536, 70000};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    snprintf(name, sizeof name, "%s/short.swt", folder);
    copy_start(path, name, lengths[i]);
    REFUSED(SWT_BAD_INPUT, swt_model_open(name, &model, &error));
    remove(name);
  }
  // Longer than a path can be, and not ended.
  char *endless = malloc(4096);
  memset(endless, 'a', 4096);
  REFUSED(SWT_USAGE, swt_model_open(endless, &model, &error));
  endless[4095] = 0;
  REFUSED(SWT_CANNOT_OPEN, swt_model_open(endless, &model, &error));
  free(endless);
  CHECK(model == NULL);
  // Without anywhere to put the text.
  CHECK(swt_model_open("not there", &model, NULL) == SWT_CANNOT_OPEN);
}

#define CREATE(want, ...) REFUSED(want, swt_session_create(__VA_ARGS__, &error)); CHECK(session == NULL)

static void misuse_session_arguments(const char *path, const char *encoder_path, const char *flat_path) {
  swt_model *model = open_model(path), *encoder = open_model(encoder_path), *flat = open_model(flat_path);
  swt_session *session = NULL;
  CREATE(SWT_USAGE, model, NULL, 4, SWT_POOLED, NULL, 0, 1, &session);
  CREATE(SWT_USAGE, model, misaligned(shape), 4, SWT_POOLED, NULL, 0, 1, &session);
  REFUSED(SWT_USAGE, swt_session_create(model, shape, 4, SWT_POOLED, NULL, 0, 1, NULL, &error));
  REFUSED(SWT_USAGE, swt_session_create(model, shape, 4, SWT_POOLED, NULL, 0, 1, misaligned(&session), &error));
  const size_t ranks[] = {0, 1, 2, 3, 5, 1u << 31, SIZE_MAX / 2, SIZE_MAX};
  for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
    CREATE(SWT_USAGE, model, shape, ranks[i], SWT_POOLED, NULL, 0, 1, &session);
  }
  const int64_t sizes[] = {0, -1, INT64_MIN, INT64_MAX, 65537, (int64_t)1 << 32};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    for (int axis = 0; axis < 4; axis++) {
      int64_t bad[4] = {1, SIDE, SIDE, SIDE};
      bad[axis] = sizes[i];
      CREATE(SWT_USAGE, model, bad, 4, SWT_POOLED, NULL, 0, 1, &session);
    }
  }
  const int64_t huge[][4] = {{1, 65536, 65536, 65536}, {1, 65536, 65536, 4}, {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX}};
  for (int i = 0; i < 3; i++) { CREATE(SWT_USAGE, model, huge[i], 4, SWT_POOLED, NULL, 0, 1, &session); }
  // 32 GB of input, and hundreds of activations.
  const int64_t large[4] = {1, 2048, 2048, 2047};
  SURVIVED(swt_session_create(model, large, 4, SWT_POOLED, NULL, 0, 1, &session, &error));
  CHECK(swt_session_close(&session) == SWT_OK);
  const int64_t channels[4] = {2, SIDE, SIDE, SIDE};
  CREATE(SWT_USAGE, model, channels, 4, SWT_POOLED, NULL, 0, 1, &session);
  CREATE(SWT_USAGE, flat, shape, 4, SWT_POOLED, NULL, 0, 1, &session);
  CREATE(SWT_USAGE, encoder, shape, 4, SWT_LOGITS, NULL, 0, 1, &session);
  CHECK(swt_model_logit_count(encoder) == 0 && swt_model_pooled_count(encoder) > 0);

  const uint32_t outputs[] = {0, 4, 5, 1u << 31, UINT32_MAX};
  for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++) {
    CREATE(SWT_USAGE, model, shape, 4, outputs[i], NULL, 0, 1, &session);
  }
  const int32_t stages[] = {-1, 64, INT32_MIN, INT32_MAX};
  for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
    CREATE(SWT_USAGE, model, shape, 4, SWT_POOLED, stages + i, 1, 1, &session);
  }
  CREATE(SWT_USAGE, model, shape, 4, SWT_POOLED, NULL, 1, 1, &session);
  CREATE(SWT_USAGE, model, shape, 4, SWT_POOLED, misaligned(stages), 1, 1, &session);
  const size_t counts[] = {65, SIZE_MAX / 4, SIZE_MAX};
  for (int i = 0; i < 3; i++) { CREATE(SWT_USAGE, model, shape, 4, SWT_POOLED, stages, counts[i], 1, &session); }
  const int32_t threads[] = {-1, 1025, INT32_MIN, INT32_MAX};
  for (int i = 0; i < 4; i++) { CREATE(SWT_USAGE, model, shape, 4, SWT_POOLED, NULL, 0, threads[i], &session); }
  // Odd, but right: a stage twice, more threads than there is work.
  const int32_t twice[] = {0, 0};
  CHECK(swt_session_create(model, shape, 4, 0, twice, 2, 1024, &session, NULL) == SWT_OK);
  CHECK(swt_session_run(session, voxels, NULL, NULL) == SWT_OK);
  swt_session_close(&session);
  swt_model_close(&model);
  swt_model_close(&encoder);
  swt_model_close(&flat);
}

static void misuse_session(const char *path) {
  swt_model *model = open_model(path);
  swt_session *session = make_session(model, shape);
  const size_t width = swt_model_pooled_count(model);
  REFUSED(SWT_USAGE, swt_session_pooled(session, result, width, &error));  // not run yet
  REFUSED(SWT_USAGE, swt_session_run(session, NULL, NULL, &error));
  REFUSED(SWT_USAGE, swt_session_run(session, misaligned(voxels), NULL, &error));
  REFUSED(SWT_USAGE, swt_session_run(session, (float *)(UINTPTR_MAX - 3), NULL, &error));
  REFUSED(SWT_USAGE, swt_session_pooled(session, result, width, &error));  // and still not

  // Strides: with 16 elements per axis, those that reach beyond the address space.
  const int64_t far[] = {INT64_MAX, INT64_MIN, INT64_MAX / SIDE, INT64_MIN / SIDE, INT64_MAX / 32, INT64_MIN / 64,
                         (int64_t)1 << 58, -((int64_t)1 << 58), -((int64_t)1 << 46)};
  for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
    for (int axis = 1; axis < 4; axis++) {
      int64_t strides[4] = {VOXELS, SIDE * SIDE, SIDE, 1};
      strides[axis] = far[i];
      REFUSED(SWT_USAGE, swt_session_run(session, voxels, strides, &error));
    }
    const int64_t all[4] = {far[i], far[i], far[i], far[i]};
    REFUSED(SWT_USAGE, swt_session_run(session, voxels, all, &error));
  }
  const int64_t rows[4] = {VOXELS, SIDE * SIDE, SIDE, 1};
  REFUSED(SWT_USAGE, swt_session_run(session, voxels, misaligned(rows), &error));
  REFUSED(SWT_USAGE, swt_session_run(session, NULL, rows, &error));
  REFUSED(SWT_USAGE, swt_session_run(session, misaligned(voxels), rows, &error));
  const int64_t zero[4] = {0, 0, 0, 0}, backwards[4] = {-VOXELS, -SIDE * SIDE, -SIDE, -1};
  REFUSED(SWT_USAGE, swt_session_run(session, NULL, zero, &error));
  // Zero and negative strides are numpy's.
  CHECK(swt_session_run(session, voxels, zero, NULL) == SWT_OK);
  CHECK(swt_session_run(session, voxels + VOXELS - 1, backwards, NULL) == SWT_OK);
  // What is no number, or overflows on the way, gives no features.
  const float strange[] = {NAN, INFINITY, -INFINITY, FLT_MAX, -FLT_MAX};
  for (size_t i = 0; i < sizeof strange / sizeof *strange; i++)
    REFUSED(SWT_BAD_INPUT, swt_session_run(session, strange + i, zero, &error));
  const float small[] = {FLT_MIN / 2, 0};
  for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
    CHECK(swt_session_run(session, small + i, zero, NULL) == SWT_OK);
    CHECK(swt_session_pooled(session, result, width, NULL) == SWT_OK);
  }

  CHECK(swt_session_run(session, voxels, rows, NULL) == SWT_OK);
  const size_t counts[] = {0, width - 1, width + 1, SIZE_MAX / 4 + 2, SIZE_MAX};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    REFUSED(SWT_USAGE, swt_session_pooled(session, result, counts[i], &error));
    REFUSED(SWT_USAGE, swt_session_stage(session, 0, result, counts[i], &error));
  }
  REFUSED(SWT_USAGE, swt_session_pooled(session, NULL, width, &error));
  REFUSED(SWT_USAGE, swt_session_pooled(session, misaligned(result), width, &error));
  REFUSED(SWT_USAGE, swt_session_logits(session, result, 2, &error));  // not asked for
  int64_t sizes[5] = {0, 0, 0, 0, 7};
  const int32_t stages[] = {1, -1, 64, INT32_MIN, INT32_MAX};
  for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
    REFUSED(SWT_USAGE, swt_session_stage_shape(session, stages[i], sizes, 4, &error));
    REFUSED(SWT_USAGE, swt_session_stage(session, stages[i], result, width, &error));
  }
  const size_t ranks[] = {0, 3, 5, SIZE_MAX};
  for (int i = 0; i < 4; i++) REFUSED(SWT_USAGE, swt_session_stage_shape(session, 0, sizes, ranks[i], &error));
  REFUSED(SWT_USAGE, swt_session_stage_shape(session, 0, NULL, 4, &error));
  REFUSED(SWT_USAGE, swt_session_stage_shape(session, 0, misaligned(sizes), 4, &error));
  CHECK(swt_session_stage_shape(session, 0, sizes, 4, NULL) == SWT_OK && sizes[1] == SIDE && sizes[4] == 7);
  swt_session_close(&session);
  swt_model_close(&model);
}

int main(int argc, char **argv) {
  if (argc != 7) {
    fprintf(stderr, "usage: %s MODEL.swt ENCODER.swt FLAT.swt SCAN.nii.gz FOLDER NETWORK.swt\n", argv[0]);
    return 64;
  }
  for (int i = 0; i < VOXELS; i++) voxels[i] = (float)(i * 7919 % 1000) / 500 - 1;
  misuse_handles(argv[1]);
  misuse_open(argv[1], argv[4], argv[5]);
  misuse_session_arguments(argv[1], argv[2], argv[3]);
  misuse_session(argv[1]);
  misuse_pipelines(argv[1], argv[2], argv[3], argv[4], argv[5]);
  misuse_cases(argv[1], argv[2], argv[4]);
  misuse_segmentation(argv[6], argv[2], argv[4]);
  misuse_threads(argv[1]);
  // An instruction set that no machine has.
  swt_model *model = open_model(argv[1]);
  swt_session *session = NULL;
  setenv("SWT_ISA", "abacus", 1);
  REFUSED(SWT_USAGE, swt_session_create(model, shape, 4, SWT_POOLED, NULL, 0, 1, &session, &error));
  swt_model_close(&model);
  printf("libswt %s: %d checks, %d failures\n", swt_version(), checks, failures);
  return failures > 0;
}
