"""The lake's interactions -> what models.recommendations.dataset makes, and its training rows in recordIO-protobuf.

    python -m models.recommendations.factorization.dataset --lake s3://BUCKET/recommendations|DIR [--seed 7] [...]

One output more, rows: what the built-in Factorization Machines train on. summary.json tells under `factorization` how
wide the rows are (feature_dim), how many there are, and with which fade and seed they were made.
"""

import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace

from models.container import paths, processing
from models.recommendations.data import histories
from models.recommendations.dataset import asked, options
from models.recommendations.factorization import recordio
from models.recommendations.factorization.encoding import FADE, encoded

log = logging.getLogger(__name__)

ROWS = "rows.pbr"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: the exit status."""
    parser = options("models.recommendations.factorization.dataset", __doc__)
    parser.add_argument("--seed", type=int, default=7, help="of the items that were not taken")
    parser.add_argument("--fade", type=float, default=FADE, help="recency: weight (1 + newer items) ** -fade")
    given = parser.parse_args(arguments)

    def work() -> None:
        base, built = paths.resolved("/opt/ml/processing"), asked(given)
        rows, labels = encoded(histories(built.train.assign(timed=True)), given.fade, given.seed)
        path = base / "rows" / ROWS
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            recordio.write(file, rows, labels)
        told = {"feature_dim": rows.shape[1], "rows": len(labels), "fade": given.fade, "seed": given.seed}
        whole = replace(built, summary={**built.summary, "factorization": told})
        whole.write(base)
        log.info("%s", json.dumps(whole.summary))

    return processing.run(work)


if __name__ == "__main__":
    sys.exit(main())
