"""Findings about what the user wrote: plain data here; how they are shown is in the modules beside it."""

from lockgate.diagnostics.model import Diagnostic, Finding, Position, Severity, once, sort

__all__ = ["Diagnostic", "Finding", "Position", "Severity", "once", "sort"]
