"""`mlops.yaml` → Spec: read with positions, held to the schema and the rules, defaults filled in."""

from lockgate.spec.read import Reading, SpecError, load, locate, read, read_bytes

__all__ = ["Reading", "SpecError", "load", "locate", "read", "read_bytes"]
