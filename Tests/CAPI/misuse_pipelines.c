// SPDX-License-Identifier: Apache-2.0
// Misuses of pipelines: arguments, scans in memory, files.
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "misuse.h"

enum { SIDE = 12, VOXELS = SIDE * SIDE * SIDE, CLASSES = 2, FEATURES = 64 };
static float voxels[VOXELS + 1];
static float logits[CLASSES + 1], pooled[FEATURES + 1];
static const int64_t cube[3] = {SIDE, SIDE, SIDE};
static const double millimetre[3] = {1, 1, 1};

#define VOLUMES(pipeline, channels, count, shape, spacing) \
  swt_pipeline_run_volumes(pipeline, channels, count, shape, spacing, NULL, 0, logits, CLASSES, &error)
#define FILES(pipeline, files, count) \
  swt_pipeline_run_files(pipeline, files, count, NULL, 0, logits, CLASSES, &error)

static swt_pipeline *make_pipeline(const swt_model *model, const char *policy, uint64_t memory_limit) {
  swt_pipeline *pipeline = NULL;
  CHECK(swt_pipeline_create(model, policy, 2, memory_limit, &pipeline, NULL) == SWT_OK);
  return pipeline;
}

static void misuse_creation(const swt_model *model) {
  swt_pipeline *pipeline = NULL;
  const char *policies[] = {"", "Whole", "whole ", "crop", "\xff", "whole\nsliding-window"};
  for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
    REFUSED(SWT_USAGE, swt_pipeline_create(model, policies[i], 1, 0, &pipeline, &error));
    CHECK(pipeline == NULL);
  }
  const int32_t threads[] = {-1, 1025, INT32_MIN, INT32_MAX};
  for (int i = 0; i < 4; i++) {
    REFUSED(SWT_USAGE, swt_pipeline_create(model, NULL, threads[i], 0, &pipeline, &error));
  }
  REFUSED(SWT_USAGE, swt_pipeline_create(model, NULL, 1, 0, NULL, &error));
  REFUSED(SWT_USAGE, swt_pipeline_create(model, NULL, 1, 0, misaligned(&pipeline), &error));
  CHECK(pipeline == NULL);
}

static void misuse_results(swt_pipeline *pipeline, const swt_model *encoder) {
  const float *channels[] = {voxels};
  swt_pipeline *headless = make_pipeline(encoder, NULL, 0);
  REFUSED(SWT_USAGE, VOLUMES(headless, channels, 1, cube, millimetre));
  CHECK(swt_pipeline_close(&headless) == SWT_OK);
  struct { float *pooled; size_t pooled_count; float *logits; size_t logit_count; } bad[] = {
      {NULL, 0, NULL, 0},
      {pooled, FEATURES - 1, NULL, 0},
      {pooled, 0, NULL, 0},
      {pooled, SIZE_MAX, NULL, 0},
      {misaligned(pooled), FEATURES, NULL, 0},
      {NULL, 0, logits, CLASSES + 1},
      {NULL, 0, logits, 0},
      {NULL, 0, logits, SIZE_MAX},
      {NULL, 0, misaligned(logits), CLASSES},
      {pooled, FEATURES, logits, CLASSES - 1},
      {pooled, FEATURES + 1, logits, CLASSES},
  };
  const char *files[] = {"scan.nii.gz"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    REFUSED(SWT_USAGE, swt_pipeline_run_volumes(pipeline, channels, 1, cube, millimetre, bad[i].pooled,
                                                bad[i].pooled_count, bad[i].logits, bad[i].logit_count, &error));
    REFUSED(SWT_USAGE, swt_pipeline_run_files(pipeline, files, 1, bad[i].pooled, bad[i].pooled_count, bad[i].logits,
                                              bad[i].logit_count, &error));
  }
}

static void misuse_volumes(swt_pipeline *pipeline) {
  const float *channels[] = {voxels, voxels}, *null[] = {NULL}, *bad[] = {misaligned(voxels)};
  const float *high[] = {(const float *)(UINTPTR_MAX - 3)};
  REFUSED(SWT_USAGE, VOLUMES(pipeline, NULL, 1, cube, millimetre));
  REFUSED(SWT_USAGE, VOLUMES(pipeline, misaligned(channels), 1, cube, millimetre));
  REFUSED(SWT_USAGE, VOLUMES(pipeline, null, 1, cube, millimetre));
  REFUSED(SWT_USAGE, VOLUMES(pipeline, bad, 1, cube, millimetre));
  REFUSED(SWT_USAGE, VOLUMES(pipeline, high, 1, cube, millimetre));
  REFUSED(SWT_USAGE, VOLUMES(pipeline, channels, 1, NULL, millimetre));
  REFUSED(SWT_USAGE, VOLUMES(pipeline, channels, 1, misaligned(cube), millimetre));
  REFUSED(SWT_USAGE, VOLUMES(pipeline, channels, 1, cube, NULL));
  REFUSED(SWT_USAGE, VOLUMES(pipeline, channels, 1, cube, misaligned(millimetre)));
  const size_t counts[] = {0, 1025, SIZE_MAX / 8, SIZE_MAX};
  for (int i = 0; i < 4; i++) REFUSED(SWT_USAGE, VOLUMES(pipeline, channels, counts[i], cube, millimetre));
  REFUSED(SWT_BAD_INPUT, VOLUMES(pipeline, channels, 2, cube, millimetre));
  const int64_t sizes[] = {0, -1, INT64_MIN, INT64_MAX, 65537};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    for (int axis = 0; axis < 3; axis++) {
      int64_t shape[3] = {SIDE, SIDE, SIDE};
      shape[axis] = sizes[i];
      REFUSED(SWT_USAGE, VOLUMES(pipeline, channels, 1, shape, millimetre));
    }
  }
  const int64_t huge[3] = {65536, 65536, 65536};  // a petabyte
  REFUSED(SWT_MEMORY, VOLUMES(pipeline, channels, 1, huge, millimetre));
  const double spacings[] = {0, -1, NAN, INFINITY, -INFINITY};
  for (size_t i = 0; i < sizeof spacings / sizeof *spacings; i++) {
    for (int axis = 0; axis < 3; axis++) {
      double spacing[3] = {1, 1, 1};
      spacing[axis] = spacings[i];
      REFUSED(SWT_BAD_INPUT, VOLUMES(pipeline, channels, 1, cube, spacing));
    }
  }
}

// Scans that nobody takes, and numbers that nobody measures.
static void run_strange_volumes(swt_pipeline *pipeline) {
  const float *channels[] = {voxels};
  const double spacings[] = {5e-324, 1e-300, 1e-6, 1e-2, 30, 1e6, 1e300, DBL_MAX};
  for (size_t i = 0; i < sizeof spacings / sizeof *spacings; i++) {
    for (int axis = 0; axis < 4; axis++) {
      double spacing[3] = {1, 1, 1};
      for (int each = 0; each < 3; each++) spacing[each] = axis == each || axis == 3 ? spacings[i] : 1;
      SURVIVED(VOLUMES(pipeline, channels, 1, cube, spacing));
    }
  }
  const int64_t shapes[][3] = {{1, 1, 1}, {1, SIDE, SIDE}, {SIDE, SIDE, 1}, {1, 1, VOXELS}, {VOXELS, 1, 1}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    SURVIVED(VOLUMES(pipeline, channels, 1, shapes[i], millimetre));
  }
  const float values[] = {0, 1, NAN, INFINITY, -INFINITY, FLT_MAX, -FLT_MAX, FLT_MIN / 2};
  float strange[VOXELS];
  const float *strange_channels[] = {strange};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    // One such voxel, and nothing else.
    memcpy(strange, voxels, sizeof strange);
    strange[VOXELS / 2] = values[i];
    SURVIVED(VOLUMES(pipeline, strange_channels, 1, cube, millimetre));
    for (int voxel = 0; voxel < VOXELS; voxel++) strange[voxel] = values[i];
    SURVIVED(VOLUMES(pipeline, strange_channels, 1, cube, millimetre));
  }
}

static void misuse_files(swt_pipeline *pipeline, const char *model, const char *scan, const char *folder) {
  char name[4096];
  const char *null[] = {NULL}, *second_null[] = {scan, NULL}, *two[] = {scan, scan};
  REFUSED(SWT_USAGE, FILES(pipeline, NULL, 1));
  REFUSED(SWT_USAGE, FILES(pipeline, misaligned(two), 1));
  REFUSED(SWT_USAGE, FILES(pipeline, null, 1));
  REFUSED(SWT_USAGE, FILES(pipeline, second_null, 2));
  REFUSED(SWT_BAD_INPUT, FILES(pipeline, two, 2));
  const size_t counts[] = {0, 1025, SIZE_MAX / 8, SIZE_MAX};
  for (int i = 0; i < 4; i++) REFUSED(SWT_USAGE, FILES(pipeline, two, counts[i]));
  struct { const char *path; swt_status status; } bad[] = {
      {"\xff.nii", SWT_USAGE}, {"", SWT_CANNOT_OPEN}, {"not there.nii", SWT_CANNOT_OPEN},
      {folder, SWT_CANNOT_OPEN}, {"/dev/zero", SWT_CANNOT_OPEN}, {model, SWT_BAD_INPUT},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    REFUSED(bad[i].status, FILES(pipeline, &bad[i].path, 1));
  }
  const size_t lengths[] = {0, 1, 10, 100, 1000, 10000, 100000};
  snprintf(name, sizeof name, "%s/short.nii.gz", folder);
  const char *files[] = {name};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    copy_start(scan, name, lengths[i]);
    REFUSED(SWT_BAD_INPUT, FILES(pipeline, files, 1));
  }
  remove(name);
}

void misuse_pipelines(const char *model_path, const char *encoder_path, const char *flat_path, const char *scan,
                      const char *folder) {
  for (int i = 0; i < VOXELS; i++) voxels[i] = (float)(i * 7919 % 1000);
  swt_model *model = open_model(model_path), *encoder = open_model(encoder_path), *flat = open_model(flat_path);
  // A limit, so that no strange scan is resampled to gigabytes.
  swt_pipeline *pipeline = make_pipeline(model, "center-crop", 256u << 20);
  misuse_creation(model);
  misuse_results(pipeline, encoder);
  misuse_volumes(pipeline);
  run_strange_volumes(pipeline);
  misuse_files(pipeline, model_path, scan, folder);
  // After all that it works.
  const float *channels[] = {voxels};
  CHECK(swt_pipeline_run_volumes(pipeline, channels, 1, cube, millimetre, pooled, FEATURES, logits, CLASSES, &error) ==
        SWT_OK);
  CHECK(swt_pipeline_close(&pipeline) == SWT_OK);

  // No memory: not for the case, not for anything.
  for (uint64_t limit = 1; limit < 1u << 20; limit *= 1000) {
    swt_pipeline *small = make_pipeline(model, "whole", limit);
    const char *files[] = {scan};
    REFUSED(SWT_MEMORY, VOLUMES(small, channels, 1, cube, millimetre));
    REFUSED(SWT_MEMORY, FILES(small, files, 1));
    CHECK(swt_pipeline_close(&small) == SWT_OK);
  }
  // A 2-D network without a classifier takes volumes slice by slice.
  swt_pipeline *slices = make_pipeline(flat, NULL, UINT64_MAX);
  REFUSED(SWT_USAGE, VOLUMES(slices, channels, 1, cube, millimetre));
  SURVIVED(swt_pipeline_run_volumes(slices, channels, 1, cube, millimetre, pooled, swt_model_pooled_count(flat), NULL,
                                    0, &error));
  CHECK(swt_pipeline_close(&slices) == SWT_OK);
  swt_model_close(&model);
  swt_model_close(&encoder);
  swt_model_close(&flat);
}
