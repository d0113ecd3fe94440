// SPDX-License-Identifier: Apache-2.0
// Misuses of cases: how they are read, run and asked for results; and of what a pipeline is asked for.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "misuse.h"

enum { SIDE = 12, VOXELS = SIDE * SIDE * SIDE, CLASSES = 2, FEATURES = 64 };
static float voxels[VOXELS], values[VOXELS + 1];
static double doubles[CLASSES + 1];
static uint16_t labels[VOXELS];
static const int64_t cube[3] = {SIDE, SIDE, SIDE};
static const double millimetre[3] = {1, 1, 1};
static const float *channels[] = {voxels, voxels};

#define READ(pipeline, affine, scan) \
  swt_case_read_volumes(pipeline, channels, 1, cube, millimetre, affine, scan, &error)

static swt_pipeline *make(const swt_model *model, const char *policy, const char *pooling, int32_t stage, int32_t maps) {
  const swt_pipeline_options options = {
      .policy = policy, .pooling = pooling, .stages = &stage, .stage_count = stage >= 0, .threads = 2, .maps = maps};
  swt_pipeline *pipeline = NULL;
  CHECK(swt_pipeline_create_with(model, &options, &pipeline, &error) == SWT_OK);
  return pipeline;
}

static swt_case *read_case(const swt_pipeline *pipeline) {
  swt_case *scan = NULL;
  CHECK(READ(pipeline, NULL, &scan) == SWT_OK);
  return scan;
}

static void misuse_options(const swt_model *model, const swt_model *encoder) {
  swt_pipeline *pipeline = NULL;
  const int32_t stages[] = {0, -1, 64};
  const swt_pipeline_options bad[] = {
      {.policy = "Whole"},
      {.pooling = ""},
      {.pooling = "max"},
      {.pooling = "\xff"},
      {.threads = -1},
      {.threads = 1025},
      {.stages = NULL, .stage_count = 1},
      {.stages = stages, .stage_count = 65},
      {.stages = stages, .stage_count = SIZE_MAX},
      {.stages = stages + 1, .stage_count = 1},
      {.stages = stages + 2, .stage_count = 1},
      {.stages = misaligned(stages), .stage_count = 1},
      {.pooling = "all", .maps = 1},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    REFUSED(SWT_USAGE, swt_pipeline_create_with(model, &bad[i], &pipeline, &error));
    CHECK(pipeline == NULL);
  }
  const swt_pipeline_options maps = {.maps = 1};
  REFUSED(SWT_USAGE, swt_pipeline_create_with(encoder, &maps, &pipeline, &error));
  REFUSED(SWT_USAGE, swt_pipeline_create_with(model, misaligned(bad), &pipeline, &error));
  REFUSED(SWT_USAGE, swt_pipeline_create_with(NULL, NULL, &pipeline, &error));
  REFUSED(SWT_USAGE, swt_pipeline_create_with(model, NULL, NULL, &error));
  CHECK(swt_pipeline_pooled_count(NULL) == 0 && swt_pipeline_pooled_count((const swt_pipeline *)model) == 0);
}

static void misuse_reading(const swt_pipeline *pipeline, const swt_model *model, const char *scan_path) {
  swt_case *scan = NULL;
  const char *files[] = {scan_path, scan_path}, *null[] = {NULL};
  REFUSED(SWT_USAGE, swt_case_read_files(NULL, files, 1, &scan, &error));
  REFUSED(SWT_USAGE, swt_case_read_files((const swt_pipeline *)model, files, 1, &scan, &error));
  REFUSED(SWT_USAGE, swt_case_read_files(pipeline, NULL, 1, &scan, &error));
  REFUSED(SWT_USAGE, swt_case_read_files(pipeline, null, 1, &scan, &error));
  REFUSED(SWT_USAGE, swt_case_read_files(pipeline, files, 0, &scan, &error));
  REFUSED(SWT_USAGE, swt_case_read_files(pipeline, files, 1, NULL, &error));
  REFUSED(SWT_USAGE, swt_case_read_files(pipeline, files, 1, misaligned(&scan), &error));
  REFUSED(SWT_BAD_INPUT, swt_case_read_files(pipeline, files, 2, &scan, &error));
  REFUSED(SWT_USAGE, swt_case_read_dicom(pipeline, NULL, NULL, 0, NULL, &scan, &error));
  REFUSED(SWT_USAGE, swt_case_read_dicom(pipeline, scan_path, NULL, 1, NULL, &scan, &error));
  REFUSED(SWT_USAGE, swt_case_read_dicom(pipeline, scan_path, NULL, 0, "upside-down", &scan, &error));
  const double odd[][12] = {{0}, {NAN}, {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, INFINITY, 0}, {1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0}};
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
    SURVIVED(READ(pipeline, odd[i], &scan));
    CHECK(swt_case_close(&scan) == SWT_OK);
  }
  REFUSED(SWT_USAGE, READ(pipeline, odd[1], &scan));
  REFUSED(SWT_USAGE, READ(pipeline, misaligned(odd), &scan));
  CHECK(scan == NULL && swt_case_close(NULL) == SWT_OK && swt_case_description(NULL) == NULL);
}

static int stop(void *context, size_t done, size_t count) {
  (void)done, (void)count;
  return --*(int *)context < 0;
}

static void misuse_running(const swt_model *model, const swt_model *encoder) {
  swt_pipeline *pipeline = make(model, "whole", NULL, 1, 1), *other = make(model, "center-crop", NULL, -1, 0);
  swt_pipeline *headless = make(encoder, "whole", NULL, -1, 0);
  swt_case *scan = read_case(pipeline);
  double distance;
  int32_t is_foreign;
  int64_t shape[4];
  // Before a run there are no results.
  REFUSED(SWT_USAGE, swt_case_pooled(scan, values, FEATURES, &error));
  REFUSED(SWT_USAGE, swt_case_logits(scan, values, CLASSES, &error));
  REFUSED(SWT_USAGE, swt_case_probabilities(scan, doubles, CLASSES, &error));
  REFUSED(SWT_USAGE, swt_case_map(scan, 0, values, VOXELS, &error));
  REFUSED(SWT_USAGE, swt_pipeline_stage_shape(pipeline, 1, shape, 4, &error));
  REFUSED(SWT_USAGE, swt_pipeline_stage(pipeline, 0, values, VOXELS, &error));
  REFUSED(SWT_USAGE, swt_case_run(other, scan, NULL, NULL, &error));
  REFUSED(SWT_USAGE, swt_case_run(headless, scan, NULL, NULL, &error));
  REFUSED(SWT_USAGE, swt_case_run(NULL, scan, NULL, NULL, &error));
  REFUSED(SWT_USAGE, swt_case_run(pipeline, NULL, NULL, NULL, &error));
  REFUSED(SWT_USAGE, swt_case_run(pipeline, (swt_case *)pipeline, NULL, NULL, &error));
  REFUSED(SWT_USAGE, swt_case_segment(model, scan, NULL, labels, VOXELS, &error));
  CHECK(swt_case_close(&scan) == SWT_OK);

  // Stopped at every place; the voxels are gone then.
  for (int calls = 0; calls < 4; calls++) {
    int left = calls;
    scan = read_case(pipeline);
    REFUSED(SWT_CANCELLED, swt_case_run(pipeline, scan, stop, &left, &error));
    REFUSED(SWT_USAGE, swt_case_run(pipeline, scan, NULL, NULL, &error));
    CHECK(swt_case_close(&scan) == SWT_OK);
  }

  scan = read_case(pipeline);
  const char *description = swt_case_description(scan);
  CHECK(description && strstr(description, "\"scan_shape\""));
  CHECK(swt_case_run(pipeline, scan, NULL, NULL, &error) == SWT_OK);
  REFUSED(SWT_USAGE, swt_case_run(pipeline, scan, NULL, NULL, &error));
  REFUSED(SWT_USAGE, swt_case_preprocess(scan, values, 0, &error));
  const size_t counts[] = {0, 1, VOXELS + 1, SIZE_MAX / 4, SIZE_MAX};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    REFUSED(SWT_USAGE, swt_case_pooled(scan, values, counts[i], &error));
    REFUSED(SWT_USAGE, swt_case_logits(scan, values, counts[i], &error));
    REFUSED(SWT_USAGE, swt_case_probabilities(scan, doubles, counts[i], &error));
    REFUSED(SWT_USAGE, swt_case_map(scan, 0, values, counts[i], &error));
    REFUSED(SWT_USAGE, swt_pipeline_stage(pipeline, 1, values, counts[i], &error));
    REFUSED(SWT_USAGE, swt_pipeline_stage_shape(pipeline, 1, shape, counts[i], &error));
  }
  REFUSED(SWT_USAGE, swt_case_pooled(scan, NULL, FEATURES, &error));
  REFUSED(SWT_USAGE, swt_case_pooled(scan, misaligned(values), FEATURES, &error));
  REFUSED(SWT_USAGE, swt_case_map(scan, CLASSES, values, VOXELS, &error));
  REFUSED(SWT_USAGE, swt_case_map(scan, SIZE_MAX, values, VOXELS, &error));
  REFUSED(SWT_USAGE, swt_case_distance(scan, &distance, &is_foreign, &error));
  REFUSED(SWT_USAGE, swt_case_distance(scan, NULL, &is_foreign, &error));
  const int32_t stages[] = {0, -1, 64, INT32_MIN, INT32_MAX};
  for (size_t i = 0; i < sizeof stages / sizeof *stages; i++)
    REFUSED(SWT_USAGE, swt_pipeline_stage_shape(pipeline, stages[i], shape, 4, &error));
  // After all that it works; a pipeline's handle may be closed before its cases are asked.
  CHECK(swt_pipeline_stage_shape(pipeline, 1, shape, 4, &error) == SWT_OK && shape[0] == 16);
  CHECK(swt_pipeline_close(&pipeline) == SWT_OK);
  CHECK(swt_case_logits(scan, values, CLASSES, &error) == SWT_OK);
  CHECK(swt_case_probabilities(scan, doubles, CLASSES, &error) == SWT_OK && fabs(doubles[0] + doubles[1] - 1) < 1e-12);
  CHECK(swt_case_map(scan, 1, values, VOXELS, &error) == SWT_OK);
  swt_case *copy = scan;
  CHECK(swt_case_close(&scan) == SWT_OK && scan == NULL);
  REFUSED(SWT_USAGE, swt_case_logits(copy, values, CLASSES, &error));
  CHECK(swt_pipeline_close(&other) == SWT_OK && swt_pipeline_close(&headless) == SWT_OK);
}

void misuse_cases(const char *model_path, const char *encoder_path, const char *scan) {
  for (int i = 0; i < VOXELS; i++) voxels[i] = (float)(i * 7919 % 1000);
  swt_model *model = open_model(model_path), *encoder = open_model(encoder_path);
  swt_pipeline *pipeline = make(model, NULL, NULL, -1, 0);
  misuse_options(model, encoder);
  misuse_reading(pipeline, model, scan);
  misuse_running(model, encoder);
  swt_pipeline_close(&pipeline);
  swt_model_close(&model);
  swt_model_close(&encoder);
}
