// SPDX-License-Identifier: Apache-2.0
// Misuses that take several threads, and the uses beside them that are right.
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "misuse.h"

enum { SIDE = 16, VOXELS = SIDE * SIDE * SIDE, FEATURES = 64, THREADS = 4, ROUNDS = 20 };
static const int64_t shape[4] = {1, SIDE, SIDE, SIDE};
static const double millimetre[3] = {1, 1, 1};
static float voxels[VOXELS], expected[FEATURES];

typedef struct {
  const char *path;
  swt_model *model;
  swt_session *session;
  swt_pipeline *pipeline;
  atomic_bool *is_enough;
} job;

static void run_threads(void *(*body)(void *), const job *shared) {
  pthread_t threads[THREADS];
  job jobs[THREADS];
  for (int i = 0; i < THREADS; i++) {
    jobs[i] = *shared;
    CHECK(pthread_create(&threads[i], NULL, body, &jobs[i]) == 0);
  }
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

// Right: one model, a session and a pipeline for each thread.
static void *run_own_session(void *argument) {
  const job *job = argument;
  for (int round = 0; round < 5; round++) {
    swt_session *session = make_session(job->model, shape);
    float pooled[FEATURES];
    CHECK(swt_session_run(session, voxels, NULL, NULL) == SWT_OK);
    CHECK(swt_session_pooled(session, pooled, FEATURES, NULL) == SWT_OK);
    CHECK(memcmp(pooled, expected, sizeof pooled) == 0);
    CHECK(strstr(swt_model_description(job->model), "model_id") != NULL);
    CHECK(swt_session_close(&session) == SWT_OK);
  }
  return NULL;
}

// Wrong: one session for all of them.
static void *run_shared_session(void *argument) {
  const job *job = argument;
  for (int round = 0; round < ROUNDS; round++) {
    swt_error error;
    float pooled[FEATURES];
    const swt_status run = swt_session_run(job->session, voxels, NULL, &error);
    CHECK(run == SWT_OK || (run == SWT_BUSY && strstr(error.message, "another thread")));
    const swt_status copied = swt_session_pooled(job->session, pooled, FEATURES, NULL);
    CHECK(copied == SWT_BUSY || copied == SWT_USAGE || memcmp(pooled, expected, sizeof pooled) == 0);
  }
  return NULL;
}

static void *run_until_enough(void *argument) {
  const job *job = argument;
  const float *channels[] = {voxels};
  float pooled[FEATURES];
  bool is_right = true;
  while (!*job->is_enough) {
    const swt_status status =
        job->session ? swt_session_run(job->session, voxels, NULL, NULL)
                     : swt_pipeline_run_volumes(job->pipeline, channels, 1, shape + 1, millimetre, pooled, FEATURES,
                                                NULL, 0, NULL);
    is_right = is_right && (status == SWT_OK || status == SWT_BUSY || status == SWT_USAGE);
  }
  CHECK(is_right);
  return NULL;
}

// What another thread uses says so, and can be closed all the same.
static void disturb(swt_session *session, swt_pipeline *pipeline) {
  atomic_bool is_enough = false;
  job job = {.session = session, .pipeline = pipeline, .is_enough = &is_enough};
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, run_until_enough, &job) == 0);
  const float *channels[] = {voxels};
  float pooled[FEATURES];
  swt_status status = SWT_OK;
  for (int attempt = 0; attempt < (session ? 1000000 : 1000) && status != SWT_BUSY; attempt++) {
    status = session ? swt_session_pooled(session, pooled, FEATURES, NULL)
                     : swt_pipeline_run_volumes(pipeline, channels, 1, shape + 1, millimetre, pooled, FEATURES, NULL,
                                                0, NULL);
  }
  CHECK(status == SWT_BUSY);
  if (session) CHECK(swt_session_close(&session) == SWT_OK);
  if (pipeline) CHECK(swt_pipeline_close(&pipeline) == SWT_OK);
  usleep(1000);
  is_enough = true;
  pthread_join(thread, NULL);
}

// Handles that come and go while others, closed long ago, are used.
static void *open_and_close(void *argument) {
  const job *job = argument;
  for (int round = 0; round < ROUNDS; round++) {
    swt_model *model = open_model(job->path), *copy = model;
    CHECK(swt_model_pooled_count(model) == FEATURES && swt_model_pooled_count(job->model) == 0);
    CHECK(swt_model_close(&model) == SWT_OK && swt_model_close(&copy) == SWT_USAGE);
    CHECK(swt_session_run(job->session, voxels, NULL, NULL) == SWT_USAGE);
  }
  return NULL;
}

static void *close_shared(void *argument) {
  job *job = argument;
  const swt_status status = swt_session_close(&job->session);
  CHECK(status == SWT_OK || status == SWT_USAGE);
  return NULL;
}

void misuse_threads(const char *path) {
  for (int i = 0; i < VOXELS; i++) voxels[i] = (float)(i * 7919 % 1000) / 500 - 1;
  swt_model *model = open_model(path);
  swt_session *session = make_session(model, shape);
  CHECK(swt_session_run(session, voxels, NULL, NULL) == SWT_OK);
  CHECK(swt_session_pooled(session, expected, FEATURES, NULL) == SWT_OK);

  job job = {.path = path, .model = model, .session = session};
  run_threads(run_own_session, &job);
  run_threads(run_shared_session, &job);
  disturb(session, NULL);
  swt_pipeline *pipeline = NULL;
  CHECK(swt_pipeline_create(model, "center-crop", 1, 0, &pipeline, NULL) == SWT_OK);
  disturb(NULL, pipeline);
  CHECK(swt_pipeline_close(&pipeline) == SWT_USAGE);

  job.session = make_session(model, shape);
  swt_session *copy = job.session;
  run_threads(close_shared, &job);
  CHECK(swt_session_close(&copy) == SWT_USAGE);
  CHECK(swt_model_close(&model) == SWT_OK);
  run_threads(open_and_close, &job);
}
