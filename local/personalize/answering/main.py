"""A question -> a list: the process behind a campaign.

python -m local.personalize.answering.main SPEC PORT     # SPEC: JSON with `model` and `files`
"""

import json
import logging
import sys
from pathlib import Path
from typing import Any

from local.aws.answering import Refused, serve
from local.personalize.answering.lists import Lists
from local.personalize.expressions import ExpressionError


def main() -> None:
    """Entry point."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    spec = json.loads(Path(sys.argv[1]).read_bytes())
    files = {kind: [Path(path) for path in paths] for kind, paths in spec["files"].items()}
    lists = Lists(Path(spec["model"]), files)

    def answer(question: Any) -> dict[str, Any]:
        try:
            return {"items": lists.answer(question)}
        except ExpressionError as error:
            raise Refused(f"Filter expression is invalid: {error}.") from error

    serve(answer, int(sys.argv[2]))


if __name__ == "__main__":
    main()
