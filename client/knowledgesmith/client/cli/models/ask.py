"""``ksmith ask``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from knowledgesmith.client._sync.client import KnowledgeSmith
from knowledgesmith.client._types.models import Answers
from knowledgesmith.client.cli.shared.numbers import Whole
from knowledgesmith.client.cli.shared.output import table
from knowledgesmith.client.cli.shared.session import Session, choose_branch, common


@click.command(help="Let a branch's model continue prompts, now and before.")
@click.argument("prompts", nargs=-1, required=True)
@click.option("--branch", envvar="KSMITH_BRANCH", metavar="ID", help="Branch; default: the only one.")
@click.option("--revision", default="", metavar="ID", help="Revision; default: the head; 'base' = the base model.")
@click.option("--before", is_flag=True, help="Also ask the base model, and the head's parent, beside the head.")
@click.option("--max-new-tokens", type=Whole(1, 256), default=16, show_default=True)
@common
def ask(
    session: Session,
    *,
    prompts: tuple[str, ...],
    branch: str | None,
    revision: str,
    before: bool,
    max_new_tokens: int,
) -> None:
    """Generate greedily; one row a prompt, one column a revision."""
    if before and revision:
        raise click.UsageError("--before compares with the head; leave out --revision.")
    with session.connect() as smith:
        chosen = choose_branch(smith, branch)
        revisions = stages(smith, chosen) if before else {revision or "head": revision}
        answers = {
            name: smith.branches.ask(
                branch_id=chosen, prompts=prompts, revision_id=wanted, max_new_tokens=max_new_tokens
            )
            for name, wanted in revisions.items()
        }
    session.emit(
        {name: {"revision": answer.revision_id, "texts": answer.texts} for name, answer in answers.items()},
        lambda: table(("prompt", *answers), rows(prompts, list(answers.values()))),
    )


def stages(smith: KnowledgeSmith, branch_id: str) -> dict[str, str]:
    """The base, the head's parent where it is another revision than the base, and the head."""
    line = smith.branches.revisions(branch_id=branch_id)
    parent = {"parent": line[1].id} if len(line) > 2 else {}
    return {"base": "base", **parent, "head": ""}


def rows(prompts: Sequence[str], answers: Sequence[Answers]) -> list[tuple[str, ...]]:
    """One row a prompt: the prompt, then every revision's text on one line."""
    texts = (answer.texts for answer in answers)
    return [(prompt, *(text.strip() for text in given)) for prompt, *given in zip(prompts, *texts, strict=True)]
