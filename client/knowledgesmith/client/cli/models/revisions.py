"""``ksmith rollback`` and ``ksmith export``."""

from __future__ import annotations

import click
from rich.console import Group

from knowledgesmith.client._types.enums import ExportFormat
from knowledgesmith.client.cli.shared.operations import finish, waiting
from knowledgesmith.client.cli.shared.output import short
from knowledgesmith.client.cli.shared.session import Session, choose_branch, common

_FORMATS = {"hf": ExportFormat.HF_CHECKPOINT, "peft": ExportFormat.PEFT_ADAPTER}


@click.command(help="Take a branch back to its parent revision, bit by bit.")
@click.option("--branch", envvar="KSMITH_BRANCH", metavar="ID", help="Branch; default: the only one.")
@click.option("--expect", default="", metavar="REVISION", help="Refuse unless this is the head.")
@waiting
@common
def rollback(session: Session, *, branch: str | None, expect: str, wait: bool) -> None:
    """Move the head back and show that the weights' digest is the parent's."""
    with session.connect() as smith:
        branch_id = choose_branch(smith, branch)
        done = finish(
            session,
            lambda: smith.branches.rollback(branch_id=branch_id, expected_revision_id=expect, wait=False),
            wait=wait,
        )
    verdict = "equal, bit by bit" if done.exact else "NOT EQUAL"
    digests = f"in memory {short(done.weights_sha256)}, of the revision {short(done.head.weights_sha256)}: {verdict}"
    if not done.weights_sha256:
        digests = "compared when the revision is used: the worker is starting, or has another model in memory"
    lines = (f"branch {done.branch.id}: head is {short(done.head.id)} again", f"weights {digests}")
    session.emit(done, lambda: Group(*lines))


@click.command(help="Write a revision as a checkpoint or an adapter.")
@click.argument("name")
@click.option("--branch", envvar="KSMITH_BRANCH", metavar="ID", help="Branch; default: the only one.")
@click.option("--revision", default="", metavar="ID", help="Revision; default: the head.")
@click.option("--format", "form", type=click.Choice(list(_FORMATS)), default="hf", show_default=True)
@waiting
@common
def export(session: Session, *, name: str, branch: str | None, revision: str, form: str, wait: bool) -> None:
    """Write a revision to the folder NAME of the server's export directory."""
    with session.connect() as smith:
        branch_id = choose_branch(smith, branch)
        done = finish(
            session,
            lambda: smith.branches.export(
                branch_id=branch_id, name=name, revision_id=revision, format=_FORMATS[form], wait=False
            ),
            wait=wait,
        )
    session.emit(done, lambda: f"{done.directory} ({done.bytes / 1e6:,.1f} MB)")
