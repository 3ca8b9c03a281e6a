"""What a rollback's pull request says of its incident: evidence out of a cluster, as text that can be nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from lockgate.cli.releasing.moving import Move
from lockgate.cluster.evidence import Evidence
from lockgate.cluster.incidents import Incident
from lockgate.report.blocks import code, render_section
from lockgate.report.budget import measure
from lockgate.report.document import Cell, Section, Table, Text, cells, headings
from lockgate.spec.markdown import escape_markdown

_LIMIT = 60_000
_ROWS = (20, 8, 3, 0)
"""How many rows of a table are shown; the first that fits is taken."""


def commit_message(incident: Incident) -> str:
    """Without a word from the cluster: GitHub obeys some of what commits say."""
    return f"The rollout was {incident.state} (incident {incident.id}).\n\nMade by `lockgate watch`."


def pull_request_body(incident: Incident, move: Move) -> str:
    """Why, then what was measured and warned of; never longer than GitHub takes."""
    top = _top(incident, move)
    bodies = (top + "".join(_sections(incident.evidence, most)) for most in _ROWS)
    return next((body for body in bodies if measure(body) <= _LIMIT), top)


def _top(incident: Incident, move: Move) -> str:
    evidence, revision = incident.evidence, incident.revision or "unknown"
    said = f"\n\n> {escape_markdown(evidence.message)}" if evidence.message else ""
    return (
        f"The rollout of {code(incident.model)} {incident.version} in {code(incident.environment)} was "
        f"**{incident.state}**. Git still says that it runs; merging this makes Git say {move.new}.{said}\n\n"
        f"{incident.version} is marked, so that it is not promoted again by mistake. Reverting this promotes it again; "
        f"closing it leaves everything as it is.\n\n"
        f"Incident `{incident.id}`, revision {revision}. Opened by `lockgate watch`, once for each incident.\n\n"
    )


def _sections(evidence: Evidence, most: int) -> Iterator[str]:
    if evidence.analyses and most:
        yield render_section(Section(title="What was measured", blocks=(_analyses(evidence, most),)), 3)
    if evidence.warnings and most:
        yield render_section(
            Section(title="What the cluster warned of", blocks=(_warnings(evidence, most),)), 3
        )
    if evidence.gaps:
        gaps = tuple(Text(text=it) for it in evidence.gaps)
        yield render_section(Section(title="What could not be read", blocks=gaps), 3)


def _analyses(evidence: Evidence, most: int) -> Table:
    rows = tuple(
        (
            Cell(text=it.metric or it.run, kind="code"),
            Cell(text=it.phase, kind="badge", tone="fail" if it.phase in ("Failed", "Error") else ""),
            *cells(", ".join(it.values), it.message),
        )
        for it in evidence.analyses[:most]
    )
    heads = headings(("Metric", "Outcome", "Last values", "Why"))
    return Table(caption="Analysis", headings=heads, rows=rows, shown=len(rows))


def _warnings(evidence: Evidence, most: int) -> Table:
    """The newest first."""
    newest = evidence.warnings[::-1][:most]
    rows = tuple(cells(it.last, it.reason, it.message, f"{it.times:,}") for it in newest)
    heads = headings(("Last seen", "Reason", "Message"), ("Times",))
    return Table(caption="Warnings", headings=heads, rows=rows, shown=len(rows))
