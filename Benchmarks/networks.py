#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""networks.py OUTDIR [NAME…]: the benchmark networks as nnU-Net checkpoints + ONNX + input + PyTorch logits. Needs torch, nnunetv2, onnx."""
import sys, os, types, torch, numpy as np
from torch import nn
sys.modules.setdefault('torchvision._meta_registrations', types.ModuleType('_meta'))   # torchvision's CUDA wheel beside CPU torch, which timm imports
from dynamic_network_architectures.architectures.unet import PlainConvUNet, ResidualEncoderUNet
NETS = {
 'plain3d':    ('PlainConvUNet', 3, [32,64,128,256,320,320], [2]*6, [1,2,2,2,2,2], (128,)*3),
 'plain3d_64': ('PlainConvUNet', 3, [32,64,128,256,320,320], [2]*6, [1,2,2,2,2,2], (64,)*3),
 'plain2d':    ('PlainConvUNet', 2, [32,64,128,256,512,512,512,512], [2]*8, [1]+[2]*7, (512,)*2),
 'resencM':    ('ResidualEncoderUNet', 3, [32,64,128,256,320,320], [1,3,4,6,6,6], [1,2,2,2,2,2], (128,)*3),
}
# Whole U-Nets: to the logits of the segmentation.
WHOLE = {'unet3d'}
NETS['unet3d'] = NETS['plain3d']
# Transformers: of their sizes only the input's is to be said. Plans of their trainer describe a U-Net that is not there.
TRANSFORMERS = {'primusM_96': (96,)*3, 'primusM_128': (128,)*3}
ALL = list(NETS) + list(TRANSFORMERS)
class Clf(nn.Module):
    """encoder + global average pool + Linear; `net` keeps the whole U-Net so that its state dict can be loaded."""
    def __init__(s, net, dim): super().__init__(); s.__dict__['net'] = net; s.encoder = net.encoder; s.dim = dim; s.fc = nn.Linear(net.encoder.output_channels[-1], 2)
    def forward(s, x): return s.fc(s.encoder(x)[-1].mean(dim=tuple(range(2, 2 + s.dim))))
class Whole(Clf):
    """The U-Net; the linear layer is there for the file's sake."""
    def __init__(s, net, dim): super().__init__(net, dim); s.unet = net
    def forward(s, x): return s.unet(x)
class Tokens(nn.Module):
    """Primus' encoder + mean over the tokens + Linear."""
    def __init__(s, net): super().__init__(); s.__dict__['net'] = net; s.down_projection, s.eva = net.down_projection, net.eva; s.fc = nn.Linear(net.eva.embed_dim, 2)
    def forward(s, x): return s.fc(s.eva(s.down_projection(x).flatten(2).transpose(1, 2))[0].mean(1))
def keywords(name):
    cls, dim, feats, n, st, shape = NETS[name]; k = len(feats); M = 'torch.nn.modules.'
    kw = dict(n_stages=k, features_per_stage=feats, conv_op=f'{M}conv.Conv{dim}d', kernel_sizes=[[3]*dim]*k, strides=[[s]*dim for s in st],
        n_conv_per_stage_decoder=[1]*(k-1), conv_bias=True, norm_op=f'{M}instancenorm.InstanceNorm{dim}d', norm_op_kwargs=dict(eps=1e-5, affine=True),
        dropout_op=None, dropout_op_kwargs=None, nonlin='torch.nn.LeakyReLU', nonlin_kwargs=dict(inplace=True))
    kw['n_conv_per_stage' if cls == 'PlainConvUNet' else 'n_blocks_per_stage'] = n
    return kw
def build(name):
    if name in TRANSFORMERS:
        from dynamic_network_architectures.architectures.primus import PrimusM
        return Tokens(PrimusM(1, 2, (8, 8, 8), TRANSFORMERS[name]).eval()).eval()
    cls, dim, *_ = NETS[name]; real = keywords(name)
    real.update(conv_op=getattr(nn, f'Conv{dim}d'), norm_op=getattr(nn, f'InstanceNorm{dim}d'), nonlin=nn.LeakyReLU)
    net = {'PlainConvUNet': PlainConvUNet, 'ResidualEncoderUNet': ResidualEncoderUNet}[cls](input_channels=1, num_classes=2, deep_supervision=False, **real)
    return (Whole if name in WHOLE else Clf)(net.eval(), dim).eval()
def main(out, names):
    for name in names or ALL:
        d = f'{out}/{name}'; transformer = name in TRANSFORMERS
        cls, dim, _, _, _, shape = NETS['plain3d' if transformer else name]; shape = TRANSFORMERS.get(name, shape)
        if os.path.exists(d + '/y.npy'): continue
        os.makedirs(d + '/fold_0', exist_ok=True); torch.manual_seed(0)
        kw = keywords('plain3d' if transformer else name); clf = build(name); net = clf.net
        with torch.no_grad():
            for key, p in net.named_parameters():
                if p.ndim == 1: p.copy_(torch.randn_like(p) * .1 + (1. if 'norm.weight' in key or 'norm1.weight' in key or 'norm2.weight' in key or 'all_modules.1.weight' in key else 0.))
        cfgname = f'{dim}d' if dim == 2 else '3d_fullres'
        cfg = dict(data_identifier='x', preprocessor_name='DefaultPreprocessor', batch_size=2, patch_size=list(shape), median_image_size_in_voxels=[float(s) for s in shape], spacing=[1.0]*dim,
            normalization_schemes=['ZScoreNormalization'], use_mask_for_norm=[False], resampling_fn_data='resample_data_or_seg_to_shape', resampling_fn_seg='resample_data_or_seg_to_shape',
            resampling_fn_data_kwargs=dict(is_seg=False, order=3, order_z=0, force_separate_z=None), resampling_fn_seg_kwargs=dict(is_seg=True, order=1, order_z=0, force_separate_z=None),
            resampling_fn_probabilities='resample_data_or_seg_to_shape', resampling_fn_probabilities_kwargs=dict(is_seg=False, order=1, order_z=0, force_separate_z=None),
            architecture=dict(network_class_name='dynamic_network_architectures.architectures.unet.' + cls, arch_kwargs=kw, _kw_requires_import=['conv_op', 'norm_op', 'dropout_op', 'nonlin']), batch_dice=True)
        plans = dict(dataset_name='Dataset900_Bench', plans_name='nnUNetPlans', original_median_spacing_after_transp=[1.]*3, original_median_shape_after_transp=[128]*3, image_reader_writer='SimpleITKIO',
            transpose_forward=[0,1,2], transpose_backward=[0,1,2], configurations={cfgname: cfg}, experiment_planner_used='ExperimentPlanner', label_manager='LabelManager',
            foreground_intensity_properties_per_channel={'0': dict(max=1., mean=0., median=0., min=-1., percentile_00_5=-1., percentile_99_5=1., std=1.)})
        dj = dict(channel_names={'0': 'MR'}, labels=dict(background=0, a=1), numTraining=1, file_ending='.nii.gz')
        torch.save(dict(network_weights=net.state_dict(), optimizer_state={}, grad_scaler_state=None, logging={}, _best_ema=None, current_epoch=1,
            init_args=dict(plans=plans, configuration=cfgname, fold=0, dataset_json=dj, device=torch.device('cpu')), trainer_name='nnUNet_Primus_M_Trainer' if transformer else 'nnUNetTrainer', inference_allowed_mirroring_axes=tuple(range(dim))), d + '/fold_0/checkpoint_final.pth')
        torch.save({'classifier.2.weight': clf.fc.weight.detach(), 'classifier.2.bias': clf.fc.bias.detach()}, d + '/head.pth')
        x = torch.randn(1, 1, *shape); np.save(d + '/x.npy', x[0].numpy())
        with torch.inference_mode(): np.save(d + '/y.npy', clf(x).numpy())
        torch.onnx.export(clf, (x,), d + '/net.onnx', opset_version=17, dynamo=False, input_names=['x'], output_names=['y'])
if __name__ == '__main__': main(sys.argv[1], sys.argv[2:])
