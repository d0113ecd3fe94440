// SPDX-License-Identifier: Apache-2.0
// libswt: nnU-Net encoders and classifiers from .swt files, for C and everything that calls C.
//
// Errors: every function that can fail returns a swt_status and, where `error` is not NULL, then writes one
// line of text there. Nothing is thrown and no misuse traps: NULL, handles that are closed or of another kind,
// sizes that do not fit, pointers that are not aligned to their type are SWT_USAGE. What cannot be checked is
// the caller's promise: that memory it passes is there, as large as the arguments say, and not written
// meanwhile; and that nobody shortens a model file that is open (replace it by renaming a new one over it).
//
// Handles are numbers that the library looks up, not addresses. Closing sets the caller's handle to NULL;
// closing NULL does nothing; copies of a closed handle stay closed for good. Sessions and pipelines keep what
// they need of their model, which may be closed before them; so do cases.
//
// Threads: every function may be called from any thread. A model may be used by any number of them at once; a
// session, a pipeline or a case by one at a time – a second call meanwhile fails with SWT_BUSY and changes nothing.
// Make one per thread. Cases are read while their pipeline runs another. Closing what another thread is using is
// safe: that call ends as if it were still open. Threads that the library starts are its own; callbacks are made on
// the calling thread, which needs 256 KiB of stack.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct swt_model swt_model;
typedef struct swt_session swt_session;
typedef struct swt_pipeline swt_pipeline;
typedef struct swt_case swt_case;

// More may come; what a program does not know is a failure like the others.
typedef enum swt_status {
  SWT_OK = 0,
  SWT_USAGE = 64,         // an argument is wrong
  SWT_BAD_INPUT = 65,     // a file or scan is damaged, not supported, or does not fit the model
  SWT_CANNOT_OPEN = 66,   // a file cannot be opened
  SWT_INTERNAL = 70,      // should not happen; please report it
  SWT_MEMORY = 71,        // more memory is needed than is available or allowed
  SWT_INPUT_OUTPUT = 74,  // reading failed in the middle
  SWT_BUSY = 75,          // another thread is using the session, pipeline or case
  SWT_CANCELLED = 76,     // the caller's swt_progress stopped it
} swt_status;

typedef struct swt_error {
  char message[512];  // one line of UTF-8, ended by a zero; written when a call fails
} swt_error;

// Told how many runs of the network are done, of how many: before every layer of `swt_case_run`, after every run of
// `swt_segment`. Another value than 0 stops the call with SWT_CANCELLED. Called on the calling thread.
typedef int (*swt_progress)(void *context, size_t done, size_t count);

// What a session computes besides the stages; combine with |.
// SWT_SEGMENTATION: the logits of the segmentation, of models with a decoder.
enum { SWT_POOLED = 1, SWT_LOGITS = 2, SWT_SEGMENTATION = 4 };

// The library's version, "MAJOR.MINOR.PATCH".
const char *swt_version(void);

// Maps a model file and checks its header. Paths are UTF-8. `*model` is NULL where that fails.
swt_status swt_model_open(const char *path, swt_model **model, swt_error *error);
swt_status swt_model_close(swt_model **model);

// The model as JSON: architecture, preprocessing, labels, provenance, "model_id". NULL for what is no model.
// Belongs to the model: gone when it and all sessions and pipelines made from it are closed.
const char *swt_model_description(const swt_model *model);
// Sizes of a session's outputs; 0 for what is no model, or without a classifier.
size_t swt_model_pooled_count(const swt_model *model);
size_t swt_model_logit_count(const swt_model *model);

// A planned run over inputs of one shape: [channels, z, y, x], or [channels, y, x] for a 2-D network.
// `stages` lists encoder stages whose features are wanted, 0 being the highest resolution. `threads`: 1 to
// 1024, or 0 for as many as the process may use.
swt_status swt_session_create(const swt_model *model, const int64_t *shape, size_t rank,
                              uint32_t outputs, const int32_t *stages, size_t stage_count,
                              int32_t threads, swt_session **session, swt_error *error);
swt_status swt_session_close(swt_session **session);

// Runs on the caller's floats. `strides` has one entry per axis, in elements, NULL for row-major; they may be
// negative or zero, as numpy's are: `input` is where element [0, 0, …] is.
swt_status swt_session_run(swt_session *session, const float *input, const int64_t *strides,
                           swt_error *error);

// Copies results of the last run, row-major; `count` has to be exactly what they hold.
swt_status swt_session_pooled(const swt_session *session, float *values, size_t count, swt_error *error);
swt_status swt_session_logits(const swt_session *session, float *values, size_t count, swt_error *error);
// The shape of a stage's features: `rank` entries, 4 for a 3-D network, 3 for a 2-D one.
swt_status swt_session_stage_shape(const swt_session *session, int32_t stage, int64_t *shape,
                                   size_t rank, swt_error *error);
swt_status swt_session_stage(const swt_session *session, int32_t stage, float *values, size_t count,
                             swt_error *error);
// The shape of the segmentation's logits, [heads, z, y, x] or [heads, y, x], and the logits.
swt_status swt_session_segmentation_shape(const swt_session *session, int64_t *shape, size_t rank,
                                          swt_error *error);
swt_status swt_session_segmentation(const swt_session *session, float *values, size_t count,
                                    swt_error *error);

// From scans: nnU-Net's preprocessing, the input policy ("whole", "sliding-window", "center-crop"; NULL
// for the model's), encoder, classifier. `threads` as above. `memory_limit` is the most bytes that a case may
// take; 0 for what the machine has free now.
swt_status swt_pipeline_create(const swt_model *model, const char *policy, int32_t threads,
                               uint64_t memory_limit, swt_pipeline **pipeline, swt_error *error);
swt_status swt_pipeline_close(swt_pipeline **pipeline);

typedef struct swt_pipeline_options {
  const char *policy;     // as above
  const char *pooling;    // pooled features: "mean" of the last stage, or "all": mean and max of every stage;
                          // "nonzero-mean", "nonzero-all": the same over the scan's nonzero region; without logits
                          // then. NULL for those that the classifier reads, else the last stage's mean
  const int32_t *stages;  // stages whose features are kept of a run; of cases that are one window only
  size_t stage_count;
  uint64_t memory_limit;  // as above
  int32_t threads;        // as above
  int32_t maps;           // 1: class activation maps are made, of a model with a classifier
} swt_pipeline_options;

// The same with more choices; `options` may be NULL.
swt_status swt_pipeline_create_with(const swt_model *model, const swt_pipeline_options *options,
                                    swt_pipeline **pipeline, swt_error *error);
// How many pooled features a pipeline gives: those that its classifier reads may be of several stages. 0 for what is
// no pipeline.
size_t swt_pipeline_pooled_count(const swt_pipeline *pipeline);

// One NIfTI file per channel. `pooled` or `logits` may be NULL; counts as told by the pipeline and the model.
swt_status swt_pipeline_run_files(swt_pipeline *pipeline, const char *const *files, size_t file_count,
                                  float *pooled, size_t pooled_count, float *logits,
                                  size_t logit_count, swt_error *error);
// Series of one study, a folder of DICOM files: one SeriesInstanceUID per channel; none (count 0) where the
// folder holds one volume and the model takes one channel. `convention` tells in which order training saw voxels:
// "as-scanned", "dcm2niix" or "dicom2nifti"; NULL for what the model says.
swt_status swt_pipeline_run_dicom(swt_pipeline *pipeline, const char *folder, const char *const *series,
                                  size_t series_count, const char *convention, float *pooled,
                                  size_t pooled_count, float *logits, size_t logit_count,
                                  swt_error *error);
// One row-major volume [z, y, x] per channel, with its spacing in mm.
swt_status swt_pipeline_run_volumes(swt_pipeline *pipeline, const float *const *channels,
                                    size_t channel_count, const int64_t shape[3],
                                    const double spacing[3], float *pooled, size_t pooled_count,
                                    float *logits, size_t logit_count, swt_error *error);

// Cases, step by step: read, perhaps on another thread while the pipeline runs the case before; run; ask for results.
// A case's voxels are freed while it runs: it runs once. A pipeline runs cases that were read for its model and input
// policy.
swt_status swt_case_read_files(const swt_pipeline *pipeline, const char *const *files, size_t file_count,
                               swt_case **scan, swt_error *error);
swt_status swt_case_read_dicom(const swt_pipeline *pipeline, const char *folder, const char *const *series,
                               size_t series_count, const char *convention, swt_case **scan, swt_error *error);
// One row-major volume [z, y, x] per channel, which is copied, with its spacing in mm. `affine` has 3 rows of 4
// numbers: from voxels (x, y, z) to mm towards right, anterior and superior, as in a NIfTI file; the model's reader
// then turns axes where it does so with files. NULL: voxels are taken as they come.
swt_status swt_case_read_volumes(const swt_pipeline *pipeline, const float *const *channels, size_t channel_count,
                                 const int64_t shape[3], const double spacing[3], const double *affine,
                                 swt_case **scan, swt_error *error);
swt_status swt_case_close(swt_case **scan);

// The case as JSON: "warnings", "scan_shape" [z, y, x] and "affine" of its grid, sizes and spacing before and after
// preprocessing, "windows". NULL for what is no case. Belongs to the case.
const char *swt_case_description(const swt_case *scan);

// Preprocesses a case as nnU-Net does, and copies what the network is shown, "shape" [channels, z, y, x] row-major,
// before the input policy cuts or pads it. The case can be run afterwards, and asked for it until then.
swt_status swt_case_preprocess(swt_case *scan, float *values, size_t count, swt_error *error);
// Runs a case. `progress` may be NULL.
swt_status swt_case_run(swt_pipeline *pipeline, swt_case *scan, swt_progress progress, void *context,
                        swt_error *error);

// Copies results of a case that has run; `count` has to be exactly what they hold.
swt_status swt_case_pooled(const swt_case *scan, float *values, size_t count, swt_error *error);
swt_status swt_case_logits(const swt_case *scan, float *values, size_t count, swt_error *error);
swt_status swt_case_probabilities(const swt_case *scan, double *values, size_t count, swt_error *error);
// How far the case lies from those of the classifier's training, and whether that is too far; SWT_USAGE where the
// classifier cannot tell.
swt_status swt_case_distance(const swt_case *scan, double *distance, int32_t *is_foreign, swt_error *error);
// Where in the scan a class's logit comes from, on its own grid, "scan_shape" row-major: the mean of the map is the
// logit without its bias.
swt_status swt_case_map(const swt_case *scan, size_t class_index, float *values, size_t count, swt_error *error);
// A stage's features of the last case that the pipeline ran: [features, z, y, x], or [features, y, x].
swt_status swt_pipeline_stage_shape(const swt_pipeline *pipeline, int32_t stage, int64_t *shape, size_t rank,
                                    swt_error *error);
swt_status swt_pipeline_stage(const swt_pipeline *pipeline, int32_t stage, float *values, size_t count,
                              swt_error *error);

// Segmentation, as nnUNetv2_predict does it; of models with `--part network`.
typedef struct swt_segment_options {
  int32_t no_mirroring;      // 1: windows are looked at once, not mirrored
  int32_t threads;           // as above
  double step_size;          // how far windows slide, as a part of their size, 0.01 to 1; 0 for nnU-Net's 0.5
  uint64_t memory_limit;     // as above
  const uint16_t *previous;  // for a cascade's second stage: what the first made, as many labels; or NULL
  swt_progress progress;     // or NULL
  void *context;             // given to `progress`
} swt_segment_options;

// The sizes of a scan's labels, [z, y, x], as nnU-Net's reader for the model gives them: from the header alone.
swt_status swt_scan_shape(const swt_model *model, const char *file, int64_t shape[3], swt_error *error);

// Segments a case of one NIfTI file per channel. `options` may be NULL. `labels` has `label_count` entries,
// the product of the shape; 0 is background.
swt_status swt_segment(const swt_model *model, const char *const *files, size_t file_count,
                       const swt_segment_options *options, uint16_t *labels, size_t label_count,
                       swt_error *error);

// Segments a case that has been read for a pipeline of that model, instead of running it. `labels` has as many entries
// as "scan_shape".
swt_status swt_case_segment(const swt_model *model, swt_case *scan, const swt_segment_options *options,
                            uint16_t *labels, size_t label_count, swt_error *error);

#ifdef __cplusplus
}
#endif
