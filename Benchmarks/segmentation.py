#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times `nnrun segment` against `nnUNetv2_predict_from_modelfolder` on the same model and scans: whole commands, in turn.

  segmentation.py MODEL_FOLDER IMAGES NNCONVERT NNRUN [--fold 0] [--threads 2] [--runs 3] [--mirroring]

MODEL_FOLDER is nnU-Net's, IMAGES a folder of cases. The model is converted once, outside the timing. For each command: wall
and CPU seconds, the largest resident set of one process and the largest sum of all processes' PSS, read every 50 ms; then the
voxels in which the two results differ. Set CUDA_VISIBLE_DEVICES= and keep the machine quiet: only ratios of one run count."""
import argparse, glob, os, resource, shutil, statistics, subprocess, sys, tempfile, threading, time
import numpy as np

def processes_of(root):
    """The process and all that descend from it."""
    parents = {}
    for path in glob.glob('/proc/[0-9]*/stat'):
        try: parents[int(path.split('/')[2])] = int(open(path).read().rsplit(')', 1)[1].split()[1])
        except (OSError, IndexError): pass
    found = {root}
    while True:
        more = {p for p, parent in parents.items() if parent in found} - found
        if not more: return found
        found |= more

def memory(pid):
    """PSS and RSS in MB; 0 for a process that is gone."""
    try: fields = dict(line.split(':') for line in open(f'/proc/{pid}/smaps_rollup').read().splitlines()[1:])
    except OSError: return 0, 0
    return tuple(int(fields[name].split()[0]) / 1e3 for name in ('Pss', 'Rss'))

def measure(command, environment):
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    peak = {'pss': 0.0, 'rss': 0.0}
    def watch():
        while process.poll() is None:
            parts = [memory(p) for p in processes_of(process.pid)]
            peak['pss'] = max(peak['pss'], sum(p for p, _ in parts)); peak['rss'] = max(peak['rss'], max((r for _, r in parts), default=0))
            time.sleep(.05)
    watcher = threading.Thread(target=watch); watcher.start()
    errors = process.stderr.read(); status = process.wait(); watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if status: sys.exit(f'{command[0]} failed with {status}:\n{errors.decode()[-2000:]}')
    return dict(wall=time.perf_counter() - start, cpu=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, **peak)

def differing(first, second):
    import nibabel
    total = different = 0
    for path in sorted(glob.glob(f'{first}/*.nii*')):
        a, b = (np.asarray(nibabel.load(p).dataobj) for p in (path, f'{second}/{os.path.basename(path)}'))
        total += a.size; different += int((a != b).sum())
    return different, total

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ('model', 'images', 'nnconvert', 'nnrun'): parser.add_argument(name)
    parser.add_argument('--fold', default='0'); parser.add_argument('--threads', type=int, default=2); parser.add_argument('--runs', type=int, default=3)
    parser.add_argument('--mirroring', action='store_true', help='with test-time mirroring, as nnU-Net does by default')
    a = parser.parse_args()
    work = tempfile.mkdtemp()
    swt = f'{work}/m.swt'
    subprocess.run([a.nnconvert, 'convert', a.model, '--part', 'network', '--fold', a.fold, '-o', swt], check=True, stdout=subprocess.DEVNULL)
    environment = dict(os.environ, OMP_NUM_THREADS=str(a.threads), nnUNet_def_n_proc=str(a.threads), nnUNet_raw=work, nnUNet_preprocessed=work, nnUNet_results=work)
    predict = os.path.join(os.path.dirname(sys.executable), 'nnUNetv2_predict_from_modelfolder')
    commands = {
        'nnU-Net': [predict, '-i', a.images, '-o', f'{work}/nnunet', '-m', a.model, '-f', a.fold, '-device', 'cpu', '-npp', '1', '-nps', '1', '--disable_progress_bar'] + ([] if a.mirroring else ['--disable_tta']),
        'nnrun': [a.nnrun, 'segment', swt, a.images, '-o', f'{work}/ours', '--threads', str(a.threads)] + ([] if a.mirroring else ['--no-mirroring']),
    }
    results = {name: [] for name in commands}
    for _ in range(a.runs):
        for name, command in commands.items(): results[name].append(measure(command, environment))
    print('| | wall s | CPU s | peak RSS of a process, MB | peak PSS together, MB |\n|---|---|---|---|---|')
    middle = {name: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for name, runs in results.items()}
    for name, m in middle.items(): print(f"| {name} | {m['wall']:.1f} | {m['cpu']:.1f} | {m['rss']:.0f} | {m['pss']:.0f} |")
    different, total = differing(f'{work}/nnunet', f'{work}/ours')
    ours, theirs = middle['nnrun'], middle['nnU-Net']
    print(f"\n{theirs['wall'] / ours['wall']:.1f} times faster, {ours['pss'] / theirs['pss']:.2f} of the memory; {different} of {total} voxels differ")
    shutil.rmtree(work)

if __name__ == '__main__': main()
