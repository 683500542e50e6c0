"""Exact tests of counts, so that a handful of prompts raises no alarm."""

from __future__ import annotations

from scipy.special import bdtrc


def sign_test(more: int, less: int) -> float:
    """One-sided exact sign test (McNemar's exact test): chance of at least ``more`` of ``more + less`` by a fair coin.

    Args:
        more: pairs that changed towards the alarm.
        less: pairs that changed away from it; pairs that did not change say nothing.

    Returns:
        The p-value, 1 where nothing changed towards it.
    """
    if more == 0:
        return 1.0
    return float(bdtrc(more - 1, more + less, 0.5))
