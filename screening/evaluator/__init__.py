"""Evaluation of signed batches with one share of the hashing key; by itself, it is a keyholder.

It knows no records, people or results: only who may ask, how much, and that the elements are blinded.
"""

from screening.evaluator.errors import EvaluatorError

__all__ = ["EvaluatorError"]
