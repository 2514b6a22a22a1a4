"""Parts and clients of the local SageMaker's Service: one of each, whoever asks at the same time."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.aws.service import Service


class Part:
    """Takes so long to be made that all who want it meet."""

    def __init__(self, _service: Service) -> None:
        time.sleep(0.05)


def test_a_part_is_made_once_for_all_who_ask_at_once(tmp_path: Path) -> None:
    service = Service(tmp_path, 1, "SageMaker")
    together = threading.Barrier(8)

    def ask(_: int) -> Part:
        together.wait()
        return service.part(Part)

    assert service.made(Part) is None
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    assert {id(part) for part in found} == {id(service.made(Part))}
    assert Service(tmp_path / "other", 1, "SageMaker").part(Part) is not found[0]


def test_a_role_has_one_client_of_a_service(tmp_path: Path) -> None:
    service = Service(tmp_path, 1, "SageMaker")
    keys = {"AWS_ACCESS_KEY_ID": "ASIA1", "AWS_SECRET_ACCESS_KEY": "a", "AWS_SESSION_TOKEN": "b"}
    client = service.client("sts", keys)
    assert service.client("sts", dict(keys)) is client
    others = (service.client("sts"), service.client("sts", {**keys, "AWS_SESSION_TOKEN": "c"}),
              service.client("sts", keys, read_timeout=900))  # fmt: skip
    assert len({id(each) for each in (client, *others)}) == 4
