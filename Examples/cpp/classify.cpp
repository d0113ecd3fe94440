// SPDX-License-Identifier: Apache-2.0
// Classifies a case given in memory: a volume of voxels, here int16 from a raw file.
//   classify model.swt volume.raw depth height width spacing_z spacing_y spacing_x
#include <swt.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <vector>

namespace {

struct ModelCloser {
  void operator()(swt_model *model) const { swt_model_close(&model); }
};
struct PipelineCloser {
  void operator()(swt_pipeline *pipeline) const { swt_pipeline_close(&pipeline); }
};

void check(swt_status status, const swt_error &error) {
  if (status != SWT_OK) throw std::runtime_error(error.message);
}

}  // namespace

int main(int argc, char **argv) try {
  if (argc != 9) {
    std::fprintf(stderr, "usage: %s model.swt volume.raw depth height width sz sy sx\n", argv[0]);
    return SWT_USAGE;
  }
  swt_error error{};
  swt_model *opened = nullptr;
  check(swt_model_open(argv[1], &opened, &error), error);
  const std::unique_ptr<swt_model, ModelCloser> model(opened);
  swt_pipeline *created = nullptr;
  check(swt_pipeline_create(model.get(), nullptr, 0, 0, &created, &error), error);
  const std::unique_ptr<swt_pipeline, PipelineCloser> pipeline(created);

  const int64_t shape[3] = {std::atoll(argv[3]), std::atoll(argv[4]), std::atoll(argv[5])};
  const double spacing[3] = {std::atof(argv[6]), std::atof(argv[7]), std::atof(argv[8])};
  std::vector<int16_t> voxels(static_cast<size_t>(shape[0] * shape[1] * shape[2]));
  std::ifstream file(argv[2], std::ios::binary);
  if (!file.read(reinterpret_cast<char *>(voxels.data()),
                 static_cast<std::streamsize>(voxels.size() * sizeof(int16_t))))
    throw std::runtime_error("the volume's file is too short");
  const std::vector<float> volume(voxels.begin(), voxels.end());

  std::vector<float> logits(swt_model_logit_count(model.get()));
  const float *channels[] = {volume.data()};
  check(swt_pipeline_run_volumes(pipeline.get(), channels, 1, shape, spacing, nullptr, 0,
                                 logits.data(), logits.size(), &error),
        error);
  for (const float logit : logits) std::printf("%.7g\n", static_cast<double>(logit));
  return SWT_OK;
} catch (const std::exception &problem) {
  std::fprintf(stderr, "%s\n", problem.what());
  return SWT_BAD_INPUT;
}
