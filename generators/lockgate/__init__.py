"""Lockgate's compiler: `mlops.yaml` in; workflows, pipelines and manifests out. Imports no data-science library."""

__version__ = "0.1.0"
