"""Champion, challenger, newest labels, guard set -> evaluation.json: what the pipeline's gate compares with limits.

    python -m models.sentiment.gate

Reads /opt/ml/processing/{champion,challenger}/<one archive> and evaluate/, writes evaluation/evaluation.json. Both
classify the same posts. Nothing is decided here: the limits are the pipeline's.
"""

import argparse
import hashlib
import logging
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cuatro.adapters.classifier import TOKENIZER
from cuatro.errors import ModelMismatch
from functions.sentiment.features import VERSION
from models.container import paths, processing
from models.sentiment import guard
from models.sentiment.comparison import figures, lower_gain, worst_loss
from models.sentiment.contender import TIMED, Contender, seconds
from models.sentiment.dataset import Side, side_of

log = logging.getLogger(__name__)

FEATURE_SET = hashlib.sha256(VERSION.encode()).hexdigest()[:12]
UNUSABLE = {
    "macro_recall": -1.0,
    "lower": -1.0,
    "guard_loss": 1.0,
    "worst_slice": 1.0,
    "ece": 1.0,
    "unsure": 1.0,
    "latency_ratio": 1e6,
}
"""The gain of a challenger that cannot classify at all: no limit lets it pass."""
BRANDS = 20
"""Brands with the most labels that are looked at each by itself."""


class Posts:
    """All that both models are asked: labelled posts, then the guard set, then recent ones. truth: of the first two."""

    def __init__(self, side: Side) -> None:
        kept = guard.posts()
        self.texts = [*side.labelled["text"], *(post.text for post in kept), *side.recent["text"]]
        self.labelled, self.known = len(side.labelled), len(side.labelled) + len(kept)
        self.truth = np.array([*side.labelled["label"], *(post.label for post in kept)], np.int64)
        self.languages = np.array([*side.labelled["language"], *(f"{post.language or 'und'}" for post in kept)])
        self.brands = side.labelled["brand"].to_numpy()
        counts = side.labelled["brand"].value_counts()
        self.largest = sorted(counts.index[:BRANDS])

    def groups(self) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        """Languages of the labelled and of the guard set, brands: name, which of the posts with a truth."""
        guarded = np.arange(self.known) >= self.labelled
        for name, side in (("", ~guarded), ("guard set, ", guarded)):
            for language in sorted(set(self.languages[side])):
                yield f"{name}language {language}", side & (self.languages == language)
        for brand in self.largest:
            rows = np.zeros(self.known, np.bool_)
            rows[: self.labelled] = self.brands == brand
            yield f"brand {brand}", rows


def evaluated(champion: Contender, challenger: Contender, posts: Posts) -> dict[str, Any]:
    """evaluation.json of two models. Raises ModelMismatch."""
    said = champion.says(posts.texts), challenger.says(posts.texts)
    if why := challenger.why_unusable(said[1], champion.files[TOKENIZER]):
        return refused(champion, challenger, why)
    took = seconds(posts.texts, champion, challenger)
    told = {
        name: _told(contender, given, posts) | {"ms_per_post": best / min(len(posts.texts), TIMED) * 1000}
        for name, contender, given, best in (
            ("champion", champion, said[0], took[0]),
            ("challenger", challenger, said[1], took[1]),
        )
    }
    before, after = told["champion"], told["challenger"]
    p = [given[: posts.known] for given in said]
    newest = slice(posts.labelled)
    by_slice, worst, where = worst_loss(posts.groups(), posts.truth, *p)
    gain = {
        "macro_recall": after["macro_recall"] - before["macro_recall"],
        "lower": lower_gain(posts.truth[newest], p[0][newest], p[1][newest]),
        "guard_loss": before["guard_macro_recall"] - after["guard_macro_recall"],
        "worst_slice": worst,
        "ece": after["guard_ece"] - before["guard_ece"],
        "unsure": after["unsure"] - before["unsure"],
        "latency_ratio": took[1] / took[0],
    }
    moved = said[0].argmax(axis=1) != said[1].argmax(axis=1)
    kept, recent = moved[posts.labelled : posts.known], moved[posts.known :]
    after["feature_set"] = FEATURE_SET
    return {
        **told,
        "gain": gain,
        "slices": by_slice,
        "sane": 1,
        "rows": {"labelled": posts.labelled, "guard": len(kept), "recent": len(recent)},
        # Posts that would be in another class: the shadow phase has a limit for it, on what is written then.
        "moved": {"guard": _share(kept), "recent": _share(recent)},
        "summary": _summary(champion, told, gain, where),
    }


def refused(champion: Contender, challenger: Contender | None, why: str) -> dict[str, Any]:
    """evaluation.json of a challenger that no limit lets pass."""
    version, sha256 = (challenger.version, challenger.sha256) if challenger else ("unknown", "")
    return {
        "champion": {"version": champion.version},
        "challenger": {"version": version, "sha256": sha256},
        "gain": UNUSABLE,
        "slices": {},
        "sane": 0,
        "summary": f"the challenger cannot be used: {why}",
    }


def _told(contender: Contender, p: NDArray[np.float32], posts: Posts) -> dict[str, Any]:
    """Figures of one model. unsure: of the recent posts, or of the guard set where there are none."""
    newest = figures(posts.truth[: posts.labelled], p[: posts.labelled])
    kept = figures(posts.truth[posts.labelled :], p[posts.labelled : posts.known])
    seen = p[posts.known :] if len(p) > posts.known else p[posts.labelled :]
    return {
        "version": contender.version,
        **newest._asdict(),
        **{f"guard_{name}": value for name, value in kept._asdict().items()},
        "unsure": _share(seen.max(axis=1) < contender.unsure_below),
        "sha256": contender.sha256,
    }


def _share(rows: NDArray[np.bool_]) -> float:
    return float(rows.mean()) if len(rows) else 0.0


def _summary(champion: Contender, told: dict[str, Any], gain: dict[str, float], where: str) -> str:
    before, after = told["champion"], told["challenger"]
    worst = f"largest loss {gain['worst_slice']:.3f} ({where})" if where else "no group of posts loses"
    return (
        f"macro recall {after['macro_recall']:.3f} against {before['macro_recall']:.3f} of {champion.version} "
        f"({gain['macro_recall']:+.3f}, with 95 % certainty {gain['lower']:+.3f} or more), guard set "
        f"{after['guard_macro_recall']:.3f} against {before['guard_macro_recall']:.3f}, calibration error "
        f"{gain['ece']:+.3f}, unsure of {gain['unsure']:+.1%}, {gain['latency_ratio']:.1f} times its time, {worst}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: the exit status."""
    argparse.ArgumentParser(
        prog="python -m models.sentiment.gate",
        description=str(__doc__),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args(arguments)

    def work() -> None:
        base = paths.resolved("/opt/ml/processing")
        posts = Posts(side_of(base / "evaluate"))
        try:
            champion = Contender.of(base / "champion")
            champion.says(posts.texts[:1])
        except ModelMismatch as error:
            raise ValueError(f"the champion cannot be compared with: {error}") from error
        try:
            found = evaluated(champion, Contender.of(base / "challenger"), posts)
        except ModelMismatch as error:
            found = refused(champion, None, str(error))
        processing.write(base / "evaluation" / "evaluation.json", found)
        log.info("%s", found["summary"])

    return processing.run(work)


if __name__ == "__main__":
    sys.exit(main())
