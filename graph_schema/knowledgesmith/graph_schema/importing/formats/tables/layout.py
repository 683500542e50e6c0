"""What the columns of a table hold, told from its first rows: facts, or a subject a row; with or without a header.

Words over the columns count first (``table_words``). Without them three columns are subject, relation, object, unless
something speaks against it; a row is only taken for a header where words, letter case or numbers say so, since a fact
that is lost is worse than one too many. What stays doubtful is refused with the way out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.rows.column_words import (
    INDEX,
    OTHER,
    Role,
    worded_roles,
)
from knowledgesmith.graph_schema.importing.formats.tables.header import DOUBTFUL, Evidence, Rows
from knowledgesmith.graph_schema.importing.formats.tables.marks import is_label, mostly, truth_of, with_marks
from knowledgesmith.graph_schema.importing.formats.tables.names import (
    NO_NAMES,
    asked_column,
    name_column,
    titled_names,
)
from knowledgesmith.graph_schema.importing.formats.tables.relations import (
    are_identifiers,
    are_truths,
    look_like_headings,
    read_like_relations,
    repeats,
)
from knowledgesmith.graph_schema.importing.reading.literals import is_literal
from knowledgesmith.graph_schema.importing.reading.problems import quote

_LEAST: Final = 3
"""Rows from which on one relation a row speaks against relations."""
_SAY_WHICH: Final = (
    "Say what a row is: --option layout=wide (a subject, the first row naming a relation a column), or "
    "--option layout=facts (subject, relation, object)."
)
_FACT: Final = (Role.SUBJECT, Role.RELATION, Role.OBJECT)


class Layout(StrEnum):
    """What a row is."""

    AUTO = "auto"
    FACTS = "facts"
    WIDE = "wide"
    NODES = "nodes"


ASSUMED: Final = "nothing tells their order, --option columns=… names another"
"""Note of a plan whose order is the usual one."""
NAMES_GUESSED: Final = "it reads like names; --option name_column=… or - for none"
"""Note of a plan whose names stand in a column that no list knows."""
NAMED_BY_IDS: Final = "no column reads like names"
"""Note of a plan whose things have ids and no names."""


class Header(StrEnum):
    """Whether the first row names the columns."""

    AUTO = "auto"
    YES = "yes"
    NO = "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the rows of a table are read.

    Attributes:
        layout: what a row is.
        header: names of the columns; empty where the first row is one like the others.
        roles: what the columns hold, by position; of a wide table those that are no relation.
        width: columns that hold anything.
        why: notes for the report.
    """

    layout: Layout
    header: tuple[str, ...]
    roles: Mapping[int, Role]
    width: int
    why: tuple[str, ...] = ()

    def column(self, role: Role) -> int | None:
        """The position of a role."""
        return next((position for position, found in self.roles.items() if found is role), None)

    @property
    def values(self) -> tuple[int, ...]:
        """Columns of a wide table that are relations."""
        return tuple(position for position in range(self.width) if position not in self.roles)

    def name(self, position: int) -> str:
        """``column 1 'subject'``."""
        title = self.header[position] if position < len(self.header) else ""
        return f"column {position + 1}{f' {title!r}' if title else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the user says about a table."""

    layout: Layout = Layout.AUTO
    header: Header = Header.AUTO
    columns: tuple[str, ...] = ()
    relation: str = ""
    name_column: str = ""
    nodes_beside: bool = field(default=False)
    ends: frozenset[str] | None = None
    """Subjects and objects of the tables beside, where they are known."""


def plan_table(name: str, rows: Sequence[Sequence[str]], asked: Asked, *, named: bool = False) -> Plan:
    """How the rows of a table are read.

    Args:
        name: the file's name, for messages.
        rows: the first ones.
        asked: what the user says.
        named: the first row is known to name the columns (it is the keys of objects).

    Raises:
        InvalidInput: it cannot be told; the hint names the options that say it.
    """
    table = _Table(name, rows, asked, named=named)
    return table.by_columns() if asked.columns else table.plan()


def header_roles(name: str, rows: Sequence[Sequence[str]]) -> dict[int, Role]:
    """Subject, relation and object by position, where the words of the first row say all of them; else nothing."""
    roles = _Table(name, rows, Asked(), named=False).worded()
    return roles if set(_FACT) <= set(roles.values()) else {}


class _Table:
    def __init__(self, name: str, rows: Sequence[Sequence[str]], asked: Asked, *, named: bool) -> None:
        self._name = name
        self._asked = asked
        self._named = named or asked.header is Header.YES
        self._rows = Rows(rows)
        self._width = self._rows.width
        self._first = self._rows.first
        self._body = self._rows.body
        self._titles = self._rows.titles
        self._column = self._rows.column
        self._recurs = self._rows.recurs
        self._why: tuple[str, ...] = ()

    def plan(self) -> Plan:
        if self._width < 2:
            raise self._refused(
                "the table has one column",
                "A fact needs a subject, a relation and an object; name the sign between them: --option separator=…",
            )
        roles = {} if self._asked.header is Header.NO else self.worded()
        if self._asked.layout is Layout.WIDE:
            return self._wide(Evidence.NAMED)
        if self._asked.layout is Layout.FACTS or roles or self._asked.header is Header.NO:
            return self._facts(roles)
        if self._asked.layout is Layout.NODES or (self._asked.nodes_beside and self._has_nodes()):
            return self._nodes()
        evidence = Evidence.NAMED if self._named else self._rows.evidence()
        if self._width == 2:
            return self._pairs(evidence)
        if self._width == 3 or self._is_labelled():
            return self._three(evidence)
        if evidence:
            return self._wide(evidence)
        raise self._refused(
            f"nothing tells what its {self._width} columns hold",
            "Say it with --option columns=subject,relation,object (one word a column, - for one that is left out), or "
            "--option layout=wide where a row is a subject and the first row names the relations.",
        )

    def by_columns(self) -> Plan:
        """The plan where the user names the columns."""
        known = {role.value: role for role in (*_FACT, Role.SOURCE, Role.LABEL, Role.DIRECTION)}
        roles: dict[int, Role] = {}
        for position, word in enumerate(self._asked.columns):
            if word in {"-", "", "ignore"}:
                continue
            if word not in known or known[word] in roles.values():
                raise InvalidInput(
                    "this is not what a column can hold, or it stands twice",
                    field="options.columns",
                    value=word,
                    hint=f"Use each once: {', '.join(known)}, and - for a column that is left out.",
                )
            roles[position] = known[word]
        if len(self._asked.columns) > max(self._width, 1):
            raise InvalidInput(
                f"{self._name} has {self._width} columns",
                field="options.columns",
                value=",".join(self._asked.columns),
                hint="Name the columns from the left; another separator is set with --option separator=…",
            )
        return self._facts(roles)

    def worded(self) -> dict[int, Role]:
        """Roles of the columns by the words over them, where these are enough to be a header."""
        roles = self._by_roles()
        if not roles and (relation := self._rows.between()) is not None:
            self._why = (Evidence.BETWEEN,)
            ends = [n for n in range(self._width) if n != relation]
            roles = dict(sorted({ends[0]: Role.SUBJECT, relation: Role.RELATION, ends[1]: Role.OBJECT}.items()))
        return roles

    def _by_roles(self) -> dict[int, Role]:
        """Roles by words that name them."""
        roles, strong = worded_roles(self._titles)
        letters = [n for n in roles if self._titles[n].isascii() and len(self._titles[n]) == 1]
        if letters and len(letters) < len(_FACT):
            return {}  # single letters are a header as s, p, o or h, r, t only
        weak = [n for n, role in roles.items() if role not in strong]
        if not self._named and self._first not in self._body and any(map(self._recurs, weak)):
            return {}
        fact = [role for role in roles.values() if role in _FACT]
        ends = {Role.SUBJECT, Role.OBJECT} <= set(fact)
        certain = self._named or len(fact) == 3 or (ends and (strong or self._width == 2 or self._is_network()))
        certain = certain or (len(fact) == 2 and (bool(strong) or (self._width == 3 and Role.OBJECT in fact)))
        if not certain and Role.RELATION in strong and len(fact) == 1 and self._width == 3:
            certain = not self._recurs(next(n for n, role in roles.items() if role is Role.RELATION))
        if not certain or not fact or (self._named and not ends):
            return {}
        if Role.RELATION in fact or ends:
            return self._completed(roles)
        return {}

    def _completed(self, roles: dict[int, Role]) -> dict[int, Role]:
        """Ends that no word names are the first columns that are left, in the order subject, object."""
        for role in (Role.SUBJECT, Role.OBJECT):
            if role not in roles.values():
                left = next((n for n in range(self._width) if n not in roles and not self._labels(n)), None)
                if left is None:
                    return {}
                roles[left] = role
        roles = with_marks(roles, self._titles, self._column)
        for position, title in enumerate(self._titles):
            if position not in roles and title in OTHER[Role.SOURCE]:
                roles[position] = Role.SOURCE
        return dict(sorted(roles.items()))

    def _labels(self, position: int) -> bool:
        """Whether a column is by its heading and its texts one of labels."""
        return is_label(self._titles[position]) and mostly(self._column(position), truth_of)

    def _is_network(self) -> bool:
        return any(title in {"type", "weight", "id", "label", "directed"} for title in self._titles)

    def _facts(self, roles: dict[int, Role]) -> Plan:
        """A fact a row. Without words the order is subject, relation, object."""
        worded = bool(roles) and not self._asked.columns
        if not roles:
            roles = self._positions()
        held = set(roles.values())
        if not {Role.SUBJECT, Role.OBJECT} <= held:
            raise self._refused("a column of subjects or of objects is missing", "Name both in --option columns=…")
        if Role.RELATION not in held and not self._asked.relation and not worded:
            raise self._refused(
                "two columns do not say how their things are related", "Name it: --option relation=capital_of"
            )
        self._check_labels(roles)
        if self._asked.header is Header.AUTO and not worded:
            header = self._rows.evidence() if self._asked.columns else None
            words = bool(header) or bool(self._asked.columns and worded_roles(self._titles)[0])
            is_header = self._named or (words and not self._is_data(roles))
        else:
            is_header = worded or self._named
        return self._made(Layout.FACTS, roles, header=is_header and self._asked.header is not Header.NO, why=self._why)

    def _is_data(self, roles: Mapping[int, Role]) -> bool:
        """Whether the first row has a label where the others have theirs: it cannot name the columns."""
        labels = [n for n, role in roles.items() if role is Role.LABEL and truth_of(self._first[n]) is not None]
        return any(not self._heads(n) for n in labels)

    def _heads(self, position: int) -> bool:
        """Whether a word such as ``valid``, which may be a label, stands over others that say the same otherwise."""
        said = truth_of(self._first[position])
        same = any(truth_of(value) is said for value in self._column(position))
        return is_label(self._titles[position]) and same and not self._recurs(position)

    def _check_labels(self, roles: Mapping[int, Role]) -> None:
        """Refuse labels that cannot be read: a row that is labelled false must never become a fact."""
        found = [n for n, role in roles.items() if role is Role.LABEL]
        kept = [roles[n].value if n in roles and n not in found else "-" for n in range(self._width)]
        way_out = f"Leave the column out with --option columns={','.join(kept)}, or write label for the one that counts"
        if len(found) > 1:
            names = " and ".join(f"column {n + 1} {self._first[n]!r}" for n in found)
            raise self._refused(f"{names} both label rows as true or false", f"{way_out}.")
        for n in found:
            given = [value for value in self._column(n) if value]
            odd = [value for value in given if truth_of(value) is None]
            if 2 * len(odd) > len(given):
                said = ", ".join(dict.fromkeys(quote(value) for value in odd[:3]))
                what = f"column {n + 1} {self._first[n]!r} would label rows as true or false, and holds {said}"
                raise self._refused(what, f"{way_out}; labels are yes and no, true and false, 1 and 0.")

    def _positions(self) -> dict[int, Role]:
        if self._width == 2:
            return {0: Role.SUBJECT, 1: Role.OBJECT}
        roles: dict[int, Role] = dict(enumerate(_FACT))
        measured = [self._first[3]] if self._width >= 4 and is_literal(self._first[3]) else []
        if self._width >= 4 and mostly([*measured, *self._column(3)] or [self._first[3]], truth_of):
            roles[3] = Role.LABEL
        relation = self._rows.relation_column()
        if relation == 2 and self._width == 3:
            roles = {0: Role.SUBJECT, 1: Role.OBJECT, 2: Role.RELATION}
        elif relation == 0 and self._width == 3:
            ends = (Role.OBJECT, Role.SUBJECT) if self._rows.middle_is_measured() else (Role.SUBJECT, Role.OBJECT)
            roles = {0: Role.RELATION, 1: ends[0], 2: ends[1]}
        return roles

    def _pairs(self, evidence: Evidence | None) -> Plan:
        if evidence:
            return self._wide(evidence)
        if self._asked.relation:
            return self._facts({})
        raise self._refused(
            "two columns do not say how their things are related",
            "Name the relation (--option relation=capital_of), or, where the first row names the columns, say so with "
            "--option header=yes.",
        )

    def _three(self, evidence: Evidence | None) -> Plan:
        """Three columns without known words: facts, or a subject with two values."""
        rows = len(self._body) + 1
        middle = self._column(1)
        if self._width == 3 and (told := self._of_truths(evidence, middle)) is not None:
            return told
        if self._is_labelled() or self._rows.relation_like():
            named = self._width == 4 and is_label(self._titles[3])
            why = evidence or self._rows.relation_evidence()
            roles = self._positions()
            is_header = (bool(why) or named) and not self._is_data(roles)
            return self._made(Layout.FACTS, roles, header=is_header, why=(why,) if why and is_header else ())
        repeated = repeats(self._column(0), middle)
        linked = bool((set(self._column(0)) | {self._first[0]}) & (set(self._column(2)) | {self._first[2]}))
        doubled = len(set(self._column(0))) < len(self._body)
        if evidence is Evidence.NOUNS:
            return self._wide(evidence)
        if evidence:
            if not repeated and not (doubled or linked):
                return self._wide(evidence)
            if repeated and (doubled or linked):
                return self._made(Layout.FACTS, self._positions(), header=True, why=(evidence,))
            raise self._refused(
                "its three columns can be a subject, a relation and an object, or a subject with two values",
                "Say which: --option layout=facts or --option layout=wide.",
            )
        return self._unworded(rows, repeated=repeated, linked=linked, doubled=doubled)

    def _of_truths(self, evidence: Evidence | None, middle: Sequence[str]) -> Plan | None:
        """The plan where the second of three columns says yes and no, below a word that is then a heading."""
        headed = truth_of(self._first[1]) is None
        if not are_truths(middle if headed else [self._first[1], *middle]):
            return None
        if headed or self._named:
            return self._wide(evidence or Evidence.TRUTHS)
        raise self._refused("the second column says yes and no, which are no relations", _SAY_WHICH)

    def _unworded(self, rows: int, *, repeated: bool, linked: bool, doubled: bool) -> Plan:
        """Three columns where nothing says that the first row names them."""
        relation = self._rows.relation_column()
        if relation is None and self._rows.middle_is_measured():
            raise self._refused(
                "no column looks like a relation: the second holds numbers or dates",
                "Say what the columns are, from the left: --option columns=subject,object,relation (- for one that is "
                "left out), or layout=wide and header=yes where the first row names the relations.",
            )
        likely = relation is not None or linked or read_like_relations(self._first[1], self._column(1))
        likely = likely or (are_identifiers(self._column(0)) and are_identifiers(self._column(1)))
        all_rows = (self._first, *self._body)
        if rows >= _LEAST and not (likely or repeats([row[0] for row in all_rows], [row[1] for row in all_rows])):
            if look_like_headings(self._titles) and not any(map(self._recurs, range(self._width))):
                return self._wide(Evidence.HEADINGS)
            what = "no column looks like a relation: nearly every row has another text in the second"
            raise self._refused(what, _SAY_WHICH)
        if repeated or linked or doubled or rows < DOUBTFUL or relation is not None:
            # Nothing else tells an order where no relation is repeated: it is the usual one, and the report says so
            notes = (ASSUMED,) if relation is None and not repeated else ()
            return self._made(Layout.FACTS, self._positions(), header=False, why=notes)
        raise self._refused(
            f"no column looks like a relation: the second has another value in each of {rows} rows",
            "Say what a row is: --option layout=facts (subject, relation, object), or layout=wide (a subject, and a "
            "relation a column).",
        )

    def _wide(self, evidence: Evidence) -> Plan:
        if self._asked.header is Header.NO:
            raise self._refused("a table with a relation a column needs a header", "Leave out --option header=no.")
        if any(not title for n, title in enumerate(self._first) if any(self._column(n)) and n > 0):
            raise self._refused("a column without a name holds values", "Write the relation's name over it.")
        if len(set(filter(None, self._titles))) < len(list(filter(None, self._titles))):
            raise self._refused("a column stands twice in the header", "Give each column a name of its own.")
        if self._asked.layout is not Layout.WIDE and (label := next(filter(self._labels, range(self._width)), None)):
            raise self._refused(
                f"column {label + 1} {self._first[label]!r} labels rows as true or false, and no column is a relation",
                "Say --option columns=subject,object,label --option relation=…, or, where this is a relation too, "
                "--option layout=wide.",
            )
        roles: dict[int, Role] = {}
        columns = [n for n in range(self._width) if not self._is_index(n)]
        roles.update({n: Role.IGNORE for n in range(self._width) if n not in columns})
        if len(columns) < 2:
            raise self._refused(
                "the table has one column beside a running number", "A fact needs a subject and a value."
            )
        ids = [n for n in columns if self._titles[n] in OTHER[Role.ID]]
        subject = ids[0] if ids else columns[0]
        others = [n for n in columns if n != subject]
        name = self._name_of(subject, others, lose=True) if len(others) > 1 else None
        roles[columns[0] if name is None else subject] = Role.SUBJECT
        if name is not None:
            roles[name] = Role.NAME
        return self._made(Layout.WIDE, dict(sorted(roles.items())), header=True, why=(evidence, *self._why))

    def _name_of(self, ids: int, free: Sequence[int], *, lose: bool) -> int | None:
        """The column with the names of things whose ids stand in another one; a guess is noted, and that none is."""
        asked = self._asked.name_column
        if asked == NO_NAMES:
            return None
        if asked and (said := asked_column(self._rows, asked)) in free:
            return said
        titled = titled_names(self._rows, free)
        if not self._rows.holds_ids(ids):
            return titled[0] if titled and self._titles[ids] in OTHER[Role.ID] else None
        found = name_column(self._rows, ids, free, lose=lose)
        if found not in titled:
            self._why = (*self._why, NAMED_BY_IDS if found is None else NAMES_GUESSED)
        return found

    def _node_ids(self) -> int | None:
        """The column of ids of a table of nodes: one that is called so, else, of two, one whose codes edges name."""
        found = next((n for n, title in enumerate(self._titles) if title in OTHER[Role.ID]), None)
        if found is not None or self._width != 2 or not (self._named or self._rows.evidence()):
            return found
        ends = self._asked.ends
        coded = [n for n in range(2) if self._titles[n] and (self._is_index(n) or self._rows.holds_ids(n))]
        return next((n for n in coded if ends is None or not ends.isdisjoint(self._column(n))), None)

    def _has_nodes(self) -> bool:
        """Whether rows are nodes: ids and names or types; of names that no list knows, when nothing else is there."""
        ids = self._node_ids()
        if ids is None:
            return False
        if any(title in OTHER[Role.NAME] or title in OTHER[Role.TYPE] for title in self._titles):
            return True
        others = [n for n in range(self._width) if n != ids and any(self._column(n))]
        told = self._rows.holds_ids(ids) and len(others) == 1
        return told and name_column(self._rows, ids, others, lose=False) is not None

    def _nodes(self) -> Plan:
        roles: dict[int, Role] = {}
        ids = self._node_ids()
        if ids is not None:
            roles[ids] = Role.ID
        for role in (Role.TYPE, Role.ALIASES, Role.DOMAIN):
            for word in OTHER[role]:
                if word in self._titles and self._titles.index(word) not in roles:
                    roles[self._titles.index(word)] = role
                    break
        if ids is None:
            raise self._refused("a table of nodes needs a column id", "Write id over the column that edges name.")
        free = [n for n in range(self._width) if n not in roles]
        if free and (name := self._name_of(ids, free, lose=False)) is not None:
            roles[name] = Role.NAME
        return self._made(Layout.NODES, roles, header=True, why=self._why)

    def _made(self, layout: Layout, roles: dict[int, Role], *, header: bool, why: tuple[str, ...] = ()) -> Plan:
        return Plan(layout=layout, header=tuple(self._first) if header else (), roles=roles, width=self._width, why=why)

    def _is_index(self, position: int) -> bool:
        """Whether a column only numbers the rows."""
        if self._titles[position] not in INDEX:
            return False
        values = self._column(position)
        return all(value.isdecimal() for value in values) and len(set(values)) == len(values)

    def _is_labelled(self) -> bool:
        if self._width != 4 or not mostly(self._column(3) or [self._first[3]], truth_of):
            return False
        return truth_of(self._first[3]) is not None or is_label(self._titles[3])

    def _refused(self, what: str, way_out: str) -> InvalidInput:
        return InvalidInput(f"{self._name}: {what}", field="files", value=self._name, hint=way_out)
