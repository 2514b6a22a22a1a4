"""Audit queue -> the ledger, chained and anchored; the clock -> what has no anchor yet gets one."""

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from cuatro.adapters.chain import chain
from cuatro.audit import AuditEvent, audit_event, decode
from cuatro.config import settings
from cuatro.errors import Rejected
from cuatro.times import text_of
from functions.imaging.audit.append import Appended, anchor, append
from functions.imaging.audit.settings import Settings

logger = Logger()
metrics = Metrics()
_COUNTED = {"authorize_failed": "AuthorizeFailed", "retrieve": "Retrievals", "view": "Views", "erase": "Erasures"}


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """All messages of a batch or none: an order with gaps would be no order. Raises Unavailable or Refused.

    An event without records is the clock's.
    """
    setting, now = settings(Settings), text_of(int(time.time() * 1000))
    store = chain(setting.ledger_table)
    appended = append(store, [_event(record, now) for record in event.get("Records", [])], now)
    _report(appended)
    seq = appended.head.seq
    full = seq // setting.anchor_every > (seq - len(appended.new)) // setting.anchor_every
    if full or "Records" not in event:
        metrics.add_metric("LedgerAnchored", MetricUnit.Count, anchor(store, setting.ledger_bucket, now))
    return {"batchItemFailures": []}


def _event(record: dict[str, Any], now: str) -> AuditEvent:
    """A message that is no audit event becomes one: that somebody sent it. What it says is not kept."""
    try:
        return decode(record["body"].encode())
    except Rejected as rejected:
        return audit_event(
            str(record["messageId"]), now, "refuse", "audit-message", actor="unknown", outcome="failed",
            purpose="operations", details={"code": rejected.code},
        )  # fmt: skip


def _report(appended: Appended) -> None:
    events: Sequence[AuditEvent] = appended.new
    counts = Counter(_COUNTED[event.action] for event in events if event.action in _COUNTED)
    counts["Denied"] = sum(event.outcome == "denied" for event in events)
    counts["LedgerBroken"] = int(not appended.sound)
    metrics.add_metric("Audited", MetricUnit.Count, len(events))
    for name, count in counts.items():
        if count:
            metrics.add_metric(name, MetricUnit.Count, count)
    if not appended.sound:
        logger.error("the ledger's newest entries are not what was written", seq=appended.head.seq)
    logger.info("audited", events=len(events), seq=appended.head.seq)
