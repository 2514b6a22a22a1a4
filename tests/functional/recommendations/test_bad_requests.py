"""What the API says to requests that are wrong, and to names that try to be something else."""

from base64 import urlsafe_b64encode

import pytest

from tests.functional.recommendations.suite import Suite

HOSTILE = ["", " u", "u\n", "a/b", "..", "x" * 129, "a%2Fb", "drop?table", "u\u202e1", "\x00"]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(
    ("method", "resource", "parameter"),
    [
        ("GET", "/recommendations/{user_id}", "user_id"),
        ("GET", "/items/{item_id}", "item_id"),
        ("GET", "/items/{item_id}/similar", "item_id"),
        ("GET", "/profiles/{user_id}", "user_id"),
        ("DELETE", "/profiles/{user_id}", "user_id"),
    ],
)
def test_hostile_names_are_refused(suite: Suite, method: str, resource: str, parameter: str, name: str) -> None:
    status, answer = suite.call(method, resource, **{parameter: name})
    assert (status, answer["error"]["field"], answer["error"]["code"]) == (400, parameter, "invalid_value")


@pytest.mark.parametrize("name", ["Ζωή", "用户 7", "u'; DROP TABLE x; --", "😀", "a+b", "${jndi}", "<script>"])
def test_any_other_name_is_a_name(suite: Suite, name: str) -> None:
    suite.know(name, ("i-1", "view", 1.0))
    status, answer = suite.recommend(name, k="1")
    assert (status, answer["user_id"], answer["items"][0]["item_id"]) == (200, name, "i-2")


def test_two_spellings_of_a_name_are_one_user(suite: Suite) -> None:
    suite.know("caf\u00e9", ("i-1", "view", 1.0))
    assert suite.recommend("cafe\u0301")[1]["items"][0]["item_id"] == "i-2"


@pytest.mark.parametrize("k", ["0", "101", "-1", "1.5", "ten", "1e2", "٣", "00000000007"])
def test_k_is_a_number_from_1_to_100(suite: Suite, k: str) -> None:
    status, answer = suite.recommend(k=k)
    assert (status, answer["error"]["field"], answer["error"]["code"]) == (400, "k", "out_of_range")


@pytest.mark.parametrize(
    ("context", "code"),
    [("country", "invalid_value"), ("country:", "invalid_value"), ("planet:mars", "unknown_context"),
     (f"country:{'x' * 65}", "invalid_value"), ("page: home", "invalid_value"), ("page:a\nb", "invalid_value"),
     ("page:\u202ehome", "invalid_value"), (f"page:{chr(0x1D160) * 40}", "invalid_value")],
)  # fmt: skip
def test_context_is_a_known_key_with_a_value_that_interactions_may_have(suite: Suite, context: str, code: str) -> None:
    """Else a click on the list, which has its context, would be taken here and rejected from the stream."""
    status, answer = suite.recommend(context=context)
    assert (status, answer["error"]["field"], answer["error"]["code"]) == (400, "context", code)


@pytest.mark.parametrize(
    "token",
    ["x", "é", "====", "bm8", *(urlsafe_b64encode(text.encode()).decode() for text in (
        '["l-1",-1,20]', '["l-1",20,0]', '["l-1",20,101]', '["../x",20,20]', '["l-1","20",20]', "[]", "{}", "null",
        '["l-1",1e30,20]',
    ))],
)  # fmt: skip
def test_a_token_that_the_api_did_not_give_is_refused(suite: Suite, token: str) -> None:
    status, answer = suite.recommend(page=token)
    assert (status, answer["error"]["field"], answer["error"]["code"]) == (400, "page", "invalid_value")


def test_a_token_of_a_list_that_is_gone_is_not_found(suite: Suite) -> None:
    token = urlsafe_b64encode(b'["gone",20,20]').decode()
    assert suite.recommend(page=token)[0] == 404


def test_unknown_things_are_not_found(suite: Suite) -> None:
    assert suite.call("GET", "/items/{item_id}", item_id="none")[0] == 404
    assert suite.call("GET", "/items/{item_id}/similar", item_id="none")[0] == 404
    assert suite.call("GET", "/profiles/{user_id}", user_id="none")[0] == 404


def test_errors_of_the_router_have_the_same_shape(suite: Suite) -> None:
    status, answer = suite.call("DELETE", "/interactions")
    assert (status, answer["error"]["code"]) == (405, "method_not_allowed")
    assert suite.headers["x-correlation-id"] == "request-1"
