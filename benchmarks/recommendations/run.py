"""The recommendations pipeline in a process of its own: figures as JSON to the file that is named.

    .venv/bin/python -m benchmarks.recommendations.run FILE ROUNDS

The pipelines' functions share names of variables, so each pipeline has its own process. benchmarks.run calls this.
"""

import contextlib
import json
import sys
from pathlib import Path

from benchmarks.environment import ROOT, WORK, account, enter, quiet
from benchmarks.recommendations import alone, api, peer, recording
from benchmarks.recommendations.workload import TABLES, simulated

MODEL = ROOT / "models" / "recommendations" / "model.onnx"
ALS = WORK / "recommendations-als.npz"


def environment() -> dict[str, str]:
    """Variables for all handlers, as a deployment would set them."""
    return {
        **account("recommendations"),
        **TABLES,
        "REJECTED_BUCKET": "rejected",
        "STREAM_NAME": "interactions",
        "MODEL_URI": str(MODEL),
        "SHADOW_MODEL_URI": "",
        "ALS_MODEL_PATH": str(ALS),
        "POLICY": "{}",
        "MAX_AGE_DAYS": "3650",
    }


def main() -> None:
    """Command line."""
    found, rounds = Path(sys.argv[1]), int(sys.argv[2])
    enter(environment())
    workload = simulated()
    peer.als(workload.rows, peer.names(), ALS)
    lengths = sorted(len(each.entries) for each in workload.profiles.values())
    with quiet() as sink, contextlib.redirect_stdout(sink):
        measured = {
            "items": len(workload.catalogue),
            "rows": len(workload.rows),
            "users": int(workload.rows.user_id.nunique()),
            "profile": lengths[len(lengths) // 2],
            "rounds": rounds,
            "alone": alone.measure(workload, MODEL, WORK, rounds),
            "api": api.measure(workload, rounds),
            "record": recording.measure(workload, rounds),
        }
    found.write_text(json.dumps(measured))


if __name__ == "__main__":
    main()
