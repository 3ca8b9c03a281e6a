"""Who the champion is, in words: of a comparison, or of the file that says why there is none."""

from __future__ import annotations

from lockgate.contract.comparison import Champion, Comparison

_SHORT_COMMIT = 7


def champion_name(champion: Champion) -> str:
    """`production 1.2.0`, `the base branch at abc1234`, or `nothing to compare with: reason`."""
    if not champion["found"]:
        return f"nothing to compare with: {_why(champion)}"
    return where(champion)


def where(champion: Champion) -> str:
    """Where the champion was looked for, found or not."""
    if champion["origin"] == "pin":
        named = (champion["environment"], champion["version"])
        return " ".join(word for word in named if word) or "the pinned version"
    if champion["origin"] == "base":
        commit = champion["commit"]
        return f"the base branch at {commit[:_SHORT_COMMIT]}" if commit else "the base branch"
    return "nothing"


def is_scored(comparison: Comparison | None) -> bool:
    """Whether the champion was found and could predict the candidate's holdout."""
    return comparison is not None and comparison["champion"]["found"] and comparison["reason"] is None


def doubt(comparison: Comparison) -> str | None:
    """Why there are no numbers of a champion that there is; None where there is none yet, or all is well."""
    champion = comparison["champion"]
    if champion["found"]:
        return comparison["reason"]
    if champion["origin"] == "none":
        return None
    return f"{where(champion)} could not be had: {_why(champion)}"


def _why(champion: Champion) -> str:
    return (champion["reason"] or "nothing is live yet").rstrip(".")
