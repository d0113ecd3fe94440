#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""training.py NETDIR NNCONVERT NNTRAIN [--threads N] [--rounds N] [--finetune] [--scans N] [--epochs N] [--results JSON]: fine-tuning, ours and PyTorch's.

NETDIR is plain3d or plain3d_64 of networks.py. First a cached step: a batch of 4 cases forward and backward through the last
one or two stages, from what the frozen stages gave, no optimiser; ours is what `nntrain plan --json` measured. PyTorch runs
the batch, and one case alone, which is faster for some. Rounds alternate; it prints milliseconds a case of every round, and
the ratio of the best ones, PyTorch's the better of both.

With --finetune then the whole of `nntrain finetune` (66 scans, 12 epochs, last 2 stages, 5 folds, nothing stopped early) against
PyTorch's usual loop over as many cases, which computes the frozen stages anew for every one: a part of that loop is timed, its
seconds per case times the number of cases that nntrain learned from. Both processes' peak memory is told. With --results all of
it is added to a JSON of networks."""
import argparse, json, os, re, struct, subprocess, sys, tempfile, time
import numpy as np
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from networks import NETS, build  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('folder'), parser.add_argument('nnconvert'), parser.add_argument('nntrain')
    parser.add_argument('--threads', type=int, default=2), parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--results')
    parser.add_argument('--finetune', action='store_true'), parser.add_argument('--scans', type=int, default=66)
    parser.add_argument('--epochs', type=int, default=12), parser.add_argument('--usual', type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def scan(path, size, seed):
    """A NIfTI of noise."""
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
    noise = np.random.default_rng(seed).normal(size=(size,) * 3).astype('<f4')
    with open(path, 'wb') as file:
        file.write(bytes(header) + noise.tobytes())


def run(command):
    """Seconds, peak memory in MB, stdout and stderr of a command."""
    start = time.perf_counter()
    with tempfile.TemporaryFile('w+') as out, tempfile.TemporaryFile('w+') as errors:
        process = subprocess.Popen(command, stdout=out, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        out.seek(0), errors.seek(0)
        text, messages = out.read(), errors.read()
    if status:
        sys.exit(f'{command[:2]} failed: {messages}')
    return seconds, usage.ru_maxrss / 1024, text, messages


def our_step(o, work, stages):
    *_, text, _ = run(
        [o.nntrain, 'plan', f'{work}/model.swt', f'{work}/few.csv', '--unfreeze', str(stages), '--views', '0', '--pooling', 'mean',
         '--cv', '2', '--threads', str(o.threads), '--json'])
    return json.loads(text)['step_seconds']


def torchs_step(network, size, features, strides, stages, cases):
    """Seconds a case."""
    import torch
    from torch import nn
    tail = list(network.encoder.stages)[len(features) - stages:]
    side = size // int(np.prod(strides[:len(features) - stages]))
    cached, label = torch.randn(cases, features[-1 - stages], side, side, side), torch.arange(cases) % 2
    best = float('inf')
    for _ in range(3):
        start = time.perf_counter()
        value = cached
        for stage in tail:
            value = stage(value)
        nn.functional.cross_entropy(network.fc(value.mean(dim=(2, 3, 4))), label).backward()
        best = min(best, (time.perf_counter() - start) / cases)
        network.zero_grad()
    return best


def usual(o, name, size, cases):
    """PyTorch's usual loop over some cases, in batches of 4: prints seconds per case."""
    import torch
    torch.set_num_threads(o.threads)
    network = build(name)
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    trained = [p for stage in list(network.encoder.stages)[-2:] for p in stage.parameters()] + list(network.fc.parameters())
    for parameter in trained:
        parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(trained, lr=1e-3)
    numbers = np.random.default_rng(0)
    images = [numbers.normal(size=(1, size, size, size)).astype('f4') for _ in range(min(cases, 8))]
    start = None
    for step in range(1 + (cases + 3) // 4):
        # The first batch finds its memory.
        if step == 1:
            start = time.perf_counter()
        batch = torch.from_numpy(np.stack([images[(4 * step + i) % len(images)] for i in range(4)]))
        loss = torch.nn.functional.cross_entropy(network(batch), torch.tensor([0, 1, 0, 1]))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 12)
        optimizer.step()
    print((time.perf_counter() - start) / (4 * ((cases + 3) // 4)))


def whole(o, name, size, work):
    rows = [(f'c{i}', f'scan{i}.nii', 'ab'[i % 2], f'p{i}') for i in range(o.scans)]
    for i in range(o.scans):
        scan(f'{work}/scan{i}.nii', size, i)
    with open(f'{work}/all.csv', 'w') as table:
        table.write('case,file,label,patient\n' + ''.join(','.join(row) + '\n' for row in rows))
    seconds, peak, _, messages = run(
        [o.nntrain, 'finetune', f'{work}/model.swt', f'{work}/all.csv', '-o', f'{work}/tuned.swt', '--unfreeze', '2', '--epochs',
         str(o.epochs), '--patience', str(o.epochs), '--views', '0', '--pooling', 'mean', '--threads', str(o.threads)])
    # Of every epoch the cases that were learned from: inside a fold's training part four fifths of it.
    inner = len(re.findall(r'fold \d+ of \d+, inner epoch', messages)) * round(o.scans * 0.64)
    inner += len(re.findall(r'all cases, inner epoch', messages)) * round(o.scans * 0.8)
    outer = len(re.findall(r'fold \d+ of \d+, epoch', messages)) * round(o.scans * 0.8)
    outer += len(re.findall(r'all cases, epoch', messages)) * o.scans
    part = 16
    _, torchs_peak, text, _ = run([sys.executable, __file__, o.folder, o.nnconvert, o.nntrain, '--threads', str(o.threads),
                                   '--usual', str(part)])
    per_case = float(text)
    expected = per_case * (inner + outer)
    print(f'{name} finetune: {o.scans} scans, {inner + outer} cases learned from over all epochs; nntrain {seconds:.1f} s, {peak:.0f} MB; '
          f'PyTorch {1e3 * per_case:.0f} ms a case, measured on {part}, so {expected:.0f} s for all; {torchs_peak:.0f} MB; '
          f'{expected / seconds:.1f} times as fast, {peak / torchs_peak:.2f} of the memory')
    return dict(
        scans=o.scans, epochs=o.epochs, cases_learned_from=inner + outer, nntrain_seconds=round(seconds, 1), nntrain_mb=round(peak),
        torch_ms_per_case=round(1e3 * per_case), torch_cases_measured=part, torch_seconds_scaled=round(expected), torch_mb=round(torchs_peak))


def main():
    o = arguments()
    name = os.path.basename(o.folder.rstrip('/'))
    features, strides, size = NETS[name][2], NETS[name][4], NETS[name][5][0]
    if o.usual:
        return usual(o, name, size, o.usual)
    import torch
    torch.set_num_threads(o.threads)
    network = build(name)
    results = {'threads': o.threads, 'torch': torch.__version__}
    with tempfile.TemporaryDirectory() as work:
        run([o.nnconvert, 'convert', f'{o.folder}/fold_0/checkpoint_final.pth', '-o', f'{work}/model.swt', '--quiet'])
        scan(f'{work}/scan.nii', size, 0)
        with open(f'{work}/few.csv', 'w') as table:
            table.write('case,file,label,patient\n' + ''.join(f'c{i},scan.nii,{"ab"[i % 2]},p{i}\n' for i in range(4)))
        for stages in (1, 2):
            rounds = [
                (our_step(o, work, stages), *(torchs_step(network, size, features, strides, stages, cases) for cases in (4, 1)))
                for _ in range(o.rounds)]
            ours, batch, single = ([round(1e3 * seconds, 1) for seconds in column] for column in zip(*rounds))
            results[f'last_{stages}_ms'] = {'nntrain': ours, 'torch': batch, 'torch_single': single}
            print(name, f'last {stages}, ms a case: nntrain {ours}, PyTorch {batch}, one case alone {single};',
                  f'{min(batch + single) / min(ours):.1f} times as fast', flush=True)
        if o.finetune:
            results['finetune'] = whole(o, name, size, work)
    if o.results:
        known = json.load(open(o.results)) if os.path.exists(o.results) else {}
        known.setdefault(name, {}).update(results)
        with open(o.results, 'w') as file:
            file.write(json.dumps(known, indent=1) + '\n')


if __name__ == '__main__':
    main()
