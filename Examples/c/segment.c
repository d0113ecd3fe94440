// SPDX-License-Identifier: Apache-2.0
// Segments a case: segment model.swt channel0.nii.gz [channel1.nii.gz …]   (convert with --part network)
#include <stdio.h>
#include <stdlib.h>
#include <swt.h>

static int show(void *context, size_t done, size_t count) {
  (void)context;
  fprintf(stderr, "\r%zu of %zu", done, count);
  return 0;  // another value stops
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: %s model.swt scan.nii.gz …\n", argv[0]);
    return SWT_USAGE;
  }
  swt_error error;
  swt_model *model = NULL;
  int64_t shape[3] = {0, 0, 0};
  swt_status status = swt_model_open(argv[1], &model, &error);
  if (!status) status = swt_scan_shape(model, argv[2], shape, &error);
  const size_t count = (size_t)shape[0] * (size_t)shape[1] * (size_t)shape[2];
  uint16_t *labels = calloc(count + 1, sizeof *labels);
  const swt_segment_options options = {.no_mirroring = 1, .progress = show};
  if (!status)
    status = swt_segment(model, (const char *const *)argv + 2, (size_t)argc - 2, &options, labels,
                         count, &error);
  fprintf(stderr, "\n");
  if (status) fprintf(stderr, "%s\n", error.message);
  static size_t voxels[65536];
  for (size_t i = 0; !status && i < count; i++) voxels[labels[i]]++;
  for (int label = 1; label < 65536; label++)
    if (voxels[label]) printf("%d %zu\n", label, voxels[label]);
  free(labels);
  swt_model_close(&model);
  return status;
}
