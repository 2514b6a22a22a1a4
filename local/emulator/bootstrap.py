"""MiniStack's worker script for Python -> ours: an invocation's log has an end, an error has its type.

MiniStack waits a while for lines of a log that may still come, and what comes later counts as the next invocation's. A
line of our own says where an invocation's log ends, so nothing waits and no line is late. MiniStack also ends a process
whose handler raised; on AWS it takes the next call, as here.
"""

from ministack.core import lambda_runtime

# A handler that prints without a newline leaves its text in front of it.
END = "\x1eend of the invocation's log\x1e"

_ANSWER = '_real_stdout.write(json.dumps({"status": "ok", "result": result}) + "\\n")'
_ERROR = '_real_stdout.write(json.dumps({"status": "error", "error": str(e), "trace": traceback.format_exc()}) + "\\n")'
_END_OF_LOG = f"sys.__stderr__.write({END!r} + chr(10)); sys.__stderr__.flush()"
# Encoded before the log's end: an answer that is no JSON is the function's error.
_OUR_ANSWER = (
    f'answer = json.dumps({{"status": "ok", "result": result}}); {_END_OF_LOG}; _real_stdout.write(answer + "\\n")'
)
_OUR_ERROR = (
    'error = {"error": str(e), "trace": traceback.format_exc(), "type": type(e).__name__, '
    f'"stack": traceback.format_tb(e.__traceback__)[1:]}}; {_END_OF_LOG}; '
    '_real_stdout.write(json.dumps({"status": "ok", "raised": error}) + "\\n")'
)


def script() -> str:
    """Text of the worker. Raises LookupError when MiniStack's worker is not the one that this was written for."""
    text: str = lambda_runtime._PYTHON_WORKER_SCRIPT  # noqa: SLF001 - a touch point, see local/emulator/ministack.py
    for theirs, ours in ((_ANSWER, _OUR_ANSWER), (_ERROR, _OUR_ERROR)):
        if text.count(theirs) != 1:
            raise LookupError(f"MiniStack's worker script has changed: it no longer has {theirs}")
        text = text.replace(theirs, ours)
    return text
