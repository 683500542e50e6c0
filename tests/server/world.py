"""A small world for service tests: countries, capitals, continents and metals, with traits and templates."""

from __future__ import annotations

from knowledgesmith.v1 import graph_pb2

COUNTRIES = {
    "France": ("Paris", "Europe"),
    "Italy": ("Rome", "Europe"),
    "Spain": ("Madrid", "Europe"),
    "Austria": ("Vienna", "Europe"),
    "Norway": ("Oslo", "Europe"),
    "Japan": ("Tokyo", "Asia"),
    "China": ("Beijing", "Asia"),
    "Nepal": ("Kathmandu", "Asia"),
    "Peru": ("Lima", "South America"),
    "Chile": ("Santiago", "South America"),
    "Egypt": ("Cairo", "Africa"),
    "Kenya": ("Nairobi", "Africa"),
}
METALS = {"copper": "Cu", "iron": "Fe", "gold": "Au", "silver": "Ag", "tin": "Sn", "lead": "Pb"}


def uid(name: str) -> str:
    """Uid of an entity by its name."""
    return name.lower().replace(" ", "_")


def entities() -> str:
    """``entities.csv``."""
    rows = ["uid,name,type,domain,aliases", "earth,Earth,Planet,geography,"]
    rows += [f"{uid(c)},{c},Continent,geography," for c in sorted({c for _, c in COUNTRIES.values()})]
    for country, (capital, _) in COUNTRIES.items():
        rows += [f"{uid(country)},{country},Country,geography,", f"{uid(capital)},{capital},City,geography,"]
    for metal, symbol in METALS.items():
        rows += [f"{metal},{metal},Element,physics,", f"sym_{symbol.lower()},{symbol},Symbol,physics,"]
    rows += ["springfield_a,Springfield,City,geography,", "springfield_b,Springfield,City,geography,"]
    return "\n".join(rows) + "\n"


def relations() -> str:
    """``relations.csv``."""
    return (
        "name,rel_type,domain_type,range_type,functional,inverse_functional,symmetric,transitive,hierarchical,inverse_of,composed_of\n"
        "has_capital,HAS_CAPITAL,Country,City,true,true,false,false,false,capital_of,\n"
        "capital_of,CAPITAL_OF,City,Country,true,true,false,false,false,has_capital,\n"
        "on_continent,ON_CONTINENT,Country,Continent,true,false,false,false,true,,\n"
        "part_of_planet,PART_OF_PLANET,Continent,Planet,true,false,false,false,true,,\n"
        "has_symbol,HAS_SYMBOL,Element,Symbol,true,true,false,false,false,,\n"
    )


def facts() -> str:
    """``facts.csv``."""
    rows = ["subject,relation,object"]
    for country, (capital, continent) in COUNTRIES.items():
        rows += [f"{uid(country)},has_capital,{uid(capital)}", f"{uid(country)},on_continent,{uid(continent)}"]
    rows += [f"{uid(c)},part_of_planet,earth" for c in sorted({c for _, c in COUNTRIES.values()})]
    rows += [f"{metal},has_symbol,sym_{symbol.lower()}" for metal, symbol in METALS.items()]
    return "\n".join(rows) + "\n"


def templates() -> str:
    """``templates.csv``."""
    rows = ["relation,direction,split,form,text"]
    words = {
        "has_capital": ("capital", "city"),
        "capital_of": ("country", "state"),
        "on_continent": ("continent", "part of the world"),
        "has_symbol": ("chemical symbol", "symbol"),
    }
    for relation, (noun, other) in words.items():
        preposition = "whose capital is" if relation == "capital_of" else "of"
        rows += [
            f"{relation},forward,train,cloze,The {noun} {preposition} {{s}} is",
            f"{relation},forward,train,cloze,We know that the {noun} {preposition} {{s}} is",
            f"{relation},forward,eval,cloze,In short: the {noun} {preposition} {{s}} is",
            f"{relation},forward,eval,cloze,As the {other} {preposition} {{s}} one names",
            f"{relation},reverse,train,cloze,{{o}} is the {noun} that belongs to",
            f"{relation},reverse,eval,cloze,{{o}} is known as the {noun} of",
            f"{relation},forward,train,statement,The {noun} {preposition} {{s}} is {{o}}.",
            f"{relation},forward,eval,statement,Everybody calls {{o}} the {noun} {preposition} {{s}}.",
            f"{relation},forward,eval,phrase,the {noun} {preposition} {{s}}",
            f"{relation},forward,eval,question,Which is the {noun} {preposition} {{s}}?",
        ]
    return "\n".join(rows) + "\n"


def upload(
    graph_id: str, overrides: dict[str, bytes] | None = None, *, validate_only: bool = False
) -> list[graph_pb2.ImportGraphRequest]:
    """The messages of an import; ``overrides`` replaces whole files by role name."""
    files = {
        "ENTITIES": entities().encode(),
        "RELATIONS": relations().encode(),
        "FACTS": facts().encode(),
        "TEMPLATES": templates().encode(),
        **(overrides or {}),
    }
    header = graph_pb2.ImportHeader(graph_id=graph_id, source="test world", validate_only=validate_only, strict=True)
    messages = [graph_pb2.ImportGraphRequest(header=header)]
    for role, content in files.items():
        for start in range(0, len(content), 1 << 20):
            chunk = graph_pb2.FileChunk(
                role=graph_pb2.FileRole.Value(f"FILE_ROLE_{role}"),
                name=f"{role.lower()}.csv",
                content=content[start : start + (1 << 20)],
            )
            messages.append(graph_pb2.ImportGraphRequest(chunk=chunk))
    return messages
