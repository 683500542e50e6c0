"""What the user writes about the graph's structure: a move, a new entity, a deleted node."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from knowledgesmith.client._types.enums import Goal
from knowledgesmith.client._types.facts import DeleteNode, InsertEntity, MoveSubtree, StructuralChange

F = TypeVar("F", bound=Callable[..., Any])
_OF: Final = {"under": "move", "from_parent": "move", "subtree": "delete_node"}
_OF_NEW: Final = ("entity_name", "entity_type", "entity_domain", "parents")


def structural_options(function: F) -> F:
    """Add the options of structural changes; the command gets them with the other ``**asked``."""
    options = (
        click.option("--move", metavar="ENTITY", help="Edit: move this entity and all below it; needs --under."),
        click.option("--under", metavar="PARENT", help="The new parent of --move."),
        click.option("--from", "from_parent", metavar="PARENT", help="The old parent, where --move has several."),
        click.option("--insert-entity", metavar="UID", help="Edit: a new entity in the branch's world."),
        click.option("--name", "entity_name", metavar="TEXT", help="Name of the new entity."),
        click.option("--type", "entity_type", default="", metavar="TYPE", help="Type of the new entity."),
        click.option("--domain", "entity_domain", default="", metavar="DOMAIN", help="Domain of the new entity."),
        click.option("--parent", "parents", multiple=True, metavar="PARENT", help="Its parent; may be repeated."),
        click.option("--by", default="", metavar="RELATION", help="The hierarchical relation, where not clear."),
        click.option("--delete-node", metavar="ENTITY", help="Unlearn: erase all facts of this entity."),
        click.option("--subtree", is_flag=True, help="With --delete-node: also those of everything below it."),
    )
    return functools.reduce(lambda made, option: option(made), reversed(options), function)


def read_structural(goal: Goal, asked: dict[str, Any]) -> tuple[StructuralChange, ...]:
    """The structural changes of a command's options.

    Raises:
        click.UsageError: options that belong together are not together, or they do not fit the goal.
    """
    _check(goal, asked)
    found: list[StructuralChange] = []
    if asked["insert_entity"]:
        found.append(
            InsertEntity(
                uid=asked["insert_entity"],
                name=asked["entity_name"],
                type=asked["entity_type"],
                domain=asked["entity_domain"],
                parents=tuple(asked["parents"]),
                relation=asked["by"],
            )
        )
    if asked["move"]:
        old = asked["from_parent"] or ""
        move = MoveSubtree(entity=asked["move"], new_parent=asked["under"], old_parent=old, relation=asked["by"])
        found.append(move)
    if asked["delete_node"]:
        found.append(DeleteNode(entity=asked["delete_node"], subtree=asked["subtree"]))
    return tuple(found)


def _check(goal: Goal, asked: dict[str, Any]) -> None:
    edits = bool(asked["move"] or asked["insert_entity"])
    if edits and goal is not Goal.EDIT:
        raise click.UsageError("--move and --insert-entity are edits; leave out --unlearn, or use `ksmith edit`.")
    if asked["delete_node"] and goal is not Goal.UNLEARN:
        raise click.UsageError("--delete-node erases: use `ksmith unlearn`, or `ksmith plan --unlearn`.")
    if asked["move"] and not asked["under"]:
        raise click.UsageError("--move needs --under PARENT.")
    if asked["insert_entity"] and not asked["entity_name"]:
        raise click.UsageError("--insert-entity needs --name TEXT.")
    for option, owner in _OF.items():
        if asked[option] and not asked[owner]:
            raise click.UsageError(f"--{option.split('_')[0]} belongs to --{owner.replace('_', '-')}.")
    if not asked["insert_entity"] and any(asked[option] for option in _OF_NEW):
        raise click.UsageError("--name, --type, --domain and --parent belong to --insert-entity.")
