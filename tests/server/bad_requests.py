"""Wrong requests that would change something, and what every wrong request consists of."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
from tests.server.service import PATIENCE, Service
from tests.server.world import upload

from knowledgesmith.v1 import (
    branch_pb2,
    common_pb2,
    graph_pb2,
    intervention_pb2,
    model_pb2,
)

INVALID = grpc.StatusCode.INVALID_ARGUMENT
NOT_FOUND = grpc.StatusCode.NOT_FOUND
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED

COLLATERAL = intervention_pb2.GATE_METRIC_COLLATERAL

HOSTILE = {
    "quotes": "x'}) DETACH DELETE n //",
    "backticks": "`) MATCH (n) DETACH DELETE n //",
    "unicode escape": "\\u0027}) RETURN 1 //",
    "path": "../../../etc/passwd",
    "comment": "a // MATCH (n) DELETE n /*",
    "format": "{0}{__class__}%s${jndi}",
}
HUGE = "x" * (10 * 1024 * 1024)


def with_header(graph_id: str, **fields: Any) -> list[graph_pb2.ImportGraphRequest]:
    """An import whose header says something else."""
    header, *chunks = upload(graph_id)
    header.header.MergeFrom(graph_pb2.ImportHeader(**fields))
    return [header, *chunks]


def with_file(graph_id: str, *, name: str, content: bytes) -> list[graph_pb2.ImportGraphRequest]:
    """An import with one more file."""
    return [*upload(graph_id), graph_pb2.ImportGraphRequest(chunk=graph_pb2.FileChunk(name=name, content=content))]


def with_many_files(graph_id: str, count: int) -> list[graph_pb2.ImportGraphRequest]:
    """An import of ``count`` small files."""
    chunks = (graph_pb2.FileChunk(name=f"facts{n}.csv", content=b"x") for n in range(count))
    return [upload(graph_id)[0], *(graph_pb2.ImportGraphRequest(chunk=chunk) for chunk in chunks)]


def register(service: Service, **fields: Any) -> object:
    """A registration with its whole answer."""
    begun = service.model.RegisterModel(model_pb2.RegisterModelRequest(**fields), timeout=PATIENCE)
    return service.result(begun, model_pb2.RegisterModelResponse)


def select(service: Service, branch: str) -> object:
    """A selection with its whole answer."""
    begun = service.branch.SelectBranch(branch_pb2.SelectBranchRequest(branch_id=branch), timeout=PATIENCE)
    return service.result(begun, branch_pb2.SelectBranchResponse)


def export(service: Service, **fields: Any) -> object:
    """An export with its whole answer."""
    begun = service.branch.ExportRevision(branch_pb2.ExportRevisionRequest(**fields), timeout=PATIENCE)
    return service.result(begun, branch_pb2.ExportRevisionResponse)


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


def nested(depth: int) -> dict[str, Any]:
    """A map in a map, and so on."""
    return {"a": nested(depth - 1)} if depth else {}


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
    creating("unknown configuration key", INVALID, "INVALID_FIELD", GOOD, method_config={"nonsense": 1}),
    creating("configuration of other types", INVALID, "INVALID_FIELD", GOOD, method_config={"steps": "many"}),
    creating("configuration without a number", INVALID, "INVALID_FIELD", GOOD, method_config={"steps": math.nan}),
    creating("nested configuration", INVALID, "INVALID_FIELD", GOOD, method_config=nested(20)),
    creating("10 MB configuration", EXHAUSTED, "TOO_LARGE", GOOD, method_config={"steps": HUGE}),
    creating("unknown scorer", INVALID, "INVALID_FIELD", GOOD, scorer=99),
    creating("unknown target distribution", INVALID, "INVALID_FIELD", GOOD, target_distribution=99),
    creating("negative probes", INVALID, "INVALID_FIELD", GOOD, max_probes=-1),
    creating("too many probes", INVALID, "INVALID_FIELD", GOOD, max_probes=10**8),
    creating("gate on nothing", INVALID, "INVALID_FIELD", GOOD, gates=[intervention_pb2.Gate(max=1)]),
    creating("gate without bound", INVALID, "INVALID_FIELD", GOOD, gates=[intervention_pb2.Gate(metric=COLLATERAL)]),
    creating(
        "gate of NaN", INVALID, "INVALID_FIELD", GOOD, gates=[intervention_pb2.Gate(metric=COLLATERAL, max=math.nan)]
    ),
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
        send=lambda s, b, _: s.create(s.spec(b, GOOD), expected_revision_id="rev_0"),
        code=grpc.StatusCode.ABORTED,
        reason="REVISION_MISMATCH",
    ),
    Case(
        name="register: path is not a model",
        send=lambda s, _b, _g: register(s, model_id="none", path="/etc"),
        code=PRECONDITION,
        reason="MODEL_NOT_LOADABLE",
    ),
    Case(
        name="register: path does not exist",
        send=lambda s, _b, _g: register(s, model_id="none", path="/no/such/folder"),
        code=NOT_FOUND,
        reason="MODEL_NOT_FOUND",
    ),
    Case(
        name="register: NUL in path",
        send=lambda s, _b, _g: register(s, model_id="none", path="/models/\x00"),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="register: hostile id",
        send=lambda s, _b, _g: register(s, model_id="../x", path="/etc"),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="branch: unknown model",
        send=lambda s, _b, g: s.branch.CreateBranch(
            branch_pb2.CreateBranchRequest(branch_id="bx", model_id="none", graph_id=g), timeout=PATIENCE
        ),
        code=NOT_FOUND,
        reason="MODEL_NOT_FOUND",
    ),
    Case(
        name="branch: unknown graph",
        send=lambda s, _b, _g: s.branch.CreateBranch(
            branch_pb2.CreateBranchRequest(branch_id="bx", model_id="tiny", graph_id="none"), timeout=PATIENCE
        ),
        code=NOT_FOUND,
        reason="GRAPH_NOT_FOUND",
    ),
    Case(
        name="branch: id taken",
        send=lambda s, b, g: s.branch.CreateBranch(
            branch_pb2.CreateBranchRequest(branch_id=b, model_id="tiny", graph_id=g), timeout=PATIENCE
        ),
        code=grpc.StatusCode.ALREADY_EXISTS,
        reason="ALREADY_EXISTS",
    ),
    Case(
        name="branch: hostile id",
        send=lambda s, _b, g: s.branch.CreateBranch(
            branch_pb2.CreateBranchRequest(branch_id="`) DELETE n //", model_id="tiny", graph_id=g), timeout=PATIENCE
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="branch: none to select",
        send=lambda s, _b, _g: select(s, "bx"),
        code=NOT_FOUND,
        reason="BRANCH_NOT_FOUND",
    ),
    Case(
        name="rollback: branch at its base",
        send=lambda s, b, _: s.roll_back(b),
        code=PRECONDITION,
        reason="FAILED_PRECONDITION",
    ),
    Case(
        name="ask: no prompt",
        send=lambda s, b, _: s.branch.Ask(branch_pb2.AskRequest(branch_id=b), timeout=PATIENCE),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="ask: too many tokens",
        send=lambda s, b, _: s.branch.Ask(
            branch_pb2.AskRequest(branch_id=b, prompts=["x"], max_new_tokens=10_000), timeout=PATIENCE
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="ask: unknown revision",
        send=lambda s, b, _: s.branch.Ask(
            branch_pb2.AskRequest(branch_id=b, revision_id="rev_0", prompts=["x"]), timeout=PATIENCE
        ),
        code=NOT_FOUND,
        reason="REVISION_NOT_FOUND",
    ),
    Case(
        name="export: path in the name",
        send=lambda s, b, _: export(s, branch_id=b, name="../../out", format=branch_pb2.EXPORT_FORMAT_HF_CHECKPOINT),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="export: no format",
        send=lambda s, b, _: export(s, branch_id=b, name="out"),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
]
