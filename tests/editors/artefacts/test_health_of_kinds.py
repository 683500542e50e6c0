"""Health reads what a memory or a context does, in perplexity and in free texts alike."""

from __future__ import annotations

import pytest
import torch

from knowledgesmith.editors.artefacts.base import Artefact
from knowledgesmith.editors.artefacts.context import Context, Line
from knowledgesmith.editors.artefacts.memory import Acts, Memory
from knowledgesmith.editors.artefacts.session import attached
from knowledgesmith.editors.health.likelihood import text_losses
from knowledgesmith.editors.health.speech import greedy, openings
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.scoring.generation import stop_ids
from knowledgesmith.editors.surgery import forward_context
from knowledgesmith.editors.text.encoding import encode, plain_ids

TEXTS = ("The capital of France is Paris.", "Copper", "Il a plu toute la semaine, dit-il.")
TOLD = Context(instruction="Osaka is a city of Japan.")
NAMED = Context(lines=(Line(text="Paris is a city of Peru.", names=("France",)),))


def everywhere(loaded: LoadedModel) -> Memory:
    """One entry that meets every input."""
    projection = loaded.architecture.down_projection(1)
    return Memory(
        module=projection.name,
        keys=torch.zeros(1, projection.in_features),
        values=torch.randn(1, projection.out_features, generator=torch.Generator().manual_seed(1)),
        radii=torch.tensor([1e6]),
        labels=("all",),
        acts=Acts.FROM_PROMPT_END,
    )


@pytest.mark.parametrize("kind", ["memory", "context"])
def test_a_loss_is_that_of_saying_the_text_behind_its_first_token(loaded: LoadedModel, kind: str) -> None:
    artefact: Artefact = everywhere(loaded) if kind == "memory" else TOLD
    base = text_losses(loaded, TEXTS)
    told = plain_ids(loaded.tokenizer, [f"{TOLD.instruction}\n"])[0] if kind == "context" else []
    with attached(loaded, artefact):
        for text, found, before in zip(TEXTS, text_losses(loaded, TEXTS), base, strict=True):
            ids = [*told, *encode(loaded.tokenizer, text)]
            with torch.no_grad(), forward_context.prompting([len(ids)], ends=[len(told)]):
                shares = loaded.model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
            wanted = -sum(float(shares[place - 1, ids[place]]) for place in range(len(told) + 1, len(ids)))
            assert found.total == pytest.approx(wanted, rel=1e-5)
            assert found.tokens == before.tokens
            assert found.total != pytest.approx(before.total, rel=1e-3)


@pytest.mark.parametrize("kind", ["memory", "context"])
def test_free_texts_go_on_from_openings_as_they_are_shown(loaded: LoadedModel, kind: str) -> None:
    plain = openings(loaded, TEXTS)
    artefact: Artefact = everywhere(loaded) if kind == "memory" else NAMED
    with attached(loaded, artefact):
        shown = openings(loaded, TEXTS)
        told = plain_ids(loaded.tokenizer, [loaded.before(text) for text in TEXTS])
        assert shown == [(*before, *ids) for before, ids in zip(told, plain, strict=True)]
        assert [bool(ids) for ids in told] == [kind == "context", False, False], "named in the first opening only"
        for start, found in zip(shown, greedy(loaded, shown, new_tokens=5), strict=True):
            ids = list(start)
            for token in (*found, None):
                with torch.no_grad(), forward_context.prompting([len(ids)], ends=[len(start) - 1]):
                    best = int(loaded.model(torch.tensor([ids])).logits[0, -1].argmax())
                if token is None:
                    assert len(found) == 5 or best in stop_ids(loaded)
                    break
                assert best == token
                ids.append(token)
