"""Wrong requests that would change something, and what every wrong request consists of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
from tests.server.service import PATIENCE, Service
from tests.server.world import upload

from knowledgesmith.v1 import (
    common_pb2,
    graph_pb2,
    intervention_pb2,
    model_pb2,
)

INVALID = grpc.StatusCode.INVALID_ARGUMENT
NOT_FOUND = grpc.StatusCode.NOT_FOUND
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED

HOSTILE = {
    "quotes": "x'}) DETACH DELETE n //",
    "backticks": "`) MATCH (n) DETACH DELETE n //",
    "unicode escape": "\\u0027}) RETURN 1 //",
    "path": "../../../etc/passwd",
    "comment": "a // MATCH (n) DELETE n /*",
    "format": "{0}{__class__}%s${jndi}",
}
HUGE = "x" * (10 * 1024 * 1024)


def send_files(service: Service, messages: list[graph_pb2.ImportGraphRequest]) -> list[graph_pb2.ImportGraphResponse]:
    """An import with its whole answer."""
    return list(service.graph.ImportGraph(iter(messages), timeout=PATIENCE))


def with_header(graph_id: str, **fields: Any) -> list[graph_pb2.ImportGraphRequest]:
    """An import whose header says something else."""
    header, *chunks = upload(graph_id)
    for name, value in fields.items():
        setattr(header.header, name, value)
    return [header, *chunks]


def with_file(graph_id: str, *, name: str, content: bytes) -> list[graph_pb2.ImportGraphRequest]:
    """An import with one more file."""
    return [*upload(graph_id), graph_pb2.ImportGraphRequest(chunk=graph_pb2.FileChunk(name=name, content=content))]


def with_many_files(graph_id: str, count: int) -> list[graph_pb2.ImportGraphRequest]:
    """An import of ``count`` small files."""
    chunks = (graph_pb2.FileChunk(name=f"facts{n}.csv", content=b"x") for n in range(count))
    return [upload(graph_id)[0], *(graph_pb2.ImportGraphRequest(chunk=chunk) for chunk in chunks)]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One wrong request: which field, what is wrong, how it is sent, and the documented answer."""

    name: str
    send: Callable[[Service, str, str], object]
    code: grpc.StatusCode
    reason: str


def creating(name: str, code: grpc.StatusCode, reason: str, change: tuple[str, ...], **fields: Any) -> Case:
    """A wrong ``CreateIntervention``."""

    def send(service: Service, branch: str, graph: str) -> object:
        return service.create(service.spec(branch, change, **fields))

    return Case(name=f"create: {name}", send=send, code=code, reason=reason)


GOOD = ("france", "has_capital", "paris", "rome")

CHANGING: list[Case] = [
    creating("unknown subject", NOT_FOUND, "ENTITY_NOT_FOUND", ("atlantis", "has_capital", "paris", "rome")),
    creating("unknown object", NOT_FOUND, "ENTITY_NOT_FOUND", ("france", "has_capital", "paris", "atlantis")),
    creating("ambiguous name", INVALID, "AMBIGUOUS_NAME", ("france", "has_capital", "paris", "Springfield")),
    creating("unknown relation", NOT_FOUND, "RELATION_NOT_FOUND", ("france", "capital", "paris", "rome")),
    creating("fact not asserted", NOT_FOUND, "FACT_NOT_FOUND", ("france", "has_capital", "tokyo", "rome")),
    creating("empty subject", INVALID, "INVALID_FIELD", (" ", "has_capital", "paris", "rome")),
    creating("NUL in subject", INVALID, "INVALID_FIELD", ("fra\x00nce", "has_capital", "paris", "rome")),
    creating("NUL in relation", INVALID, "INVALID_FIELD", ("france", "has\x00", "paris", "rome")),
    creating("newline in subject", INVALID, "INVALID_FIELD", ("fra\nnce", "has_capital", "paris", "rome")),
    creating("501 characters", EXHAUSTED, "TOO_LARGE", ("x" * 501, "has_capital", "paris", "rome")),
    creating("10 MB subject", EXHAUSTED, "TOO_LARGE", (HUGE, "has_capital", "paris", "rome")),
    creating("10 MB method", EXHAUSTED, "TOO_LARGE", GOOD, method=HUGE),
    creating("unknown method", INVALID, "UNKNOWN_METHOD", GOOD, method="alphaedti"),
    creating("hostile method", INVALID, "UNKNOWN_METHOD", GOOD, method="os:system"),
    creating("edit to the same object", INVALID, "INVALID_FIELD", ("france", "has_capital", "paris", "paris")),
    creating("unlearn with a new object", INVALID, "INVALID_FIELD", GOOD, goal="UNLEARN"),
    creating(
        "goal and target do not fit",
        INVALID,
        "METHOD_MISMATCH",
        GOOD,
        method="alphaedit",
        target_distribution=common_pb2.TARGET_DISTRIBUTION_VAGUE,
    ),
    creating("unknown configuration key", INVALID, "INVALID_FIELD", GOOD, method_config_json='{"nonsense": 1}'),
    creating("configuration is no JSON", INVALID, "INVALID_FIELD", GOOD, method_config_json="{"),
    creating("configuration is a list", INVALID, "INVALID_FIELD", GOOD, method_config_json="[1]"),
    creating("deeply nested configuration", INVALID, "INVALID_FIELD", GOOD, method_config_json="[" * 20_000),
    creating("unknown scorer", INVALID, "INVALID_FIELD", GOOD, scorer="letters"),
    creating("negative probes", INVALID, "INVALID_FIELD", GOOD, max_probes=-1),
    creating("too many probes", INVALID, "INVALID_FIELD", GOOD, max_probes=10**8),
    creating("unknown gate", INVALID, "INVALID_FIELD", GOOD, gates=[intervention_pb2.Gate(metric="luck", max=1)]),
    creating("gate without bound", INVALID, "INVALID_FIELD", GOOD, gates=[intervention_pb2.Gate(metric="collateral")]),
    *(
        creating(f"{name} in subject", NOT_FOUND, "ENTITY_NOT_FOUND", (text, "has_capital", "paris", "rome"))
        for name, text in HOSTILE.items()
    ),
    *(
        creating(f"{name} in relation", NOT_FOUND, "RELATION_NOT_FOUND", ("france", text, "paris", "rome"))
        for name, text in HOSTILE.items()
    ),
    Case(
        name="create: no goal",
        send=lambda s, b, _: s.create(intervention_pb2.InterventionSpec(branch_id=b, method="finetune")),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="create: no changes",
        send=lambda s, b, _: s.create(s.spec(b)),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="create: two edits of one fact to two objects",
        send=lambda s, b, _: s.create(s.spec(b, GOOD, ("france", "has_capital", "paris", "madrid"))),
        code=INVALID,
        reason="CONFLICTING_CHANGES",
    ),
    Case(
        name="create: unknown branch",
        send=lambda s, _b, _g: s.create(s.spec("nowhere", GOOD)),
        code=NOT_FOUND,
        reason="BRANCH_NOT_FOUND",
    ),
    Case(
        name="create: request id is no UUID",
        send=lambda s, b, _: s.create(s.spec(b, GOOD), request_id="again"),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="create: another head expected",
        send=lambda s, b, _: s.create(s.spec(b, GOOD), expected_revision="rev_0"),
        code=grpc.StatusCode.ABORTED,
        reason="REVISION_MISMATCH",
    ),
    Case(
        name="register: path is not a model",
        send=lambda s, _b, _g: s.model.RegisterModel(
            model_pb2.RegisterModelRequest(id="none", path="/etc"), timeout=PATIENCE
        ),
        code=PRECONDITION,
        reason="MODEL_NOT_LOADABLE",
    ),
    Case(
        name="register: path does not exist",
        send=lambda s, _b, _g: s.model.RegisterModel(
            model_pb2.RegisterModelRequest(id="none", path="/no/such/folder"), timeout=PATIENCE
        ),
        code=NOT_FOUND,
        reason="MODEL_NOT_FOUND",
    ),
    Case(
        name="register: NUL in path",
        send=lambda s, _b, _g: s.model.RegisterModel(
            model_pb2.RegisterModelRequest(id="none", path="/models/\x00"), timeout=PATIENCE
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="register: hostile id",
        send=lambda s, _b, _g: s.model.RegisterModel(
            model_pb2.RegisterModelRequest(id="../x", path="/etc"), timeout=PATIENCE
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="branch: unknown model",
        send=lambda s, _b, g: s.model.CreateBranch(
            model_pb2.CreateBranchRequest(id="bx", model_id="none", graph_id=g), timeout=PATIENCE
        ),
        code=NOT_FOUND,
        reason="MODEL_NOT_FOUND",
    ),
    Case(
        name="branch: unknown graph",
        send=lambda s, _b, _g: s.model.CreateBranch(
            model_pb2.CreateBranchRequest(id="bx", model_id="tiny", graph_id="none"), timeout=PATIENCE
        ),
        code=NOT_FOUND,
        reason="GRAPH_NOT_FOUND",
    ),
    Case(
        name="branch: id taken",
        send=lambda s, b, g: s.model.CreateBranch(
            model_pb2.CreateBranchRequest(id=b, model_id="tiny", graph_id=g), timeout=PATIENCE
        ),
        code=grpc.StatusCode.ALREADY_EXISTS,
        reason="ALREADY_EXISTS",
    ),
    Case(
        name="branch: hostile id",
        send=lambda s, _b, g: s.model.CreateBranch(
            model_pb2.CreateBranchRequest(id="`) DELETE n //", model_id="tiny", graph_id=g), timeout=PATIENCE
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="branch: none to select",
        send=lambda s, _b, _g: s.model.SelectBranch(model_pb2.SelectBranchRequest(id="bx"), timeout=PATIENCE),
        code=NOT_FOUND,
        reason="BRANCH_NOT_FOUND",
    ),
    Case(
        name="rollback: branch at its base",
        send=lambda s, b, _: s.model.RollbackBranch(model_pb2.RollbackBranchRequest(branch_id=b), timeout=PATIENCE),
        code=PRECONDITION,
        reason="FAILED_PRECONDITION",
    ),
    Case(
        name="ask: no prompt",
        send=lambda s, b, _: s.model.Ask(model_pb2.AskRequest(branch_id=b), timeout=PATIENCE),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="ask: too many tokens",
        send=lambda s, b, _: s.model.Ask(
            model_pb2.AskRequest(branch_id=b, prompts=["x"], max_new_tokens=10_000), timeout=PATIENCE
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="ask: unknown revision",
        send=lambda s, b, _: s.model.Ask(
            model_pb2.AskRequest(branch_id=b, revision_id="rev_0", prompts=["x"]), timeout=PATIENCE
        ),
        code=NOT_FOUND,
        reason="REVISION_NOT_FOUND",
    ),
    Case(
        name="export: path in the name",
        send=lambda s, b, _: s.model.ExportRevision(
            model_pb2.ExportRevisionRequest(
                branch_id=b, name="../../out", format=model_pb2.EXPORT_FORMAT_HF_CHECKPOINT
            ),
            timeout=PATIENCE,
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="export: no format",
        send=lambda s, b, _: s.model.ExportRevision(
            model_pb2.ExportRevisionRequest(branch_id=b, name="out"), timeout=PATIENCE
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
]
