// SPDX-License-Identifier: Apache-2.0
// fma_peak THREADS: prints the GFLOP/s of multiply-adds in registers, all threads together: the most that a matrix
// product could reach on this machine now. Compile with -O2 -march=native -pthread.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__AVX512F__)
enum { LANES = 16 };
#elif defined(__AVX__)
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif
enum { CHAINS = 12, ROUNDS = 20000000 };
typedef float vec __attribute__((vector_size(LANES * sizeof(float))));

static void *multiply_add(void *sink) {
  vec sums[CHAINS], x = {0}, y = {0};
  for (int lane = 0; lane < LANES; lane++) x[lane] = 0.999f, y[lane] = 1e-3f;
  for (int i = 0; i < CHAINS; i++) sums[i] = y * (float)i;
  for (long round = 0; round < ROUNDS; round++) {
#pragma GCC unroll 12
    for (int i = 0; i < CHAINS; i++) sums[i] = sums[i] * x + y;
  }
  for (int i = 1; i < CHAINS; i++) sums[0] += sums[i];
  *(float *)sink = sums[0][0];
  return NULL;
}

int main(int count, char **arguments) {
  enum { LIMIT = 1024 };
  static float sinks[LIMIT][32];
  static pthread_t threads[LIMIT];
  const int wanted = count > 1 ? atoi(arguments[1]) : 1, number = wanted < 1 ? 1 : wanted > LIMIT ? LIMIT : wanted;
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (int i = 0; i < number; i++) pthread_create(&threads[i], NULL, multiply_add, sinks[i]);
  for (int i = 0; i < number; i++) pthread_join(threads[i], NULL);
  clock_gettime(CLOCK_MONOTONIC, &end);
  const double seconds = (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
  printf("%.1f\n", 2e-9 * LANES * CHAINS * ROUNDS * number / seconds);
}
