"""What all conversions between wire types and domain values share: checks of texts and ids, goals, times and rates."""

from __future__ import annotations

import re
import uuid

from google.protobuf.timestamp_pb2 import Timestamp

from knowledgesmith.editors.measures.intervals import wilson
from knowledgesmith.graph_schema.errors import InvalidInput, TooLarge
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution
from knowledgesmith.server.wire.enums import from_wire, missing
from knowledgesmith.v1 import common_pb2

MAX_TEXT = 500

_ID = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_MODEL_ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
_KEY_HINT = "Send a random UUID, and the same one when you ask again."
_DEFAULT_TARGET = {Goal.EDIT: TargetDistribution.NEW_OBJECT, Goal.UNLEARN: TargetDistribution.NEUTRAL_GRAPH}


def check_id(text: str, field: str) -> str:
    """An id for a new graph or branch.

    Raises:
        InvalidInput: not 1 to 63 of ``[a-z0-9_-]`` with a letter first.
    """
    if not _ID.fullmatch(text):
        raise InvalidInput(
            "not a valid id", field=field, value=text, hint="Use 1 to 63 of a-z, 0-9, _ and -; a letter first."
        )
    return text


def check_model_id(text: str, field: str) -> str:
    """An id for a model or a folder name: as :func:`check_id`, dots allowed, a digit may come first."""
    if not _MODEL_ID.fullmatch(text):
        raise InvalidInput(
            "not a valid id", field=field, value=text, hint="Use 1 to 63 of a-z, 0-9, _, . and -; no dot first."
        )
    return text


def check_text(text: str, field: str, *, limit: int = MAX_TEXT) -> str:
    """A text that a user typed: no NUL, not too long; everything else is data.

    Raises:
        InvalidInput: holds a NUL character.
        TooLarge: more than ``limit`` characters.
    """
    if "\x00" in text:
        raise InvalidInput("the text holds a NUL character", field=field, value=text, hint="Remove it.")
    if len(text) > limit:
        raise TooLarge(f"more than {limit} characters", field=field, value=text, hint="Shorten it.")
    return text


def check_request_id(text: str) -> str:
    """A client's idempotence key: without one, what is sent again when nobody knows what became of it is done twice.

    Raises:
        InvalidInput: missing, or not a UUID.
    """
    if not text:
        raise InvalidInput("is required", field="request_id", hint=_KEY_HINT)
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise InvalidInput("not a UUID", field="request_id", value=text, hint=_KEY_HINT) from None


def goal_from(number: int) -> Goal:
    """The goal of a request.

    Raises:
        InvalidInput: not set, or unknown.
    """
    goal = from_wire(common_pb2.Goal, number, Goal, "goal")
    if goal is None:
        raise missing(common_pb2.Goal, "goal")
    return goal


def target_from(number: int, goal: Goal) -> TargetDistribution:
    """The target distribution, by default NEW_OBJECT for an edit and NEUTRAL_GRAPH for an unlearning."""
    target = from_wire(common_pb2.TargetDistribution, number, TargetDistribution, "target_distribution")
    return target or _DEFAULT_TARGET[goal]


def timestamp(milliseconds: int | None) -> Timestamp | None:
    """Milliseconds since the epoch as a timestamp."""
    if milliseconds is None:
        return None
    stamp = Timestamp()
    stamp.FromMilliseconds(milliseconds)
    return stamp


def rate_to(
    successes: int, trials: int, *, chance: float | None = None, placebo: float | None = None
) -> common_pb2.Rate:
    """A rate with its Wilson 95 % interval on the wire, beside chance and noise; no value when there was no trial."""
    rate = common_pb2.Rate(successes=successes, trials=trials, chance=chance, placebo=placebo)
    if trials:
        estimate = wilson(successes, trials)
        rate.value, rate.low, rate.high = estimate.value, estimate.low, estimate.high
    return rate
