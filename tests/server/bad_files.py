"""Wrong imports of graphs."""

from __future__ import annotations

import gzip

from tests.server.bad_requests import EXHAUSTED, INVALID, Case, with_file, with_header, with_many_files
from tests.server.world import upload

SENDING: list[Case] = [
    Case(
        name="import: hostile graph id",
        send=lambda s, _b, _g: s.import_graph(upload("../evil")),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="import: dangling fact",
        send=lambda s, _b, g: s.import_graph(
            upload(g, {"FACTS": b"subject,relation,object\nfrance,has_capital,atlantis\n"})
        ),
        code=INVALID,
        reason="IMPORT_REJECTED",
    ),
    Case(
        name="import: invalid UTF-8",
        send=lambda s, _b, g: s.import_graph(upload(g, {"ENTITIES": b"uid,name\nx,\xff\xfe\n"})),
        code=INVALID,
        reason="IMPORT_REJECTED",
    ),
    Case(
        name="import: reserved relationship type",
        send=lambda s, _b, g: s.import_graph(upload(g, {"RELATIONS": b"name,rel_type\nhas_capital,CHANGED\n"})),
        code=INVALID,
        reason="IMPORT_REJECTED",
    ),
    Case(
        name="import: injected relationship type",
        send=lambda s, _b, g: s.import_graph(
            upload(g, {"RELATIONS": b"name,rel_type\nhas_capital,A`]->() DETACH DELETE n //\n"})
        ),
        code=INVALID,
        reason="IMPORT_REJECTED",
    ),
    Case(
        name="import: unknown format",
        send=lambda s, _b, g: s.import_graph(with_header(g, format="nonsense`]")),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="import: unknown option",
        send=lambda s, _b, g: s.import_graph(with_header(g, options={"a`b": 1})),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="import: a header alone",
        send=lambda s, _b, g: s.import_graph(upload(g)[:1]),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="import: the header twice",
        send=lambda s, _b, g: s.import_graph(upload(g)[:1] * 2),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="import: not gzip",
        send=lambda s, _b, g: s.import_graph(with_file(g, name="more.csv.gz", content=b"plain")),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="import: gzip that is cut off",
        send=lambda s, _b, g: s.import_graph(with_file(g, name="more.csv.gz", content=gzip.compress(b"x" * 99)[:-9])),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="import: a table packed and as it is",
        send=lambda s, _b, g: s.import_graph(with_file(g, name="facts.csv.gz", content=gzip.compress(b"x"))),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="import: a piece of more than 1 MiB",
        send=lambda s, _b, g: s.import_graph(with_file(g, name="more.csv", content=b"x" * (2**20 + 1))),
        code=EXHAUSTED,
        reason="TOO_LARGE",
    ),
    Case(
        name="import: too many files",
        send=lambda s, _b, g: s.import_graph(with_many_files(g, 257)),
        code=EXHAUSTED,
        reason="TOO_LARGE",
    ),
    Case(
        name="import: chunk before the header",
        send=lambda s, _b, g: s.import_graph(upload(g)[1:]),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
]
