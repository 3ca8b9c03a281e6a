"""Generated files and the disk: what lies there against what is rendered, and the only code that writes."""

from lockgate.output.compare import REFUSED_STATES, Comparison, FileState, State, compare, overwriting
from lockgate.output.diff import diff
from lockgate.output.eject import eject, take_back
from lockgate.output.errors import OutputError
from lockgate.output.findings import diagnose
from lockgate.output.lock import locked
from lockgate.output.write import Written, write

__all__ = [
    "REFUSED_STATES",
    "Comparison",
    "FileState",
    "OutputError",
    "State",
    "Written",
    "compare",
    "diagnose",
    "diff",
    "eject",
    "locked",
    "overwriting",
    "take_back",
    "write",
]
