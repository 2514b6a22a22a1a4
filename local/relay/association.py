"""C-STORE and C-ECHO of modalities and PACS (PS3.4 B, PS3.8) -> the spool, by pynetdicom; bytes as they came."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from local.platform.errors import PlatformError
from local.relay.spool import FullError, Spool

SUCCESS, OUT_OF_RESOURCES, CANNOT_UNDERSTAND = 0x0000, 0xA700, 0xC000


@contextmanager
def listening(spool: Spool, bind: str, port: int, title: str, callers: Sequence[str] = ()) -> Iterator[int]:
    """The port that is listened on (0 asks for any). title: our AE title; callers: theirs, none = all.

    AE titles are no credentials: whoever reaches the port may use any. Raises PlatformError without pynetdicom, and
    where the port is taken.
    """
    try:
        from pynetdicom import AE, AllStoragePresentationContexts, evt  # noqa: PLC0415 - a hospital's side only
        from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # noqa: PLC0415
    except ImportError as error:
        raise PlatformError(
            "C-STORE needs pynetdicom.", "pip install pynetdicom, or leave out --dicom-port."
        ) from error
    from pydicom.uid import AllTransferSyntaxes  # noqa: PLC0415

    entity = AE(ae_title=title)
    entity.require_calling_aet = list(callers)
    for context in AllStoragePresentationContexts:
        entity.add_supported_context(str(context.abstract_syntax), AllTransferSyntaxes)
    entity.add_supported_context(Verification)

    def store(event: Any) -> int:
        try:
            spool.add(event.encoded_dataset(include_meta=True))
        except FullError:
            return OUT_OF_RESOURCES
        except (ValueError, AttributeError):
            return CANNOT_UNDERSTAND
        return SUCCESS

    try:
        server = entity.start_server((bind, port), block=False, evt_handlers=[(evt.EVT_C_STORE, store)])
    except OSError as error:
        raise PlatformError(f"Port {port} cannot be listened on: {error}", "Take another by --dicom-port.") from error
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
