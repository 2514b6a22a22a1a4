"""Configuration -> Orthanc, the PACS of Debian's packages, as the hospital's side: receives by DIMSE, sends by STOW-RS.

It runs as a process of the test, with ports and directories of its own, and ends with it.
"""

import contextlib
import json
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from local.platform.process import tail
from tests.dicom_programs import TOOLS, output, program
from tests.waiting import eventually

AE_TITLE = "HOSPITAL"
SERVER = "cuatro"
# Sends every series on that modalities sent, when nothing was added to it for a while, as PACS are set up to.
FORWARD = f"""
function OnStableSeries(series, tags, metadata)
  if metadata['RemoteAET'] == 'MODALITY' then
    RestApiPost('/dicom-web/servers/{SERVER}/stow', DumpJson({{Resources = {{series}}, Synchronous = false}}, true))
  end
end
"""


class Ports(NamedTuple):
    """Where a PACS answers: REST and DICOMweb, DIMSE."""

    http: int
    dicom: int

    @property
    def dicomweb(self) -> str:
        """Root of its DICOMweb server, for whoever pushes results."""
        return f"http://127.0.0.1:{self.http}/dicom-web"


class Orthanc:
    """A PACS that answers."""

    def __init__(self, home: Path, ports: Ports) -> None:
        self.home, self.ports = home, ports
        self.url = f"http://127.0.0.1:{ports.http}"

    def call(self, path: str, body: Any = None, method: str = "") -> Any:
        """JSON answer of the REST API; a body is POSTed. Raises AssertionError with the PACS's own words."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method or None)  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                text = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{path}: {error.code} {error.read().decode(errors='replace')}") from None
        return json.loads(text) if text else None

    def store(self, *files: Path) -> str:
        """Sends files to it with storescu, as a modality does; what storescu says."""
        return output(
            "storescu", "-v", "-aec", AE_TITLE, "-aet", "MODALITY", "-xv", "127.0.0.1", str(self.ports.dicom), *files
        )

    def studies(self) -> list[dict[str, Any]]:
        """Its studies."""
        found: list[dict[str, Any]] = self.call("/studies?expand")
        return found

    def instances(self, study_uid: str) -> list[dict[str, Any]]:
        """Instances of a study, each with its tags by name."""
        query = {"Level": "Instance", "Expand": True, "Query": {"StudyInstanceUID": study_uid},
                 "RequestedTags": ["SOPClassUID", "Modality"]}  # fmt: skip
        found = self.call("/tools/find", query)
        return [{**each["MainDicomTags"], **self.call(f"/instances/{each['ID']}/simplified-tags"), "ID": each["ID"]}
                for each in found]  # fmt: skip

    def file(self, instance: str) -> bytes:
        """An instance as DICOM."""
        with urllib.request.urlopen(f"{self.url}/instances/{instance}/file", timeout=60) as answer:  # noqa: S310
            data: bytes = answer.read()
        return data

    def send(self, study: str) -> str:
        """Sends a study (Orthanc's id) to the server `cuatro` by STOW-RS; how the job ended: Success or Failure."""
        asked = {"Resources": [study], "Synchronous": False, "Asynchronous": True}
        job = self.call(f"/dicom-web/servers/{SERVER}/stow", asked)["ID"]

        def ended() -> str | None:
            state: str = self.call(f"/jobs/{job}")["State"]
            return state if state in {"Success", "Failure"} else None

        return eventually(ended, "the end of the sending")

    def delete(self) -> None:
        """Forgets all of its studies."""
        for study in self.call("/studies"):
            self.call(f"/studies/{study}", method="DELETE")

    @property
    def log(self) -> str:
        """End of its log."""
        return tail(self.home / "orthanc.log", 60)


@contextmanager
def orthanc(
    home: Path,
    ports: Ports,
    servers: Mapping[str, Mapping[str, Any]],
    authority: str | Path | None = None,
    scripts: Sequence[str] = (),
) -> Iterator[Orthanc]:
    """A PACS in a directory. servers: DICOMweb servers that it knows, verified by `authority`. scripts: in Lua."""
    executable = program("Orthanc")
    files = [home / f"script{at}.lua" for at in range(len(scripts))]
    for file, script in zip(files, scripts, strict=True):
        file.write_text(script)
    configuration = {
        "Name": "Hospital", "StorageDirectory": str(home / "storage"), "IndexDirectory": str(home / "storage"),
        "HttpPort": ports.http, "DicomPort": ports.dicom, "DicomAet": AE_TITLE, "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False, "StableAge": 1, "HttpsVerifyPeers": True, "HttpVerbose": False,
        "HttpsCACertificates": str(authority or ""), "LuaScripts": [str(file) for file in files],
        "Plugins": [str(TOOLS / "orthanc-dicomweb.so")],
        "DicomWeb": {"Servers": servers, "StowMaxInstances": 1},  # a request holds what Lambda takes
        "OverwriteInstances": True, "SaveJobs": False,
    }  # fmt: skip
    (home / "orthanc.json").write_text(json.dumps(configuration))
    with (home / "orthanc.log").open("wb") as log:
        process = subprocess.Popen(
            [executable, home / "orthanc.json"], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
    found = Orthanc(home, ports)
    try:
        eventually(lambda: process.poll() is not None or _answers(found), "an answer of Orthanc")
        assert process.poll() is None, found.log
        yield found
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(found: Orthanc) -> bool:
    with contextlib.suppress(OSError, ValueError):
        return bool(found.call("/system"))
    return False


def free_ports() -> Ports:
    """Ports that nobody listens on."""
    with socket.socket() as http, socket.socket() as dicom:
        for listener in (http, dicom):
            listener.bind(("127.0.0.1", 0))
        return Ports(http.getsockname()[1], dicom.getsockname()[1])
