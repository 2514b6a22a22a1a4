"""Champion, challenger, cases of the newest days -> evaluation.json: what the pipeline's gate compares with limits.

    python -m models.recommendations.gate

Reads /opt/ml/processing/{champion,challenger}/<one archive> and evaluate/, writes evaluation/evaluation.json. Both rank
for the same people in the same moments. Nothing is decided here: the limits are the pipeline's.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from cuatro.errors import ModelMismatch
from functions.recommendations.features import FEATURES
from models.container import paths, processing
from models.recommendations.cases import COLUMNS
from models.recommendations.contender import TIMED, Case, Contender, read, seconds
from models.recommendations.lists import Measured, lower_gain, measured, slices

log = logging.getLogger(__name__)

FEATURE_SET = sha256("\n".join(FEATURES).encode()).hexdigest()[:12]
UNUSABLE = {
    "ndcg_10": -1.0,
    "lower": -1.0,
    "coverage_ratio": 0.0,
    "popularity_ratio": 1e6,
    "latency_ratio": 1e6,
    "worst_slice": 1.0,
}
"""The gain of a challenger that cannot rank at all: no limit lets it pass."""
MOST = 1e3
"""Where a champion shows nothing of this shop, ratios to it end here: they must stay numbers."""


def evaluated(
    champion: Contender, challenger: Contender, cases: Sequence[Case], popularity: dict[str, int]
) -> dict[str, Any]:
    """evaluation.json of two models. popularity: rows of each item in training. Raises ModelMismatch."""
    lists = challenger.lists(cases)
    if why := challenger.why_unusable(cases, lists, popularity):
        return refused(champion, challenger, why)
    before, after = (measured(cases, shown, popularity) for shown in (champion.lists(cases), lists))
    took = seconds(cases, champion, challenger)
    by_slice, worst, where = slices(cases, before, after, popularity)
    gain = {
        "ndcg_10": after.figures["ndcg_10"] - before.figures["ndcg_10"],
        "lower": lower_gain(before, after),
        "coverage_ratio": _ratio(after.figures["coverage_10"], before.figures["coverage_10"]),
        # Below 1 (what people take themselves) is no virtue: a champion that shows what nobody wants sets no limit.
        "popularity_ratio": after.figures["popularity_bias_10"] / max(before.figures["popularity_bias_10"], 1.0),
        "latency_ratio": took[1] / took[0],
        "worst_slice": worst,
    }
    told = {
        name: {
            "version": contender.version,
            **found.figures,
            "known": contender.known(popularity),
            "ms_per_list": best / min(len(cases), TIMED) * 1000,
            "sha256": contender.sha256,
        }
        for name, contender, found, best in (
            ("champion", champion, before, took[0]),
            ("challenger", challenger, after, took[1]),
        )
    }
    told["challenger"]["feature_set"] = FEATURE_SET
    return {
        **told,
        "gain": gain,
        "slices": by_slice,
        "sane": 1,
        "rows": len(cases),
        "users": before.users,
        "summary": _summary(champion, before, after, gain, where),
    }


def refused(champion: Contender, challenger: Contender | None, why: str) -> dict[str, Any]:
    """evaluation.json of a challenger that no limit lets pass."""
    version, digest = (challenger.version, challenger.sha256) if challenger else ("unknown", "")
    return {
        "champion": {"version": champion.version},
        "challenger": {"version": version, "sha256": digest},
        "gain": UNUSABLE,
        "slices": {},
        "sane": 0,
        "summary": f"the challenger cannot be used: {why}",
    }


def _ratio(after: float, before: float) -> float:
    return min(after / before, MOST) if before else MOST


def _summary(champion: Contender, before: Measured, after: Measured, gain: dict[str, float], where: str) -> str:
    worst = f"largest loss {gain['worst_slice']:.3f} ({where})" if where else "no group of cases loses"
    return (
        f"NDCG@10 {after.figures['ndcg_10']:.3f} against {before.figures['ndcg_10']:.3f} of {champion.version} "
        f"({gain['ndcg_10']:+.3f}, with 95 % certainty {gain['lower']:+.3f} or more), hit rate "
        f"{after.figures['recall_10']:.3f} against {before.figures['recall_10']:.3f}, "
        f"{gain['coverage_ratio']:.1f} times its items, {gain['popularity_ratio']:.1f} times its popularity bias, "
        f"{gain['latency_ratio']:.1f} times its time, {worst}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: the exit status."""
    argparse.ArgumentParser(
        prog="python -m models.recommendations.gate",
        description=str(__doc__),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args(arguments)

    def work() -> None:
        base = paths.resolved("/opt/ml/processing")
        cases, popularity = inputs(base / "evaluate")
        try:
            champion = Contender(base / "champion")
            champion.lists(cases[:1])
        except ModelMismatch as error:
            raise ValueError(f"the champion cannot be compared with: {error}") from error
        try:
            found = evaluated(champion, Contender(base / "challenger"), cases, popularity)
        except ModelMismatch as error:
            found = refused(champion, None, str(error))
        processing.write(base / "evaluation" / "evaluation.json", found)
        log.info("%s", found["summary"])

    return processing.run(work)


def inputs(directory: Path) -> tuple[list[Case], dict[str, int]]:
    tables = []
    for name, columns in (("cases", COLUMNS), ("popularity", ("item", "rows"))):
        path = directory / f"{name}.parquet"
        if not path.is_file():
            raise ValueError(f"no {name}.parquet in {directory}: python -m models.recommendations.dataset makes it")
        table = pd.read_parquet(path)
        if missing := [column for column in columns if column not in table]:
            raise ValueError(f"{path} was made by other code: columns missing: {', '.join(missing)}")
        tables.append(table)
    cases, popularity = tables
    return read(cases), dict(zip(popularity["item"], map(int, popularity["rows"]), strict=True))


if __name__ == "__main__":
    sys.exit(main())
