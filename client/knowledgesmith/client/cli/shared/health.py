"""Health of a revision in the terminal: the reason first, the figures on one line."""

from __future__ import annotations

from collections.abc import Iterator

from knowledgesmith.client._types.enums import HealthVerdict
from knowledgesmith.client._types.interventions import Health
from knowledgesmith.client.cli.shared.output import plain_text


def warning(health: Health | None) -> Iterator[str]:
    """Why a revision is a wreck or a suspect, worst reason first; nothing for a healthy one."""
    if health is None or health.verdict in (HealthVerdict.HEALTHY, HealthVerdict.UNSPECIFIED):
        return
    first, *others = health.reasons or ("no reason given",)
    yield f"{health.verdict}: {plain_text(first)}"
    for reason in others:
        yield f"  also: {plain_text(reason)}"
    if not health.ok:
        yield "  rates of a wreck say nothing and are withheld"


def figures(health: Health | None) -> str:
    """The main figures on one line; empty where nothing was measured."""
    if health is None:
        return ""
    parts: list[str] = [f"health {health.verdict.lower()}"]
    if health.perplexity_ratio is not None:
        interval = _interval(health.perplexity_low, health.perplexity_high)
        parts.append(f"untrained text {health.perplexity_ratio:.2f}x as surprising{interval}")
    if health.repetition is not None:
        parts.append(f"repeats itself {health.repetition:.0%} (before {health.repetition_before or 0:.0%})")
    if health.agreement is not None:
        parts.append(f"begins as before {health.agreement:.0%}")
    if health.realised_min is not None and health.across_max is not None:
        parts.append(f"realised at least {health.realised_min:.0%}, elsewhere at most {health.across_max:.2f}")
    if health.collateral_sure is not None:
        parts.append(f"sure answers lost {health.collateral_sure:.0%}")
    if health.nonfinite:
        parts.append(f"{health.nonfinite:,} values are no numbers")
    return ", ".join(parts)


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" ({low:.2f}-{high:.2f})"
