"""Every number that a command takes has a range, which its help and its error name; nothing beyond it is sent."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from knowledgesmith.client.cli import main
from knowledgesmith.client.cli.interventions.facts import read_config, read_gate
from knowledgesmith.client.cli.shared.numbers import Share, Whole


def _options(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Option]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from _options(child, (*path, name))
        return
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            yield path, parameter


NUMBERS = [
    (path, option)
    for path, option in _options(main)
    if isinstance(option.type, (click.types.IntParamType, click.types.FloatParamType, Whole, Share))
]


def test_there_are_numbers_and_none_is_without_a_range() -> None:
    assert len(NUMBERS) > 25
    assert [(path, option.name) for path, option in NUMBERS if not isinstance(option.type, (Whole, Share))] == []


@pytest.mark.parametrize(
    ("path", "option"), NUMBERS, ids=lambda item: " ".join(item) if isinstance(item, tuple) else ""
)
def test_the_range_stands_in_help_and_error(path: tuple[str, ...], option: click.Option) -> None:
    words = option.type.words if isinstance(option.type, (Whole, Share)) else "?"
    run = CliRunner()
    assert words in " ".join(run.invoke(main, [*path, "--help"]).output.split())
    beyond = ["-1", "nan", "1e400", "x", str(2**70)]
    for value in beyond:
        result = run.invoke(main, [*path, option.opts[0], value])
        assert result.exit_code == 2
        said = " ".join(result.output.split())
        assert words in said
        assert option.opts[0] in said
        assert "Error:" in said
        assert "ValueError" not in said


@pytest.mark.parametrize("pair", ["steps=1e400", "rate=NaN", "rates=[1, Infinity]", 'deep={"a": -1e999}'])
def test_configuration_is_finite(pair: str) -> None:
    with pytest.raises(click.BadParameter, match="finite"):
        read_config([pair])
    assert read_config(["steps=3", "rate=0.5", "name=NaN values"]) == {"steps": 3, "rate": 0.5, "name": "NaN values"}


@pytest.mark.parametrize("gate", ["collateral<=1e", "collateral<=5", "collateral<=-1", "perplexity_ratio<=1e9", "x<=1"])
def test_gates_say_their_range(gate: str) -> None:
    with pytest.raises(click.BadParameter, match="from 0 to 1"):
        read_gate(gate)
    assert read_gate("perplexity_ratio<=1.5").max == 1.5
