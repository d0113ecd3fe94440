# SPDX-License-Identifier: Apache-2.0
"""Fitted linear classifiers of scikit-learn as heads of a model."""
from __future__ import annotations

import warnings
from typing import Any, Dict, List, Tuple

import numpy as np

from ._errors import BadInputError


def save(estimator: Any, path: str) -> None:
    """Writes a fitted classifier, alone or as the last step of a pipeline, as `nnconvert attach` takes it."""
    steps = _steps(estimator)
    classifier = steps.pop()
    encoder = steps.pop(0) if steps and hasattr(steps[0], "model_id_") else None
    for attribute in ("coef_", "intercept_", "classes_"):
        if not hasattr(classifier, attribute):
            raise BadInputError(
                f"{type(classifier).__name__} has no {attribute}: a head is a fitted linear classifier, such as"
                " LogisticRegression")
    coef = np.atleast_2d(np.asarray(classifier.coef_, np.float64))
    intercept = np.broadcast_to(np.atleast_1d(np.asarray(classifier.intercept_, np.float64)), coef.shape[:1])
    if len(coef) == 1:
        # One output, of the second class: half of it for, half of it against keeps both classes' names.
        coef, intercept = np.vstack([-coef, coef]) / 2, np.hstack([-intercept, intercept]) / 2
    _check_probabilities(classifier, coef, intercept)
    for step in reversed(steps):
        matrix, offset = _affine(step, coef.shape[1])
        coef, intercept = coef @ matrix, intercept + coef @ offset
    content: Dict[str, Any] = {
        "coef": coef, "intercept": intercept, "classes": np.array([str(name) for name in classifier.classes_]),
    }
    if encoder is not None:
        content["model_id"] = np.array(encoder.model_id_)
        content["input_policy"] = np.array(encoder.policy_)
        if encoder.pooling_ is not None:
            content["pooling"] = np.array(encoder.pooling_)
    np.savez(path, **content)


def _steps(estimator: Any) -> List[Any]:
    while hasattr(estimator, "best_estimator_"):
        estimator = estimator.best_estimator_
    if not hasattr(estimator, "steps"):
        return [estimator]
    steps = [step for _, step in estimator.steps if step is not None and step != "passthrough"]
    return [part for step in steps for part in _steps(step)]


def _affine(step: Any, outputs: int) -> Tuple[np.ndarray, np.ndarray]:
    """The matrix and offset that a fitted transformer amounts to; refused where it is not linear."""
    width = getattr(step, "n_features_in_", outputs)
    points = np.random.default_rng(0).normal(0, 100, (8, width))
    with warnings.catch_warnings():
        # It was fitted with names of features, perhaps.
        warnings.simplefilter("ignore")
        offset = np.asarray(step.transform(np.zeros((1, width))), np.float64)[0]
        matrix = (np.asarray(step.transform(np.eye(width)), np.float64) - offset).T
        found = np.asarray(step.transform(points), np.float64)
    expected = points @ matrix.T + offset
    if found.shape != expected.shape or not np.allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(found).max()):
        raise BadInputError(
            f"{type(step).__name__} is not linear, so it cannot be folded into the head: use StandardScaler, PCA or"
            " a choice of features")
    return matrix, offset


def _check_probabilities(classifier: Any, coef: np.ndarray, intercept: np.ndarray) -> None:
    """A model's probabilities are the softmax of its logits: refuses a classifier whose are others."""
    directions = np.random.default_rng(0).normal(0, 1, (8, coef.shape[1]))
    # About where the classes are equally likely: far from there all probabilities are 0 or 1, whatever makes them.
    reach = np.abs(directions @ coef.T).max(axis=1, keepdims=True)
    scales = np.linspace(0.25, 3, 8)[:, np.newaxis] / np.where(reach > 0, reach, 1)
    points = np.vstack([np.linalg.lstsq(coef, -intercept, rcond=None)[0] + scales * directions, directions])
    logits = points @ coef.T + intercept
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = classifier.predict_proba(points)
    except AttributeError:
        found = None
    if found is None or not np.allclose(found, weights / weights.sum(axis=1, keepdims=True), atol=1e-6):
        raise BadInputError(
            f"the probabilities of {type(classifier).__name__} are not the softmax of a linear function: fit"
            " LogisticRegression")
