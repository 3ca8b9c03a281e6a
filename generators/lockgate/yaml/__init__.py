"""YAML with positions in, deterministic YAML out, and edits of one scalar that keep every other byte."""

from lockgate.yaml.nodes import Entry, Location, Mapping, Mark, Node, Scalar, Sequence, Span, YamlError
from lockgate.yaml.parse import parse

__all__ = ["Entry", "Location", "Mapping", "Mark", "Node", "Scalar", "Sequence", "Span", "YamlError", "parse"]
