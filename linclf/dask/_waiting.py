"""Waiting for results of a cluster, without hanging after Ctrl-C or the loss of a worker."""

import time
from typing import Any

from distributed import Client, Future, TimeoutError, default_client

LOOK, PATIENCE = 0.5, 20.0  # seconds between polls, and without any worker before an error


def client_for(client: Client | None) -> Client:
    """The given client, or the current one."""
    if client is not None:
        return client
    try:
        return default_client()
    except ValueError as fault:
        raise ValueError(
            "client=None takes the current client of dask, and there is none; start one with "
            "distributed.Client(...), or pass client="
        ) from fault


def results(client: Client, futures: list[Future]) -> list[Any]:
    """The results of the futures; on an error, unfinished ones are cancelled."""
    try:
        return [_result(client, future) for future in futures]
    except BaseException:
        client.cancel(futures, force=True)
        raise


def _result(client: Client, future: Future) -> Any:
    alone_since: float | None = None
    while True:
        try:
            return future.result(timeout=LOOK)
        except TimeoutError:
            if future.status == "error":  # the task itself has timed out
                raise
        if _has_workers(client):
            alone_since = None
        elif alone_since is None:
            alone_since = time.monotonic()
        elif time.monotonic() - alone_since > PATIENCE:
            raise RuntimeError(
                f"no worker of {client!r} has been left for {PATIENCE:.0f} seconds; start workers, and fit "
                "again"
            )


def _has_workers(client: Client) -> bool:
    try:
        return bool(client.nthreads())
    except OSError:  # the scheduler does not answer
        return False
