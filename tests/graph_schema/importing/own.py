"""Facts that nobody else has, in three scripts, and ways to read files that a person might have made of them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from knowledgesmith.graph_schema.importing.pipeline import stage_files
from knowledgesmith.graph_schema.importing.reading.findings import FindingCount
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.types.facts import Traits

Fact = tuple[str, str, str]
_TEXTS = {
    "english": (
        ("Ardel Quint", "Bela Storr", "Cato Venn", "Dora Pym", "Edo Marsh"),
        ("Lower Tarn", "Port Ombry", "Velmouth", "Greyholt", "Isle of Sarn"),
        ("works as", "lives in", "born_in", "likes"),
        ("smith", "baker", "pilot", "nurse", "judge"),
    ),
    "chinese": (
        ("林若川", "周远山", "陈小白", "赵北辰", "吴青石"),
        ("云溪镇", "白沙港", "青岭", "石桥村", "南湖市"),
        ("职业", "居住在", "出生于", "喜欢"),
        ("铁匠", "面包师", "飞行员", "护士", "法官"),
    ),
    "arabic": (
        ("سالم الحداد", "ليلى النجار", "كريم البحري", "هند الصباغ", "يوسف العطار"),
        ("وادي النور", "مرسى الرمل", "تل الزيتون", "قرية الجسر", "مدينة السدر"),
        ("مهنته", "يسكن في", "ولد في", "يحب"),
        ("حداد", "خباز", "طيار", "ممرض", "قاضي"),
    ),
}
HEADERS = {
    "english": ("subject", "relation", "object"),
    "chinese": ("主体", "关系", "客体"),
    "arabic": ("الموضوع", "العلاقة", "المفعول"),
}


def invented(language: str, number: int) -> list[Fact]:
    """That many facts, all different: people with a place, a trade and whom they like."""
    people, places, (works, lives, born, likes), trades = _TEXTS[language]
    names = people if number <= 20 else [f"{name} {i}" for i in range(1, 6) for name in people]
    found: list[Fact] = []
    for i, name in enumerate(names):
        found.append((name, works, trades[i % 5]))
        found.append((name, lives, places[(2 * i) % 5]))
        found.append((name, born, places[(3 * i + 1) % 5]))
        found.append((name, likes, names[(i + 1) % len(names)]))
    return found[:number]


def written(facts: list[Fact], separator: str, header: tuple[str, ...] = (), end: str = "\n") -> str:
    """The facts as separated text."""
    return "".join(separator.join(row) + end for row in ([header] if header else []) + list(facts))


@dataclass(frozen=True, kw_only=True)
class Read:
    """What files became: facts by name, and what the report says."""

    facts: list[Fact]
    entities: dict[str, str]
    types: dict[str, str]
    reasons: list[str]
    findings: tuple[FindingCount, ...]
    format: str
    traits: dict[str, Traits]

    @property
    def symmetric(self) -> set[str]:
        return {name for name, traits in self.traits.items() if traits.symmetric}

    def said(self, kind: str) -> str:
        """All texts of a kind of finding."""
        return " | ".join(
            f"{f.place}: {f.text}" for found in self.findings if found.kind == kind for f in found.examples
        )

    def number(self, kind: str) -> int:
        return sum(found.count for found in self.findings if found.kind == kind)


def read_files(files: Mapping[str, bytes | str], format_name: str = "", **options: Any) -> Read:
    """Stage files as ``ksmith import FILES`` does, without a database."""
    given = [
        InputFile(name=name, content=io.BytesIO(content.encode() if isinstance(content, str) else content))
        for name, content in files.items()
    ]
    reasons: list[str] = []
    with stage_files(
        given,
        source="",
        format=format_name,
        options=options,
        strict=False,
        folder=None,
        progress=lambda _stage, _done: None,
        on_rejection=lambda rejection: reasons.append(f"{rejection.place}: {rejection.reason}"),
    ) as (staging, importer):
        rows = staging.database.execute(
            "SELECT s.name, r.name, o.name FROM fact f JOIN entity s ON s.id = f.subject "
            "JOIN relation r ON r.id = f.relation JOIN entity o ON o.id = f.object"
        ).fetchall()
        entities = staging.database.execute("SELECT uid, name, type FROM entity").fetchall()
        return Read(
            facts=sorted(rows),
            entities={uid: name for uid, name, _ in entities},
            types={name: kind for _, name, kind in entities},
            reasons=reasons,
            findings=staging.findings.report(),
            format=importer.name,
            traits={relation.name: relation.traits for relation in staging.relations.values()},
        )
