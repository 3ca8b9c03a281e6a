"""What the server's processes use of the machine, summed over them, as Linux tells it in `/proc`; elsewhere nothing."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection

_PROC = Path("/proc")
# Fields of `/proc/PID/stat` behind the command's name, which is the second and may hold anything; see proc(5).
_UTIME, _STIME, _CUTIME, _CSTIME, _START, _VIRTUAL, _RESIDENT = 11, 12, 13, 14, 19, 20, 21


class Measured(NamedTuple):
    """A metric by the name that Prometheus' clients agree on."""

    name: str
    type: Literal["counter", "gauge"]
    help: str
    value: float


def measure(main_pid: int, pids: Collection[int]) -> list[Measured]:
    """Of the processes together. Those that ended count on in the CPU time of the main one, which waited for them."""
    stats = {pid: fields for pid in pids if (fields := _stat(pid))}
    if main_pid not in stats:
        return []
    main, ticks = stats[main_pid], os.sysconf("SC_CLK_TCK")
    cpu = sum(fields[_UTIME] + fields[_STIME] for fields in stats.values()) + main[_CUTIME] + main[_CSTIME]
    virtual = sum(fields[_VIRTUAL] for fields in stats.values())
    resident = sum(fields[_RESIDENT] for fields in stats.values()) * os.sysconf("SC_PAGE_SIZE")
    files = sum(_open_files(pid) for pid in stats)
    started = _boot_seconds() + main[_START] / ticks
    return [
        Measured("process_cpu_seconds_total", "counter", "CPU time of all processes.", cpu / ticks),
        Measured("process_virtual_memory_bytes", "gauge", "Virtual memory of all processes.", virtual),
        Measured("process_resident_memory_bytes", "gauge", "Resident memory of all processes.", resident),
        Measured("process_start_time_seconds", "gauge", "When the server started, in Unix time.", started),
        Measured("process_open_fds", "gauge", "Open files of all processes.", files),
        Measured("process_max_fds", "gauge", "Open files that one process may have.", _most_files()),
    ]


def _stat(pid: int) -> list[int]:
    """The numbers behind the state; empty where there is no such process."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [0, *(int(field) for field in text.rpartition(")")[2].split()[1:])]


def _open_files(pid: int) -> int:
    try:
        return len(os.listdir(_PROC / str(pid) / "fd"))  # noqa: PTH208 - names alone are quicker to get
    except OSError:
        return 0


def _boot_seconds() -> float:
    lines = (_PROC / "stat").read_text(encoding="ascii").splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("btime ")))


def _most_files() -> float:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return float("inf") if soft == resource.RLIM_INFINITY else float(soft)
