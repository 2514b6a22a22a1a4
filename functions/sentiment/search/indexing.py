"""Posts with their rows' keys -> the search domain; what it does not take for now is told, what it never takes logged.

The template goes first, once a process, so that a domain that was made anew reads times and classes as what they are.
"""

from collections.abc import Sequence
from functools import cache

import msgspec
from aws_lambda_powertools import Logger

from cuatro.adapters.search import Document, quoted, search
from cuatro.errors import Unavailable
from cuatro.posts import Scored
from functions.sentiment.search.documents import document, index_of
from functions.sentiment.search.template import NAME, TEMPLATE

logger = Logger()


def index(endpoint: str, posts: Sequence[tuple[str, Scored]]) -> set[int]:
    """Positions of (row's key, post) that were not taken for now. Each document replaces the one under its key.

    Raises Refused when the domain takes nothing from this role.
    """
    if not posts:
        return set()
    try:
        prepare(endpoint)
    except Unavailable as error:
        logger.warning("search is away", error=str(error), posts=len(posts))
        return set(range(len(posts)))
    documents = [Document(index_of(scored), key, msgspec.json.encode(document(key, scored))) for key, scored in posts]
    indexed = search(endpoint).index(documents)
    if indexed.refused:  # by the mapping: again would be refused again; the lake has the post
        place, why = next(iter(indexed.refused.items()))
        logger.error("search refused posts", posts=len(indexed.refused), post=posts[place][0], why=why)
    return indexed.later


@cache
def prepare(endpoint: str) -> None:
    """Puts the template. Raises Unavailable, Refused."""
    search(endpoint).call("PUT", f"/_index_template/{quoted(NAME)}", TEMPLATE)
