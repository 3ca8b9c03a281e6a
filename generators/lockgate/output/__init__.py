"""Generated files and the disk: what lies there against what would be written, and the only code that writes."""

from lockgate.output.compare import Comparison, FileState, State, compare, overwriting
from lockgate.output.diff import diff
from lockgate.output.eject import eject, take_back
from lockgate.output.errors import OutputError
from lockgate.output.findings import diagnose
from lockgate.output.lock import locked
from lockgate.output.write import Written, write

__all__ = [
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
