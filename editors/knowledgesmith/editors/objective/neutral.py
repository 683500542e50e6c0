"""Neutral target distributions: what the model would say if it did not know the fact (specs: graph-neutral target).

- ``NEUTRAL_GRAPH``: the mean of the model's own distributions over sibling subjects, the old object's share capped at
  that of the other candidates. It is the relation's prior, not zero: zero would betray the secret.
- ``NEUTRAL_MASK``: the same with the subject masked; also used for a fact that has no sibling prompts.
- ``UNIFORM``: all candidates alike.

Objects have several tokens, so q is a trie: the first token's distribution and, along some candidates, the next ones.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from knowledgesmith.editors.objective.divergence import Targets
from knowledgesmith.editors.objective.passes import answer_logits
from knowledgesmith.editors.objective.rows import Row, answer_batch, buckets, join
from knowledgesmith.editors.requests import FactUpdate, Prompt
from knowledgesmith.graph_schema.types.interventions import TargetDistribution

if TYPE_CHECKING:
    from knowledgesmith.editors.models.loaded import LoadedModel

MASKS = ("[MASK]", "something", "this one")
"""Stand-ins for a masked subject; their distributions are averaged."""

_STEMS = 8
_ROWS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftAnswer:
    """One path through the trie: teacher-forced tokens, q at each of them, and the path's weight.

    Attributes:
        answer: token ids of a candidate object.
        targets: shape (len(answer), K).
        weight: share of the path; the weights of a fact sum to 1.
    """

    answer: tuple[int, ...]
    targets: Targets
    weight: float


@torch.no_grad()
def neutral_answers(
    loaded: LoadedModel,
    updates: Sequence[FactUpdate],
    *,
    distribution: TargetDistribution,
    paths: int = 4,
    k: int = 64,
) -> list[list[SoftAnswer]]:
    """The trie of each update, as at most ``paths`` weighted paths (the old object's is among them).

    Args:
        loaded: the model before the update.
        updates: facts to unlearn.
        distribution: ``NEUTRAL_GRAPH``, ``NEUTRAL_MASK`` or ``UNIFORM``.
        paths: candidates that are followed beyond their first token.
        k: listed tokens of each distribution.
    """
    stems = [_stems(update, distribution) for update in updates]
    options = [_options(loaded, update) for update in updates]
    if distribution is TargetDistribution.UNIFORM:
        return [_uniform(tries, paths) for tries in options]
    roots = _mean_distributions(loaded, {(own, ()) for own in stems})
    tries: list[list[SoftAnswer]] = []
    chosen = [_likeliest(option, roots[own, ()], paths) for own, option in zip(stems, options, strict=True)]
    deep = {
        (own, path[:depth])
        for own, picked in zip(stems, chosen, strict=True)
        for path in picked
        for depth in range(1, len(path))
    }
    inner = _mean_distributions(loaded, deep)
    for own, option, picked in zip(stems, options, chosen, strict=True):
        nodes: dict[tuple[int, ...], Tensor] = {(): roots[own, ()]}
        nodes.update({path[:d]: inner[own, path[:d]] for path in picked for d in range(1, len(path))})
        nodes = {prefix: _capped(q, option, prefix) for prefix, q in nodes.items()}
        tries.append(_paths(picked, nodes, k))
    return tries


def _stems(update: FactUpdate, distribution: TargetDistribution) -> tuple[str, ...]:
    # the request gives siblings as they were drawn, kin last: any other order would favour some
    siblings = tuple(dict.fromkeys(prompt.text for prompt in update.neutral_prompts))[:_STEMS]
    if distribution is TargetDistribution.NEUTRAL_GRAPH and siblings:
        return siblings
    return tuple(_masked(update.prompts[0], mask) for mask in MASKS)


def _masked(prompt: Prompt, mask: str) -> str:
    return f"{prompt.text[: prompt.start]}{mask}{prompt.text[prompt.end :]}"


def _options(loaded: LoadedModel, update: FactUpdate) -> list[tuple[int, ...]]:
    """Token ids of the candidates, the old object first."""
    names = [update.old, *sorted(set(update.candidates) - {update.old})]
    return [join(loaded.tokenizer, prompt=update.prompts[0].text, answer=name).answer for name in names]


def _mean_distributions(
    loaded: LoadedModel, wanted: Collection[tuple[tuple[str, ...], tuple[int, ...]]]
) -> dict[tuple[tuple[str, ...], tuple[int, ...]], Tensor]:
    """Mean over stems of p(next token | stem, tokens so far) for each (stems, tokens so far). shape: (V,)."""
    single = sorted({(stem, prefix) for stems, prefix in wanted for stem in stems})
    # the token after the prefix is irrelevant: only the distribution that predicts it is read
    rows = [
        Row(prompt=(*join(loaded.tokenizer, prompt=stem, answer="x").prompt, *prefix), answer=(0,))
        for stem, prefix in single
    ]
    users: dict[tuple[str, tuple[int, ...]], list[tuple[tuple[str, ...], tuple[int, ...]]]] = {}
    for stems, prefix in sorted(wanted):
        for stem in stems:
            users.setdefault((stem, prefix), []).append((stems, prefix))
    # summed as they come: a distribution for each stem and prefix would not fit beside a large vocabulary
    means: dict[tuple[tuple[str, ...], tuple[int, ...]], Tensor] = {}
    for chosen in buckets(rows, size=_ROWS):
        batch = answer_batch([rows[i] for i in chosen], device=loaded.device)
        for i, probs in zip(chosen, answer_logits(loaded.model, batch).softmax(-1).cpu(), strict=True):
            for key in users[single[i]]:
                share = probs / len(key[0])
                means[key] = means[key] + share if key in means else share
    return means


def _likeliest(options: Sequence[tuple[int, ...]], root: Tensor, paths: int) -> list[tuple[int, ...]]:
    """The old object and the candidates whose first token is most likely at the root."""
    others = sorted(options[1:], key=lambda tokens: (-float(root[tokens[0]]), tokens))
    return list(dict.fromkeys([options[0], *others]))[:paths]


def _capped(q: Tensor, options: Sequence[tuple[int, ...]], prefix: tuple[int, ...]) -> Tensor:
    """Hold the old object's next token at the mean share of the other candidates' next tokens, and renormalise."""
    depth = len(prefix)
    following = [tokens[depth] for tokens in options[1:] if len(tokens) > depth and tokens[:depth] == prefix]
    old = options[0]
    if len(old) <= depth or old[:depth] != prefix or not following or old[depth] in following:
        return q
    cap = q[sorted(set(following))].mean()
    capped = q.clone()
    capped[old[depth]] = torch.minimum(q[old[depth]], cap)
    return capped / capped.sum()


def _paths(picked: Sequence[tuple[int, ...]], nodes: dict[tuple[int, ...], Tensor], k: int) -> list[SoftAnswer]:
    shares = torch.stack(
        [torch.stack([nodes[path[:d]][path[d]] for d in range(len(path))]).prod() for path in picked]
    ).clamp_min(1e-6)
    answers: list[SoftAnswer] = []
    for path, share in zip(picked, (shares / shares.sum()).tolist(), strict=True):
        q = torch.stack([nodes[path[:d]] for d in range(len(path))])
        probs, tokens = q.topk(min(k, q.shape[1]), dim=-1)
        answers.append(SoftAnswer(answer=path, targets=Targets(tokens=tokens, probs=probs), weight=share))
    return answers


def _uniform(options: Sequence[tuple[int, ...]], paths: int) -> list[SoftAnswer]:
    """Every candidate alike; followed beyond the root: the old one and others at equal distances."""
    distinct = list(dict.fromkeys(options))
    stride = max(1, len(distinct) // paths)
    picked = distinct[::stride][:paths]
    answers: list[SoftAnswer] = []
    for path in picked:
        parts: list[Targets] = []
        for depth in range(len(path)):
            following = [t[depth] for t in distinct if len(t) > depth and t[:depth] == path[:depth]]
            tokens = sorted(set(following))
            counts = torch.tensor([float(following.count(token)) for token in tokens])
            parts.append(Targets(tokens=torch.tensor([tokens]), probs=(counts / counts.sum())[None]))
        answers.append(SoftAnswer(answer=path, targets=Targets.join(parts), weight=1 / len(picked)))
    return answers
