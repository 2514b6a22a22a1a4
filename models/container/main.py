"""The image's entry point, by SageMaker's contract: `train` writes a model and ends, `serve` answers until it is ended.

    python -m models.container.main train|serve

CUATRO_MODEL names the pipeline whose model is trained or served. Logs go to standard output.
"""

import logging
import sys
from collections.abc import Sequence

USAGE = "usage: python -m models.container.main train|serve"


def main(arguments: Sequence[str]) -> int:
    """The exit status: 0 done, 1 failed, 2 called wrongly."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s")
    # Each imports what it needs: a server starts in half the time without the training packages.
    if list(arguments) == ["train"]:
        from models.container.training import train  # noqa: PLC0415

        return train()
    if list(arguments) == ["serve"]:
        from models.container.serving import serve  # noqa: PLC0415

        return serve()
    print(USAGE, file=sys.stderr)  # noqa: T201 - the command's answer
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
