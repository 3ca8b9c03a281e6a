"""What would be released: the exported model, whether it agrees with what was trained, and what the scan found."""

from __future__ import annotations

from collections.abc import Iterator

from lockgate.contract import Export, Latency, Scan, ScannedFile
from lockgate.report.document import Block, Cell, Section, Table, Text, cells, headings
from lockgate.report.model import ModelReport
from lockgate.report.numbers import scale_for, show, show_count, show_quantity, show_share
from lockgate.report.text import clip, plural

_HASH_SHOWN = 12


def release_section(model: ModelReport) -> Section | None:
    blocks = (*_export(model.export, model.latency), *_scan(model.scan, model.champion_scan))
    return Section(title="Export and scan", blocks=blocks) if blocks else None


def _export(export: Export | None, latency: Latency | None) -> Iterator[Block]:
    rows = (*_export_rows(export), *_latency_rows(latency))
    if not rows:
        return
    yield Table(
        caption="The exported model", headings=headings(("Property", "Value")), rows=rows, shown=len(rows)
    )
    if export is not None and export["fallback_reason"]:
        yield Text(text=f"ONNX was not possible: {export['fallback_reason']}", tone="warn")


def _export_rows(export: Export | None) -> Iterator[tuple[Cell, ...]]:
    if export is None:
        return
    yield cells("Format", export["format"])
    yield cells("File", export["file"])
    yield Cell(text="SHA-256"), Cell(text=export["sha256"], kind="code")
    yield Cell(text="SHA-256 of the artifact"), Cell(text=export["artifact_sha256"], kind="code")
    yield cells("Size", show_quantity(export["size_bytes"], "bytes"))
    yield cells("Agreement with the estimator", _agreement(export))
    if export["trusted"]:
        yield cells("Types trusted by the spec", ", ".join(export["trusted"]))


def _agreement(export: Export) -> str:
    parity = export["parity"]
    scale = scale_for((parity["tolerance"],), "")
    beyond = parity["beyond_tolerance"]
    share = show_share(beyond, parity["rows"])
    allowed = show_share(parity["max_disagreement"])
    return (
        f"{show_count(beyond)} of {show_count(parity['rows'])} rows ({share}; {allowed} allowed) differ by more than "
        f"{show(parity['tolerance'], scale)}; the largest difference is {show_quantity(parity['max_abs_difference'])}"
    )


def _latency_rows(latency: Latency | None) -> Iterator[tuple[Cell, ...]]:
    if latency is not None:
        median, tail = show_quantity(latency["p50"], "s"), show_quantity(latency["p99"], "s")
        rows = show_count(latency["rows"])
        yield cells("Latency of one row", f"{median} median, {tail} 99th percentile, over {rows} rows")
        yield from _served_rows(latency)


def _served_rows(latency: Latency) -> Iterator[tuple[Cell, ...]]:
    if "served_p99" in latency and "served_p50" in latency:
        median, tail = (show_quantity(latency[name], "s") for name in ("served_p50", "served_p99"))
        rate = show_count(round(latency.get("served_requests_per_second", 0)))
        failed = show_count(latency.get("served_failed", 0))
        yield cells(
            "Latency under load",
            f"{median} median, {tail} 99th percentile, at {rate} requests a second, {failed} failed",
        )


def _scan(scan: Scan | None, champion: Scan | None) -> Iterator[Block]:
    if scan is None:
        return
    findings = sum(len(it["findings"]) for it in scan["files"])
    if scan["passed"]:
        yield Text(text=f"The scan passed {plural(len(scan['files']), 'file')}.")
    else:
        yield Text(text=f"The scan refused the model: {plural(findings, 'finding')}.", tone="fail")
    before = {it["path"]: it for it in champion["files"]} if champion else {}
    last = ("SHA-256", "Findings", "Against the champion") if champion else ("SHA-256", "Findings")
    yield Table(
        caption="Scanned files",
        headings=headings(("File", "Format"), ("Size",)) + headings(last),
        rows=tuple(
            (*_file_row(it), *((_against(it, before.get(it["path"])),) if champion else ()))
            for it in sorted(scan["files"], key=lambda it: not it["findings"])
        ),
        shown=10,
    )
    gone = [path for path in before if path not in {it["path"] for it in scan["files"]}]
    if gone:
        yield Text(text=f"The champion had {plural(len(gone), 'file')} more: {clip(', '.join(gone), 400)}.")


def _against(it: ScannedFile, before: ScannedFile | None) -> Cell:
    if before is None:
        return Cell(text="new")
    if it["sha256"] == before["sha256"]:
        return Cell(text="the same bytes")
    format_before = f", {before['format']}" if before["format"] != it["format"] else ""
    return Cell(text=f"was {show_quantity(before['size_bytes'], 'bytes')}{format_before}")


def _file_row(it: ScannedFile) -> tuple[Cell, ...]:
    findings = "; ".join(it["findings"])
    return (
        *cells(it["path"], it["format"], show_quantity(it["size_bytes"], "bytes")),
        Cell(text=it["sha256"][:_HASH_SHOWN], kind="code"),
        Cell(text=findings or "none", tone="fail" if findings else ""),
    )
