"""A Dask cluster, looked at before work is sent there."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from distributed import Client, default_client

from understudy.errors import UserError

PACKAGES = ("understudy", "av", "dlib-bin", "numpy", "opencv-python-headless", "pyarrow", "torch")
"""Those whose versions must agree, since the bytes of the results depend on them."""
PATIENCE = 10.0
"""Seconds to wait for a scheduler, and for its first worker."""


@contextmanager
def connect(address: str) -> Iterator[Client]:
    """Yield the client of a cluster that is fit for work.

    Raises:
        UserError: nobody answers at `address`, no worker is connected, or a worker has other packages.
    """
    try:
        client = Client(address, timeout=PATIENCE)
    except (OSError, TimeoutError) as error:
        raise UserError(
            f"No Dask scheduler answers at 'parallel.address' = {address}: start one with 'dask scheduler', correct "
            "the address, or leave it out to work on this machine."
        ) from error
    with client:
        require_workers(address, PATIENCE)
        if differing := _differing(cast(dict[str, Any], client.get_versions(packages=PACKAGES))):
            raise UserError(
                f"The Dask workers of {address} do not have the packages of this machine ({differing}): "
                "install the same versions there, since the results depend on them."
            )
        yield client


def require_workers(address: str, seconds: float) -> None:
    """See that the connected cluster has a worker, or gets one within `seconds`.

    Raises:
        UserError: it has none.
    """
    try:
        default_client().wait_for_workers(1, timeout=seconds)
    except (OSError, TimeoutError) as error:
        raise UserError(
            f"No worker is connected to the Dask scheduler at {address}: start some with 'dask worker {address} "
            "--nworkers auto --nthreads 1' in the project's folder and run the same command again."
        ) from error


def _differing(versions: dict[str, Any]) -> str:
    """In words, what a worker has otherwise than the client; empty when nothing."""
    own = versions["client"]["packages"]
    for worker, found in versions["workers"].items():
        for package in PACKAGES:
            if found["packages"].get(package) != own.get(package):
                return f"{worker} has {package} {found['packages'].get(package)}, here is {own.get(package)}"
    return ""
