"""What `lockgate run --base` adds to the artifacts: who the champion is, how the candidate compares, who trained it."""

from __future__ import annotations

from typing import Literal, TypedDict

from lockgate.contract import Answer, Better, GateResult, Outcome, Policy, Verdict


class Champion(TypedDict):
    """The model that is live, or why there is none to compare with.

    `origin` is where it was looked for: an environment's pin, the base branch, or nowhere ("none": nothing is live
    yet). `found` tells whether its files lie in `CHAMPION_DIRECTORY`; where not, `reason` is one sentence.
    """

    found: bool
    origin: Literal["pin", "base", "none"]
    environment: str | None
    version: str | None
    commit: str | None
    reason: str | None


class Difference(TypedDict):
    """A metric of both models on the same rows; `difference` is candidate minus champion.

    `low` and `high` bound the difference. `margin` is the gate's `max_drop` (0 where no gate names one), and `answer`
    what the interval says about it; both answer and bounds are None where `reason` says why there are none.
    """

    metric: str
    better: Better
    unit: Literal["", "s", "bytes"]
    candidate: float | None
    champion: float | None
    difference: float | None
    low: float | None
    high: float | None
    margin: float
    answer: Answer | None
    reason: str | None


class SliceDifference(Difference):
    """The difference on the rows of one value of a slicing column."""

    column: str
    label: str
    rows: int


class FoundSlice(TypedDict):
    """A slice that was looked for, not named: the candidate's mean loss in it and on all the rows.

    `p_value_adjusted` is against the rest of the rows and corrected for all the slices that were tested.
    """

    description: str
    rows: int
    metric: Literal["log_loss", "squared_error"]
    value: float
    whole: float
    p_value_adjusted: float


class FairnessGroup(TypedDict):
    """`value` is None where the group has too few rows to be counted, or none that the metric is of."""

    rows: int
    value: float | None


class Fairness(TypedDict):
    """A metric in each group of a column, and the greatest difference between two of them."""

    name: str
    column: str
    metric: str
    groups: dict[str, FairnessGroup]
    difference: float | None
    max_difference: float
    outcome: Outcome
    on_fail: Policy
    reason: str


class ColumnChange(TypedDict):
    """`missing` are ratios of missing values, [champion, candidate]; `psi` is None where there is nothing to bin."""

    psi: float | None
    missing: list[float | None]
    change: Literal["added", "removed", "changed type"] | None


class DataChange(TypedDict):
    """What the two were trained on; each pair is [champion, candidate]. `target` is as in `Part`."""

    rows: list[int]
    target: dict[str, list[float | None]]
    columns: dict[str, ColumnChange]


class SignatureChange(TypedDict):
    """Features that only the candidate takes (`added`), and that only the champion does (`removed`)."""

    added: list[str]
    removed: list[str]


class Comparison(TypedDict):
    """The candidate against the champion on the candidate's holdout of `rows` rows.

    `candidate_sha256` is the artifact's hash, of the files that were scored: what is released has to have the same.
    `reason` says why the champion could not be scored where it could not. `gates` replace those of `gates.json` that
    have the same metric and rule, and add those of `fairness`. `slices_tested` is how many `worst_slices` were tried.
    """

    candidate_sha256: str
    champion: Champion
    reason: str | None
    rows: int
    confidence: float
    samples: int
    metrics: list[Difference]
    slices: list[SliceDifference]
    slices_tested: int
    worst_slices: list[FoundSlice]
    fairness: list[Fairness]
    data: DataChange | None
    signature: SignatureChange
    gates: list[GateResult]


class Provenance(TypedDict):
    """Whether the model that was judged is the one that the author's `dvc.lock` names.

    The hashes are DVC's of MODEL_DIRECTORY: what the lock named before the run, and what was judged. `not recorded`:
    the lock names no model that was made of these inputs. `made here`: nor could it, as no commit has these inputs.
    `not trained`: nothing was trained here, the files were there. `outcome` is by `on_difference` where the answer is
    `different` or `not recorded`, else `pass`.
    """

    mode: Literal["rebuild", "reuse"]
    answer: Literal["equal bytes", "equal metrics", "different", "not recorded", "made here", "not trained"]
    expected_md5: str | None
    actual_md5: str | None
    on_difference: Literal["warn", "block"]
    outcome: Verdict
    reason: str
