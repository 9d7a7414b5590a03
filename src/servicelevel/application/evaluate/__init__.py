"""The evaluator: counts in, transitions and statuses out."""

from servicelevel.application.evaluate.evaluator import Evaluator
from servicelevel.application.evaluate.policy import EvaluationPolicy

__all__ = ["EvaluationPolicy", "Evaluator"]
