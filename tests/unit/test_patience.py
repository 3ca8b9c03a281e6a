"""How long somebody waits for a rollout."""

from __future__ import annotations

from tests.targets.watched import document, planned

from lockgate.plan.patience import patience_seconds

ISTIO = {"gateway": "g", "namespace": "gateways", "hostname": "delay.acme.test", "router": "istio"}


def test_a_cautious_rollout_is_waited_for_through_its_shadow_its_test_and_its_steps() -> None:
    rollout = {
        "strategy": "cautious",
        "shadow": {"for": "1h"},
        "test": "5m",
        "steps": [{"weight": 50, "pause": "90s"}],
    }
    made = planned(document(rollout=rollout, traffic=ISTIO))
    assert patience_seconds(made, "production", 60) == 60 + 3600 + 300 + 90


def test_a_rolling_update_has_no_pauses_to_wait_for() -> None:
    assert patience_seconds(planned(document()), "production", 60) == 60
