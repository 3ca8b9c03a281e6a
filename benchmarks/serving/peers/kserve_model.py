"""KServe's server for scikit-learn, which is no package of its own: its model class, on KServe's model server.

After `python/sklearnserver` of github.com/kserve/kserve with `PREDICT_PROBA` on.
"""

from __future__ import annotations

import os
from typing import Any

import joblib
from kserve import Model, ModelServer
from kserve.utils.utils import get_predict_input, get_predict_response


class Flights(Model):
    def load(self) -> bool:
        self.estimator = joblib.load(os.environ["ESTIMATOR"])
        self.ready = True
        return self.ready

    def predict(self, payload: Any, headers: dict[str, str] | None = None) -> Any:  # noqa: ANN401, ARG002
        found = self.estimator.predict_proba(get_predict_input(payload))
        return get_predict_response(payload, found, self.name)


if __name__ == "__main__":
    model = Flights("flights")
    model.load()
    ModelServer(http_port=int(os.environ["PORT"]), enable_grpc=False, workers=1).start([model])
