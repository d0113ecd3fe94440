#!/bin/bash
# Classifies a folder of scans as a Slurm array; every task does its share, and goes on where it was stopped.
#
#   sbatch --array=1-4 --requeue classify.sh model.swt scans results
#   nnrun merge results/logits-*.npy -o logits.npy        when all are done
#
# `nnrun plan model.swt scans --slurm` tells how many tasks, how much memory and time to ask for.
#SBATCH --cpus-per-task=1
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
model=$1 scans=$2 results=$3
mkdir -p "$results"
exec nnrun classify "$model" "$scans" --share auto --skip-done --threads "${SLURM_CPUS_PER_TASK:-1}" \
  -o "$results/logits-{share}.npy" --format jsonl
