"""The model registry that Git is: one record for each released version."""

from lockgate.registry.records import read_records

__all__ = ["read_records"]
