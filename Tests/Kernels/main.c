// SPDX-License-Identifier: Apache-2.0
// Holds every kernel of every instruction set this processor has, and of one that is emulated, against its
// definition in double; with the
// argument `mutants`, the tests against kernels that are broken. Needs nothing but libc, so that it also runs
// under an emulator: see scripts/test neon.
#include <stdio.h>
#include <string.h>

#include "mutants.h"
#include "testing.h"

// See emulated.c.
extern const nn_kernels nn_bf16_too_emulated;

static void test_all(const nn_kernels *kernels) {
  test_convolution(kernels);
  test_halves(kernels);
  test_transformer(kernels);
  test_backward(kernels);
  test_taps(kernels);
}

// How many broken kernels no test minds.
static int missed_mutants(const nn_kernels *kernels) {
  // What a longjmp must not lose.
  volatile int missed = 0;
  jmp_buf next;
  first_failure = &next;
  for (volatile int mutant = 0; mutant < mutant_count; mutant++) {
    const char *name;
    const nn_kernels broken = mutant_of(kernels, mutant, &name);
    if (setjmp(next)) continue;
    test_all(&broken);
    printf("no test minds that %s gives a NaN\n", name);
    missed++;
  }
  printf("%d of %d kernels that give a NaN are caught\n", mutant_count - missed, mutant_count);
  return missed;
}

int main(int argc, char **argv) {
  int32_t count = 0;
  const nn_kernels *const *all = nn_available_kernels(&count);
  if (argc > 1 && strcmp(argv[1], "mutants") == 0) return missed_mutants(all[0]) ? 1 : 0;
  for (int32_t isa = 0; isa < count; isa++) {
    test_all(all[isa]);
    printf("%s%s: tested\n", all[isa]->name, all[isa]->bf16 ? " with bf16" : "");
  }
  test_all(&nn_bf16_too_emulated);
  printf("%s, with bf16: tested\n", nn_bf16_too_emulated.name);
  if (failures) printf("%d failures\n", failures);
  return failures ? 1 : 0;
}
