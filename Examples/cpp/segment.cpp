// SPDX-License-Identifier: Apache-2.0
// Segments a case and prints how many voxels every label has: segment model.swt channel0.nii.gz …
// (a model that was converted with --part network)
#include <swt.h>

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <stdexcept>
#include <vector>

namespace {

struct ModelCloser {
  void operator()(swt_model *model) const { swt_model_close(&model); }
};

void check(swt_status status, const swt_error &error) {
  if (status != SWT_OK) throw std::runtime_error(error.message);
}

}  // namespace

int main(int argc, char **argv) try {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s model.swt scan.nii.gz …\n", argv[0]);
    return SWT_USAGE;
  }
  swt_error error{};
  swt_model *opened = nullptr;
  check(swt_model_open(argv[1], &opened, &error), error);
  const std::unique_ptr<swt_model, ModelCloser> model(opened);

  int64_t shape[3];
  check(swt_scan_shape(model.get(), argv[2], shape, &error), error);
  std::vector<uint16_t> labels(static_cast<size_t>(shape[0] * shape[1] * shape[2]));
  swt_segment_options options{};
  options.no_mirroring = 1;
  check(swt_segment(model.get(), argv + 2, static_cast<size_t>(argc - 2), &options, labels.data(),
                    labels.size(), &error),
        error);
  std::map<uint16_t, size_t> voxels;
  for (const uint16_t label : labels) voxels[label]++;
  for (const auto &[label, count] : voxels)
    if (label != 0) std::printf("%d %zu\n", label, count);
  return SWT_OK;
} catch (const std::exception &problem) {
  std::fprintf(stderr, "%s\n", problem.what());
  return SWT_BAD_INPUT;
}
