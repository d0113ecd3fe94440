// SPDX-License-Identifier: Apache-2.0
// Misuses of segmentation: arguments of swt_segment and swt_scan_shape, logits of sessions.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "misuse.h"

enum { HEADS_LIMIT = 64, SIDE = 48, CUBE = SIDE * SIDE * SIDE };
static uint16_t *labels;
static size_t label_count;
static const char *files[1025];

#define SEGMENT(model, names, count, options, target, size) \
  swt_segment(model, names, count, options, target, size, &error)

static void misuse_arguments(const swt_model *network, const swt_model *encoder) {
  const swt_segment_options fast = {.no_mirroring = 1, .threads = 2};
  REFUSED(SWT_USAGE, SEGMENT(NULL, files, 1, &fast, labels, label_count));
  REFUSED(SWT_USAGE, SEGMENT((const swt_model *)labels, files, 1, &fast, labels, label_count));
  REFUSED(SWT_USAGE, SEGMENT(encoder, files, 1, &fast, labels, label_count));
  REFUSED(SWT_USAGE, SEGMENT(network, NULL, 1, &fast, labels, label_count));
  REFUSED(SWT_USAGE, SEGMENT(network, misaligned(files), 1, &fast, labels, label_count));
  const size_t file_counts[] = {0, 1025, SIZE_MAX, SIZE_MAX / 8};
  for (int i = 0; i < 4; i++)
    REFUSED(SWT_USAGE, SEGMENT(network, files, file_counts[i], &fast, labels, label_count));
  // More files than channels.
  REFUSED(SWT_BAD_INPUT, SEGMENT(network, files, 2, &fast, labels, label_count));
  REFUSED(SWT_USAGE, SEGMENT(network, files, 1, &fast, NULL, label_count));
  REFUSED(SWT_USAGE, SEGMENT(network, files, 1, &fast, misaligned(labels), label_count));
  REFUSED(SWT_USAGE, SEGMENT(network, files, 1, misaligned(&fast), labels, label_count));
  const size_t label_counts[] = {0, 1, label_count - 1, label_count + 1, SIZE_MAX, SIZE_MAX / 2};
  for (int i = 0; i < 6; i++)
    REFUSED(SWT_USAGE, SEGMENT(network, files, 1, &fast, labels, label_counts[i]));
  const swt_segment_options bad[] = {
      {.threads = -1},       {.threads = 1025},      {.step_size = -0.5},
      {.step_size = 1.0001}, {.step_size = NAN},     {.step_size = INFINITY},
      {.step_size = -0.0 - 1e-300}, {.previous = misaligned(labels)},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    REFUSED(SWT_USAGE, SEGMENT(network, files, 1, &bad[i], labels, label_count));
  const swt_segment_options small = {.no_mirroring = 1, .memory_limit = 1};
  REFUSED(SWT_MEMORY, SEGMENT(network, files, 1, &small, labels, label_count));
  // The model is no cascade's second stage.
  const swt_segment_options cascade = {.no_mirroring = 1, .previous = labels};
  REFUSED(SWT_BAD_INPUT, SEGMENT(network, files, 1, &cascade, labels, label_count));
  const char *missing[] = {"/nowhere/scan.nii.gz"};
  REFUSED(SWT_CANNOT_OPEN, SEGMENT(network, missing, 1, &fast, labels, label_count));
  CHECK(SEGMENT(network, files, 1, &fast, labels, 0) == SWT_USAGE);
}

static void misuse_shape(const swt_model *network, const char *scan) {
  int64_t shape[4] = {0, 0, 0, 7};
  REFUSED(SWT_USAGE, swt_scan_shape(NULL, scan, shape, &error));
  REFUSED(SWT_USAGE, swt_scan_shape(network, NULL, shape, &error));
  REFUSED(SWT_USAGE, swt_scan_shape(network, scan, NULL, &error));
  REFUSED(SWT_USAGE, swt_scan_shape(network, scan, misaligned(shape), &error));
  REFUSED(SWT_CANNOT_OPEN, swt_scan_shape(network, "/nowhere", shape, &error));
  CHECK(swt_scan_shape(network, scan, shape, NULL) == SWT_OK);
  label_count = (size_t)(shape[0] * shape[1] * shape[2]);
  CHECK(shape[3] == 7 && label_count > 0);
}

// Stops after some runs of the network, and tries to use the model meanwhile.
static int stop(void *context, size_t done, size_t count) {
  size_t *last = context;
  CHECK(done == *last + 1 && done <= count);
  *last = done;
  return done == 2;
}

static void misuse_progress(const swt_model *network) {
  size_t last = 0;
  const swt_segment_options options = {.no_mirroring = 1, .threads = 2, .progress = stop, .context = &last};
  memset(labels, 0xAB, label_count * sizeof *labels);
  CHECK(SEGMENT(network, files, 1, &options, labels, label_count) == SWT_CANCELLED);
  CHECK(last == 2 && labels[0] == 0xABAB);
}

static void misuse_logits(const swt_model *network, const swt_model *encoder) {
  const int64_t shape[4] = {1, SIDE, SIDE, SIDE};
  swt_session *session = NULL;
  REFUSED(SWT_USAGE, swt_session_create(encoder, shape, 4, SWT_SEGMENTATION, NULL, 0, 1, &session, &error));
  REFUSED(SWT_USAGE, swt_session_create(network, shape, 4, 8, NULL, 0, 1, &session, &error));
  CHECK(swt_session_create(network, shape, 4, SWT_SEGMENTATION, NULL, 0, 2, &session, &error) == SWT_OK);
  int64_t sizes[5] = {0, 0, 0, 0, 7};
  CHECK(swt_session_segmentation_shape(session, sizes, 4, &error) == SWT_OK);
  CHECK(sizes[0] > 1 && sizes[0] < HEADS_LIMIT && sizes[3] == SIDE && sizes[4] == 7);
  const size_t count = (size_t)sizes[0] * CUBE;
  float *logits = calloc(count + 1, sizeof *logits), *input = calloc(CUBE, sizeof *input);
  for (int i = 0; i < CUBE; i++) input[i] = (float)(i % 89) / 44 - 1;
  // Nothing has run yet.
  REFUSED(SWT_USAGE, swt_session_segmentation(session, logits, count, &error));
  CHECK(swt_session_run(session, input, NULL, &error) == SWT_OK);
  const size_t ranks[] = {0, 3, 5, SIZE_MAX};
  for (int i = 0; i < 4; i++)
    REFUSED(SWT_USAGE, swt_session_segmentation_shape(session, sizes, ranks[i], &error));
  REFUSED(SWT_USAGE, swt_session_segmentation_shape(session, NULL, 4, &error));
  REFUSED(SWT_USAGE, swt_session_segmentation_shape(session, misaligned(sizes), 4, &error));
  const size_t counts[] = {0, count - 1, count + 1, SIZE_MAX};
  for (int i = 0; i < 4; i++)
    REFUSED(SWT_USAGE, swt_session_segmentation(session, logits, counts[i], &error));
  REFUSED(SWT_USAGE, swt_session_segmentation(session, NULL, count, &error));
  REFUSED(SWT_USAGE, swt_session_segmentation(session, misaligned(logits), count, &error));
  REFUSED(SWT_USAGE, swt_session_pooled(session, logits, 1, &error));
  CHECK(swt_session_segmentation(session, logits, count, &error) == SWT_OK && logits[count] == 0);
  CHECK(swt_session_close(&session) == SWT_OK);
  REFUSED(SWT_USAGE, swt_session_segmentation(session, logits, count, &error));
  free(logits);
  free(input);
}

void misuse_segmentation(const char *network_path, const char *encoder_path, const char *scan) {
  swt_model *network = open_model(network_path), *encoder = open_model(encoder_path);
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) files[i] = scan;
  misuse_shape(network, scan);
  labels = calloc(label_count + 1, sizeof *labels);
  misuse_arguments(network, encoder);
  misuse_progress(network);
  misuse_logits(network, encoder);
  free(labels);
  CHECK(swt_model_close(&network) == SWT_OK && swt_model_close(&encoder) == SWT_OK);
}
