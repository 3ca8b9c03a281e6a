"""The conditions of an analysis, as text, over what a query answered: what Argo Rollouts makes of just these.

https://argo-rollouts.readthedocs.io/en/stable/features/analysis/
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence

from lockgate.plan.analysis import Judgement

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_COMPARED = re.compile(r"result\[0\] (>=|<=|>|<) (-?\d+(?:\.\d+)?)")
_THERE, _A_NUMBER = "len(result) > 0", "!isNaN(result[0])"


def judge(success: str, failure: str, result: Sequence[float]) -> Judgement:
    """A measurement that is neither good nor bad is inconclusive; ValueError where a condition is none of ours."""
    if holds(failure, result):
        return "failed"
    return "successful" if holds(success, result) else "inconclusive"


def holds(condition: str, result: Sequence[float]) -> bool:
    """From left to right, and no further than needed: the first terms keep the others from an empty result."""
    return all(_term(term, result) for term in condition.split(" && "))


def _term(term: str, result: Sequence[float]) -> bool:
    if term.startswith("(") and term.endswith(")"):
        return any(_term(one, result) for one in term[1:-1].split(" || "))
    if term == _THERE:
        return len(result) > 0
    if term == _A_NUMBER:
        return not math.isnan(result[0])
    found = _COMPARED.fullmatch(term)
    if found is None:
        raise ValueError(f"{term!r} is no condition of an analysis that is written here")
    return _COMPARISONS[found[1]](result[0], float(found[2]))
