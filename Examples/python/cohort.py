# SPDX-License-Identifier: Apache-2.0
"""From a checkpoint and labelled scans to a classifier in one file: cohort.py [EXAMPLES]

docs/python.md goes through it. It needs the wheel and scikit-learn.
"""
import csv
import sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import nnconvert

examples = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

# --- Convert once.
checkpoint = next((examples / "brain-mri").glob("nnUNet_results/*/*/fold_0/checkpoint_final.pth"))
nnconvert.convert(checkpoint, "encoder.swt", force=True)

# --- Look at one scan.
model = nnconvert.Model("encoder.swt")
scan = examples / "brain-mri/scans/brain_t1.nii.gz"
print(model.preprocess(scan).array.shape, model.features(scan).values.shape)

# --- A cohort with labels.
with open(examples / "train/cases.csv") as table:
    rows = list(csv.DictReader(table))
scans = [str(examples / "train" / row["file"]) for row in rows]
labels = [row["label"] for row in rows]
patients = [row["patient"] for row in rows]

# --- Cross-validate; scans of one patient stay together, and every scan is encoded once.
pipeline = make_pipeline(
    nnconvert.Encoder("encoder.swt", cache="features"), StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
scores = cross_val_score(pipeline, scans, labels, groups=patients, cv=GroupKFold(5))
print(f"accuracy {scores.mean():.2f} ± {scores.std():.2f}")

# --- Fit on all, and keep it: scaling is folded into the head.
pipeline.fit(scans, labels)
nnconvert.attach("encoder.swt", pipeline, output="classifier.swt", force=True)

# --- Use it, here or with nnrun on a machine without Python.
classifier = nnconvert.Model("classifier.swt")
for name, result in zip(scans[:3], classifier.classify_each(scans[:3], maps=True)):
    print(Path(name).name, result.class_name, np.round(result.probabilities, 3), result.maps[result.class_name].shape)
np.testing.assert_allclose(
    [result.probabilities for result in classifier.classify_each(scans[:3])], pipeline.predict_proba(scans[:3]), atol=1e-4)
