#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""training.py NETDIR NNCONVERT NNTRAIN [THREADS [ROUNDS]]: a cached step of fine-tuning, ours and PyTorch's, alternately.

NETDIR is plain3d or plain3d_64 of networks.py. A step is one case forward and backward through the last one or two stages,
from what the frozen stages gave; no optimiser. Ours is what `nntrain plan --json` measured. Prints milliseconds of every round
and the ratio of the best ones."""
import json, os, struct, subprocess, sys, tempfile, time
import numpy as np, torch
from torch import nn
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from networks import NETS, build
folder, nnconvert, nntrain = sys.argv[1:4]
threads, rounds = [int(v) for v in (sys.argv[4:] + ['2', '3'][len(sys.argv) - 4:])][:2]
torch.set_num_threads(threads)
name = os.path.basename(folder.rstrip('/'))
features, strides, size = NETS[name][2], NETS[name][4], NETS[name][5][0]
network = build(name)


def scan(path):
    """A NIfTI of noise, of the network's size."""
    header = bytearray(352)
    struct.pack_into('<i', header, 0, 348)
    struct.pack_into('<8h', header, 40, 3, size, size, size, 1, 1, 1, 1)
    struct.pack_into('<2h', header, 70, 16, 32)
    struct.pack_into('<8f', header, 76, 1, 1, 1, 1, 1, 1, 1, 1)
    struct.pack_into('<2f', header, 108, 352, 1)
    struct.pack_into('<h', header, 254, 1)
    for axis in range(3):
        struct.pack_into('<f', header, 280 + 20 * axis, 1)
    header[344:348] = b'n+1\0'
    noise = np.random.default_rng(0).normal(size=(size,) * 3).astype('<f4')
    with open(path, 'wb') as file:
        file.write(bytes(header) + noise.tobytes())


def ours(work, stages):
    report = subprocess.run(
        [nntrain, 'plan', f'{work}/model.swt', f'{work}/cases.csv', '--unfreeze', str(stages), '--views', '0', '--pooling', 'mean',
         '--cv', '2', '--threads', str(threads), '--json'], check=True, capture_output=True, text=True)
    return json.loads(report.stdout)['step_seconds']


def torchs(stages):
    tail = list(network.encoder.stages)[len(features) - stages:]
    side = size // int(np.prod(strides[:len(features) - stages]))
    cached, label = torch.randn(1, features[-1 - stages], side, side, side), torch.tensor([1])
    best = float('inf')
    for _ in range(3):
        start = time.perf_counter()
        value = cached
        for stage in tail:
            value = stage(value)
        nn.functional.cross_entropy(network.fc(value.mean(dim=(2, 3, 4))), label).backward()
        best = min(best, time.perf_counter() - start)
        network.zero_grad()
    return best


with tempfile.TemporaryDirectory() as work:
    subprocess.run([nnconvert, 'convert', f'{folder}/fold_0/checkpoint_final.pth', '-o', f'{work}/model.swt', '--quiet'], check=True)
    scan(f'{work}/scan.nii')
    with open(f'{work}/cases.csv', 'w') as table:
        table.write('case,file,label,patient\n' + ''.join(f'c{i},scan.nii,{"ab"[i % 2]},p{i}\n' for i in range(4)))
    for stages in (1, 2):
        pairs = [(ours(work, stages), torchs(stages)) for _ in range(rounds)]
        left, right = (min(times) for times in zip(*pairs))
        print(name, f'last {stages}:', 'nntrain', [round(1e3 * a, 1) for a, _ in pairs], 'PyTorch', [round(1e3 * b, 1) for _, b in pairs],
              f'ms, {right / left:.1f} times as fast')
