"""{"what", "texts", "language"} -> {"found": [a text's each]}: the process that reads for the platform.

python -m local.comprehend.answering.main PORT
"""

import logging
import sys

from local.aws.answering import serve
from local.comprehend.answering.reader import Reader


def main() -> None:
    """Entry point."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    reader = Reader()
    serve(lambda question: {"found": reader.read(**question)}, int(sys.argv[1]))


if __name__ == "__main__":
    main()
