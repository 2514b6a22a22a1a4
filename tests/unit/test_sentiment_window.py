"""Reading newest-first pages: whatever the pages' size and when posts arrive, all are read, and few twice."""

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.sentiment.sources.window import Window, cursor_of, window


def poll(state: Window, posts: dict[str, int], size: int, pages: int, overlap: int) -> tuple[Window, list[str]]:
    """A network that has `posts` (id -> position), asked for `pages` pages of `size`."""
    read: list[str] = []
    for _ in range(pages):
        state = window(cursor_of(state), 0)
        there = sorted(posts.items(), key=lambda each: -each[1])
        there = [each for each in there if each[1] > state.seen - overlap and (not state.high or each[1] < state.high)]
        page = dict(there[:size])
        read += [each for each in page if state.is_new(each)]
        state = state.after(page, len(there) > size, overlap)
        if not state.unfinished:
            break
    return state, read


@settings(max_examples=200, deadline=None)
@given(
    arrivals=st.lists(st.lists(st.integers(1, 40), max_size=12), min_size=1, max_size=6),
    size=st.integers(1, 7),
    pages=st.integers(1, 3),
)
def test_every_post_is_read_once_however_they_arrive(arrivals: list[list[int]], size: int, pages: int) -> None:
    """Between polls posts arrive, each newer than those before it."""
    posts: dict[str, int] = {}
    state, read, at = Window(0), [], 0
    for gaps in [*arrivals, *([[]] * 80)]:
        for gap in gaps:
            at += gap
            posts[f"p{len(posts)}"] = at
        state, new = poll(state, posts, size, pages, overlap=0)
        read += new
    assert sorted(read) == sorted(posts)


def test_a_post_that_is_found_late_is_read_if_it_is_not_too_late() -> None:
    posts = {"a": 1_000, "c": 1_200}
    state, read = poll(Window(900), posts, 10, 5, overlap=300)
    assert read == ["c", "a"]
    posts |= {"b": 1_100, "far": 100}
    state, read = poll(state, posts, 10, 5, overlap=300)
    assert read == ["b"]
    assert poll(state, posts, 10, 5, overlap=300)[1] == []


def test_the_same_page_again_is_believed_at_the_third_time() -> None:
    state = Window(0).after({"a": 50, "b": 40}, more=True)
    assert (state.high, state.unfinished) == (40, True)
    for stuck in (1, 2):
        state = state.after({"a": 50, "b": 40}, more=True)
        assert (state.stuck, state.high, state.unfinished) == (stuck, 40, False)
    assert state.after({"a": 50, "b": 40}, more=True) == Window(50, recent=state.recent)


def test_a_cursor_of_another_kind_begins_anew() -> None:
    assert window('{"etag": "x"}', 7) == Window(7)
    assert window(None, 7) == Window(7)
    assert window("damaged", 7) == Window(7)
