"""GET /studies and what is below (QIDO-RS, PS3.18 10.6): attributes -> the sender's studies that have results.

DynamoDB holds pseudonyms only, so what is asked for is compared with the results themselves, newest studies first.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from cuatro.adapters import blobs
from cuatro.adapters.attributes import Item
from cuatro.adapters.dynamodb import Keys
from cuatro.errors import Rejected, Unavailable
from functions.imaging.api.access import Caller
from functions.imaging.dicomjson import Json, matches, tag_of
from functions.imaging.progress import Result
from functions.imaging.results import HEADER_BYTES, metadata, of_instance, of_series, of_study, results
from functions.imaging.studies import BY_SENDER

DEFAULT_LIMIT, MAX_LIMIT = 25, 100
MAX_SEARCHED = 500
"""Studies that one query looks at; whoever has more gives a StudyInstanceUID."""
_PAGE, _PARALLEL = 100, 8
_STUDY = "0020000D"
_MODALITIES = "00080061"
_CONTROL = {"includefield", "fuzzymatching", "limit", "offset"}

Query = Mapping[str, Sequence[str]]


class Found(NamedTuple):
    """warnings: for the header of that name (RFC 9111's 299, as PS3.18 8.3.4 wants it)."""

    datasets: list[Json]
    warnings: list[str]


class _Wanted(NamedTuple):
    filters: dict[str, str]
    limit: int
    offset: int
    warnings: list[str]


def studies(query: Query, of: Caller) -> Found:
    """Studies with results. Raises Rejected, Unavailable."""
    wanted = _wanted(query)
    needed = wanted.offset + wanted.limit
    found: list[Json] = []
    searched = 0
    for rows in _pages(wanted.filters.get(_STUDY), of):
        searched += len(rows)
        with_results = [row for row in rows if results(row)]
        with ThreadPoolExecutor(_PARALLEL) as threads:
            described = list(threads.map(lambda row: _described(row, of), with_results))
        if None in described:
            wanted.warnings.append("results of a study could not be read")
        found += [each for each in described if each and _fits(each, wanted.filters)]
        if len(found) >= needed:
            break
        if searched >= MAX_SEARCHED:
            wanted.warnings.append(f"only the newest {searched} studies were searched")
            break
    return Found(found[wanted.offset : needed], wanted.warnings)


def series(study: Item, query: Query, of: Caller) -> Found:
    """Series of a study's results. Raises Rejected, Unavailable."""
    wanted = _wanted(query)
    among = results(study)
    one_each = list({result.series: result for result in reversed(among)}.values())[::-1]
    return _listed([of_series(each, among, of.base_url) for each in opened(one_each, of)], wanted)


def instances(study: Item, in_series: str | None, query: Query, of: Caller) -> Found:
    """Instances of a study's results, or of one of its series. Raises Rejected, Unavailable."""
    wanted = _wanted(query)
    among = [result for result in results(study) if in_series in {None, result.series}]
    return _listed([of_instance(each, of.base_url) for each in opened(among, of)], wanted)


def opened(among: Sequence[Result], of: Caller) -> list[Json]:
    """Their metadata, in order. Raises Unavailable."""
    with ThreadPoolExecutor(_PARALLEL) as threads:
        return list(threads.map(lambda result: _metadata(result, of), among))


def _described(row: Item, of: Caller) -> Json | None:
    """None for a study whose results are damaged: the others are found all the same."""
    among = results(row)
    kinds = {"SR" if each.kind == "sr" else "OT" for each in among}
    content = _first(among[0], of)
    try:
        return of_study(metadata(content or b""), among, kinds, of.base_url)
    except Unavailable:
        return None


def _metadata(result: Result, of: Caller) -> Json:
    content = _first(result, of)
    if content is None:
        raise Unavailable("a result is not in its place")
    return metadata(content)


def _first(result: Result, of: Caller) -> bytes | None:
    return blobs.fetch(of.setting.identified_bucket, result.key, HEADER_BYTES, HEADER_BYTES)


def _pages(uids: str | None, of: Caller) -> Iterator[list[Item]]:
    """Rows of the sender's studies."""
    table = of.setting.studies_table
    if uids is not None:
        wanted = [of.pseudonyms.study(each) for each in uids.replace("\\", ",").split(",")[:MAX_LIMIT]]
        found = of.dynamo.read({table: Keys("study", list(dict.fromkeys(wanted)))})[table]
        if found.unread:
            raise Unavailable("studies could not be read")
        yield [row for row in found.items.values() if row["o"] == of.sender]
        return
    start: Item | None = None
    while True:
        page = of.dynamo.query(table, BY_SENDER, {"o": of.sender}, _PAGE, start)
        yield page.items
        start = page.start
        if not start:
            return


def _wanted(query: Query) -> _Wanted:
    warnings = []
    filters: dict[str, str] = {}
    for name, values in query.items():
        if name.lower() in _CONTROL:
            continue
        tag = tag_of(name)
        if tag is None:
            raise Rejected("is no attribute: a keyword or eight hexadecimal digits", "query", "invalid_value")
        filters[tag] = ",".join(values)
    if query.get("fuzzymatching", ["false"])[-1].lower() == "true":
        warnings.append("fuzzy matching is not done: names are matched as they are")
    return _Wanted(
        filters, _number(query, "limit", DEFAULT_LIMIT, MAX_LIMIT), _number(query, "offset", 0, 100_000), warnings
    )


def _number(query: Query, name: str, default: int, most: int) -> int:
    text = query.get(name, [str(default)])[-1]
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Rejected("is no whole number", name, "invalid_value")
    return min(int(text), most)


def _listed(found: list[Json], wanted: _Wanted) -> Found:
    kept = [each for each in found if _fits(each, wanted.filters)]
    return Found(kept[wanted.offset : wanted.offset + wanted.limit], wanted.warnings)


def _fits(dataset: Json, filters: Mapping[str, str]) -> bool:
    """An attribute that the answer does not have is not matched by, as PS3.18 8.3.4 allows; it says so elsewhere."""
    return all(matches(dataset, tag, value) for tag, value in filters.items() if tag in dataset)
