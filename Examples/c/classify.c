// SPDX-License-Identifier: Apache-2.0
// Classifies a case: classify model.swt channel0.nii.gz [channel1.nii.gz …]
#include <stdio.h>
#include <stdlib.h>
#include <swt.h>

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: %s model.swt scan.nii.gz …\n", argv[0]);
    return SWT_USAGE;
  }
  swt_error error;
  swt_model *model = NULL;
  swt_pipeline *pipeline = NULL;
  swt_status status = swt_model_open(argv[1], &model, &error);
  if (!status) status = swt_pipeline_create(model, NULL, 0, 0, &pipeline, &error);
  const size_t count = swt_model_logit_count(model);
  float *logits = calloc(count + 1, sizeof *logits);
  if (!status)
    status = swt_pipeline_run_files(pipeline, (const char *const *)argv + 2, (size_t)argc - 2, NULL,
                                    0, logits, count, &error);
  if (status) fprintf(stderr, "%s\n", error.message);
  for (size_t i = 0; !status && i < count; i++) printf("%.7g\n", logits[i]);
  free(logits);
  swt_pipeline_close(&pipeline);
  swt_model_close(&model);
  return status;
}
