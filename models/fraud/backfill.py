"""Past transactions with their labels -> the lake that the suite would have written, and the states that it would hold.

    python -m models.fraud.backfill --transactions FILE.parquet|simulated --out DIR

Features are replayed by the code that serves, scored by a model (the shipped one) and decided by its thresholds. So a
bank that has a history need not wait for months until its own lake can train a model.
"""

import argparse
import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cuatro.adapters.model import OnnxModel
from cuatro.events import Outcome
from functions.fraud import lake
from functions.fraud.decide import Policy, decide
from functions.fraud.features import FEATURE_SET, FEATURES
from functions.fraud.history import History
from models.fraud import data
from models.fraud.simulator import Simulation, simulate

SHIPPED = Path(__file__).parent / "model.onnx"
COUNT_1H = FEATURES.index("card_count_1h")


class Backfill(NamedTuple):
    """Lines of the lake in order of time, and the histories of cards and terminals, as of `until`."""

    decisions: list[lake.DecisionRecorded]
    labels: list[lake.LabelRecorded]
    cards: dict[str, History]
    terminals: dict[str, History]

    def files(self) -> Iterator[tuple[str, bytes]]:
        """(key below the lake's prefix, gzipped JSON lines): one file a day.

        Decisions by when they were made, labels by when they became known.
        """
        for kind, lines, when in (
            ("decisions", self.decisions, lambda line: line.decided_at),
            ("labels", self.labels, lambda line: line.time),
        ):
            days: dict[str, list[bytes]] = {}
            for line in lines:
                days.setdefault(f"{when(line):%Y-%m-%d}", []).append(lake.encode(line))
            for day, encoded in sorted(days.items()):
                content = gzip.compress(b"\n".join(encoded) + b"\n", compresslevel=6, mtime=0)
                yield f"{kind}/dt={day}/backfill.jsonl.gz", content


def backfill(
    transactions: pd.DataFrame,
    *,
    model: Path = SHIPPED,
    until: pd.Timestamp | None = None,
    prefix: str = "",
    delay_days: float = 7,
) -> Backfill:
    """Everything before `until` (default: the end of the table), with the labels that are known by then.

    transactions: the columns of models/fraud/README.md. prefix: goes before the ids of transactions, cards and
    terminals. delay_days: when labels become known if there is no LABEL_TIME. Amounts are in the base currency.
    Raises ValueError for missing columns and for a table without rows before `until`.
    """
    prepared = data.prepare(transactions)
    for column in ("TRANSACTION_ID", "CUSTOMER_ID", "TERMINAL_ID"):
        prepared[column] = prefix + prepared[column].astype(str)
    known = data.known_at(prepared, delay_days)
    end = int(prepared["time"].max()) + 1 if until is None else _seconds(until)
    replayed = data.replayed(prepared, known, end)
    if not len(replayed.rows):
        raise ValueError(f"no transactions before {_time(end):%Y-%m-%d %H:%M}: nothing to fill the lake with")
    before = prepared["time"].to_numpy() < end
    prepared, known = prepared[before], known[before]
    scorer = OnnxModel(model, FEATURES)
    return Backfill(
        _decisions(prepared, replayed.rows, scorer),
        _labels(prepared, known, end),
        replayed.cards,
        replayed.terminals,
    )


def _decisions(transactions: pd.DataFrame, rows: NDArray[np.float32], model: OnnxModel) -> list[lake.DecisionRecorded]:
    policy = Policy()
    limits = policy.thresholds(model.thresholds)
    scores, counts = model.score(rows).tolist(), rows[:, COUNT_1H].tolist()
    decided = []
    for at, each in enumerate(transactions.itertuples(index=False)):
        outcome: Outcome
        outcome, rules = decide(policy, limits, scores[at], each.amount, counts[at], False)
        decided.append(
            lake.DecisionRecorded(
                transaction_id=each.TRANSACTION_ID,
                card_id=each.CUSTOMER_ID,
                terminal_id=each.TERMINAL_ID,
                merchant_id=None,
                amount=each.amount,
                currency=policy.base_currency,
                time=_time(each.time),
                channel="stream",
                outcome=outcome,
                score=scores[at],
                rules=rules,
                model_version=model.version,
                features=rows[at].astype("<f4").tobytes(),
                feature_set=FEATURE_SET,
                decided_at=_time(each.time),
                latency_ms=0,
                correlation_id=each.TRANSACTION_ID,
            )
        )
    return decided


def _labels(transactions: pd.DataFrame, known: NDArray[np.int64], end: int) -> list[lake.LabelRecorded]:
    """What is known by the end. Without LABEL_TIME a genuine purchase has none: no news is good news."""
    fraud = transactions["TX_FRAUD"].to_numpy() == 1
    told = (known <= end) & (fraud | ("LABEL_TIME" in transactions))
    order = np.flatnonzero(told)[np.argsort(known[told], kind="stable")]
    ids, times = transactions["TRANSACTION_ID"].to_numpy(), transactions["time"].to_numpy()
    return [
        lake.LabelRecorded(
            transaction_id=ids[at],
            fraud=bool(fraud[at]),
            transaction_time=_time(times[at]),
            time=_time(known[at]),
            source="chargeback" if fraud[at] else "analyst",
        )
        for at in order
    ]


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def _seconds(moment: pd.Timestamp) -> int:
    """Without a zone it is UTC."""
    return int((moment if moment.tzinfo else moment.tz_localize("UTC")).timestamp())


def main() -> None:
    """Command line: write the lake's files below --out."""
    parser = argparse.ArgumentParser(prog="python -m models.fraud.backfill", description=str(__doc__).split("\n")[0])
    parser.add_argument("--transactions", required=True, metavar="FILE.parquet|simulated")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--model", type=Path, default=SHIPPED, metavar="FILE.onnx")
    parser.add_argument("--until", type=pd.Timestamp, help="leave out what comes later (default: nothing)")
    parser.add_argument("--days", type=int, default=60, help="days to simulate")
    parser.add_argument("--customers", type=int, default=300, help="cards to simulate")
    given = parser.parse_args()
    try:
        if given.transactions == "simulated":
            start = pd.Timestamp.now("UTC").floor("D") - pd.Timedelta(days=given.days)
            what = Simulation(given.days, given.customers, given.customers, start=f"{start:%Y-%m-%d}")
            transactions = simulate(what)
        else:
            transactions = data.read(Path(given.transactions))
        filled = backfill(transactions, model=given.model, until=given.until)
    except (OSError, ValueError) as error:
        parser.error(f"{given.transactions}: {error}")
    for key, content in filled.files():
        path = given.out / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    days = len({f"{line.decided_at:%Y-%m-%d}" for line in filled.decisions})
    print(  # noqa: T201 - the command's answer
        f"{len(filled.decisions):,} decisions and {len(filled.labels):,} labels of {days} days -> "
        f"{given.out / 'decisions'}, {given.out / 'labels'}"
    )


if __name__ == "__main__":
    main()
