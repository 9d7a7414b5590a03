"""Predicates over events, written in CEL and compiled once."""

from servicelevel.application.cel.predicate import Predicate, compile_predicate
from servicelevel.application.cel.reads import ATTRIBUTES, FIELD_TYPES, Threshold

__all__ = ["ATTRIBUTES", "FIELD_TYPES", "Predicate", "Threshold", "compile_predicate"]
