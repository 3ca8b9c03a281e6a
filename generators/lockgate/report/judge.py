"""The verdict on a model: what its gates say, held against the spec. Nothing is green because it is absent."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from lockgate.contract import GateResult, Gates, Verdict
from lockgate.report.model import worst
from lockgate.spec.model import Gate


def judge(gates: Gates, limits: Mapping[str, Gate]) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict, and in which ways the gates are not those of the spec; any such way is a failure."""
    outcomes = {gate["outcome"] for gate in gates["gates"]}
    found: Verdict = "fail" if "fail" in outcomes else "warn" if "warn" in outcomes else "pass"
    doubts = tuple(_doubts(gates, limits))
    return worst(gates["verdict"], found, "fail" if doubts else "pass"), doubts


def _doubts(gates: Gates, limits: Mapping[str, Gate]) -> Iterator[str]:
    judged: Mapping[tuple[str, str], GateResult] = {(it["metric"], it["rule"]): it for it in gates["gates"]}
    if ("scan", "scan") not in judged:
        yield "it does not judge the scan"
    if "invalid_rows" not in limits and ("invalid_rows", "max") not in judged:
        yield "it does not judge the invalid rows"
    for metric, limit in limits.items():
        for rule, value in (("min", limit.min), ("max", limit.max), ("max_drop", limit.max_drop)):
            if value is None:
                continue
            result = judged.get((metric, rule))
            if result is None:
                yield f"it does not judge '{metric}' by '{rule}', which the spec asks for"
            elif result["limit"] is None or not math.isclose(result["limit"], value):
                yield f"its '{rule}' of '{metric}' is {result['limit']}, but the spec says {value}"
            elif result["on_fail"] != limit.on_fail:
                yield f"its gate on '{metric}' is set to '{result['on_fail']}', but the spec says '{limit.on_fail}'"
