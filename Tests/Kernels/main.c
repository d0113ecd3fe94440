// Holds every kernel of every instruction set this processor has against its definition in double, and
// the tests against kernels that are broken. Needs nothing but libc, so that it also runs under an
// emulator: see scripts/test neon.
#include <stdio.h>

#include "mutants.h"
#include "testing.h"

static void test_all(const nn_kernels *kernels) {
  test_convolution(kernels);
  test_halves(kernels);
  test_transformer(kernels);
  test_backward(kernels);
}

int main(void) {
  int32_t count = 0;
  const nn_kernels *const *all = nn_available_kernels(&count);
  for (int32_t isa = 0; isa < count; isa++) {
    test_all(all[isa]);
    printf("%s%s: tested\n", all[isa]->name, all[isa]->bf16 ? " with bf16" : "");
  }
  if (failures) printf("%d failures\n", failures);
  const int found = failures;

  int missed = 0;
  is_silent = 1;
  for (int mutant = 0; mutant < mutant_count; mutant++) {
    const char *name;
    const nn_kernels broken = mutant_of(all[0], mutant, &name);
    failures = 0;
    test_all(&broken);
    if (failures) continue;
    printf("no test minds that %s gives a NaN\n", name);
    missed++;
  }
  printf("%d of %d kernels that give a NaN are caught\n", mutant_count - missed, mutant_count);
  return found || missed ? 1 : 0;
}
