"""Spec and records → Plan: what two targets must agree on."""

from lockgate.plan.build import make

__all__ = ["make"]
