"""Saves the estimator as MLflow's model: `python mlflow_save.py ESTIMATOR FOLDER`."""

from __future__ import annotations

import sys

import joblib
import mlflow.sklearn

mlflow.sklearn.save_model(
    joblib.load(sys.argv[1]),
    sys.argv[2],
    pyfunc_predict_fn="predict_proba",
    serialization_format="cloudpickle",
    pip_requirements=["mlflow"],
)
