"""The classifier in torch: embeddings in 4 bits that stay as they are, BERT's first layers, their mean, two more.

A plain post-norm BERT (Devlin et al. 2019) as multilingual-e5-small is (Wang et al. 2024), without its upper layers.
"""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from models.sentiment.encoder import Encoder


class Layer(nn.Module):
    """Self-attention and feed-forward, each with its residual and norm: [n, t, hidden] -> the same."""

    def __init__(self, hidden: int, heads: int, inner: int, epsilon: float, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.qkv = nn.Linear(hidden, 3 * hidden)
        self.ao = nn.Linear(hidden, hidden)
        self.aln = nn.LayerNorm(hidden, eps=epsilon)
        self.fi = nn.Linear(hidden, inner)
        self.fo = nn.Linear(inner, hidden)
        self.oln = nn.LayerNorm(hidden, eps=epsilon)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """mask: bool [n, 1, 1, t], True for tokens; None: all are."""
        n, t, hidden = x.shape
        q, k, v = self.qkv(x).view(n, t, 3, self.heads, hidden // self.heads).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        seen = self.ao(seen.transpose(1, 2).reshape(n, t, hidden))
        x = self.aln(x + functional.dropout(seen, self.dropout, self.training))
        grown = self.fo(functional.gelu(self.fi(x)))
        return self.oln(x + functional.dropout(grown, self.dropout, self.training))


class Network(nn.Module):
    """Token ids -> logits [n, 3] and embedding [n, hidden], the input of the last linear layer."""

    def __init__(self, encoder: Encoder, words: NDArray[np.float32], layers: int, dropout: float = 0.1) -> None:
        """words: [pieces, hidden], see vocabulary.rows."""
        super().__init__()
        given, size = encoder.tensors, encoder.hidden
        self.dropout = dropout
        self.words = nn.Parameter(torch.from_numpy(words), requires_grad=False)
        self.positions = nn.Parameter(
            torch.from_numpy(given["emb.pos"].reshape(-1, size)[:128] + given["emb.type"][:size]), requires_grad=False
        )
        self.norm = nn.LayerNorm(size, eps=encoder.epsilon)
        self.layers = nn.ModuleList(
            Layer(size, encoder.heads, encoder.inner, encoder.epsilon, dropout) for _ in range(layers)
        )
        self.dense = nn.Linear(size, size)
        self.head = nn.Linear(size, 3)
        nn.init.eye_(self.dense.weight)
        nn.init.zeros_(self.dense.bias)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)
        _fill(self.norm, given, "emb.ln")
        for place, layer in enumerate(self.layers):
            for part in ("ao", "aln", "fi", "fo", "oln"):
                _fill(getattr(layer, part), given, f"l{place}.{part}")
            for kind in ("w", "b"):
                joined = np.concatenate([given[f"l{place}.{part}.{kind}"] for part in "qkv"])
                _set(layer.qkv.weight if kind == "w" else layer.qkv.bias, joined)

    def embedded(self, ids: Tensor) -> Tensor:
        """Ids [n, t] -> [n, t, hidden]."""
        return self.norm(self.words[ids] + self.positions[: ids.shape[1]])

    def lower(self, ids: Tensor, mask: Tensor, until: int) -> Tensor:
        """Hidden states after `until` layers: what does not change while these are frozen."""
        x, seen = self.embedded(ids), _wide(mask)
        for layer in self.layers[:until]:
            x = layer(x, seen)
        return x

    def upper(self, x: Tensor, mask: Tensor, since: int) -> tuple[Tensor, Tensor]:
        """Hidden states after `since` layers -> logits and embedding."""
        seen = _wide(mask)
        for layer in self.layers[since:]:
            x = layer(x, seen)
        weight = mask.to(x.dtype).unsqueeze(2)
        pooled = (x * weight).sum(1) / weight.sum(1)
        embedding = torch.tanh(self.dense(functional.dropout(pooled, self.dropout, self.training)))
        return self.head(functional.dropout(embedding, self.dropout, self.training)), embedding

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """As upper."""
        return self.upper(self.lower(ids, mask, 0), mask, 0)


def _wide(mask: Tensor) -> Tensor | None:
    return None if bool(mask.all()) else mask.bool()[:, None, None, :]


def _fill(module: nn.Module, given: Mapping[str, NDArray[np.float32]], name: str) -> None:
    _set(module.weight, given[f"{name}.w"])
    _set(module.bias, given[f"{name}.b"])


def _set(parameter: nn.Parameter, values: NDArray[np.float32]) -> None:
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(values)).view_as(parameter))
