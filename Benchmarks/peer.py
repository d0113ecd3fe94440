#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""peer.py NETDIR ENGINE THREADS [RUNS]   NETDIR from networks.py; ENGINE: torch | torch_channels_last | ort | openvino_f32 | openvino_default | mnn
Prints minimum and median ms, peak RSS of the process, and the relative error against the stored PyTorch logits. A starting point: one engine per process, so that RSS is honest."""
import os, resource, sys, time
import numpy as np
net, engine, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
runs = int(sys.argv[4]) if len(sys.argv) > 4 else 5
os.environ['OMP_NUM_THREADS'] = str(threads)
x, reference = np.load(net + '/x.npy')[None], np.load(net + '/y.npy')
started = time.perf_counter()
if engine.startswith('torch'):
    import torch
    torch.set_num_threads(threads)
    from networks import NETS, build
    module = build(os.path.basename(net))
    weights = torch.load(net + '/fold_0/checkpoint_final.pth', weights_only=False)['network_weights']
    module.net.load_state_dict(weights)
    head = torch.load(net + '/head.pth')
    module.fc.load_state_dict({'weight': head['classifier.2.weight'], 'bias': head['classifier.2.bias']})
    tensor = torch.from_numpy(x)
    if engine == 'torch_channels_last':
        module = module.to(memory_format=torch.channels_last_3d if x.ndim == 5 else torch.channels_last)
    def run():
        with torch.inference_mode(): return module(tensor).numpy()
elif engine == 'ort':
    import onnxruntime
    options = onnxruntime.SessionOptions(); options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(net + '/net.onnx', options, providers=['CPUExecutionProvider'])
    run = lambda: session.run(None, {'x': x})[0]
elif engine == 'mnn':
    import subprocess, tempfile
    graph = tempfile.mkdtemp() + '/net.mnn'
    subprocess.run([os.path.dirname(sys.executable) + '/mnnconvert', '-f', 'ONNX', '--modelFile', net + '/net.onnx', '--MNNModel', graph, '--bizCode', 'x'], check=True, capture_output=True)
    started = time.perf_counter()
    import MNN.expr as expr, MNN.nn as nn
    runtime = nn.create_runtime_manager(({'precision': 'high', 'backend': 0, 'numThread': threads},))
    module = nn.load_module_from_file(graph, ['x'], ['y'], runtime_manager=runtime)
    def run():
        output = module.forward([expr.const(x, list(x.shape), expr.NCHW)])
        output = output[0] if isinstance(output, (list, tuple)) else output
        return np.array(expr.convert(output, expr.NCHW).read())
else:
    import openvino
    settings = {'INFERENCE_NUM_THREADS': threads}
    if engine == 'openvino_f32': settings['INFERENCE_PRECISION_HINT'] = 'f32'
    model = openvino.Core().compile_model(net + '/net.onnx', 'CPU', settings)
    run = lambda: model([x])[0]
first = run(); ready = time.perf_counter() - started
times = []
for _ in range(runs):
    a = time.perf_counter(); run(); times.append((time.perf_counter() - a) * 1e3)
times.sort()
error = np.abs(first - reference).max() / np.abs(reference).max()
print(f'{os.path.basename(net)} {engine} threads={threads} min={times[0]:.1f} ms median={times[len(times)//2]:.1f} ms first={ready*1e3:.0f} ms rss={resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/1024:.0f} MB error={error:.1e}')
