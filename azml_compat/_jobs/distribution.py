"""The processes of a distributed job: on this machine, as many as were asked for, each told its place.

The variables are those that the launchers of the frameworks set: torchrun's, Open MPI's, TensorFlow's TF_CONFIG.
"""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack
from typing import Any

_HOST = "127.0.0.1"


def ranks_of(run_config: Any) -> list[dict[str, str]]:
    """Return, for each process of a job, the variables that tell it its place; one without any where it is alone.

    Args:
        run_config: An `azureml.core.runconfig.RunConfiguration`.
    """
    framework = str(run_config.framework or "").lower()
    nodes = max(1, int(run_config.node_count or 1))
    if framework == "pytorch":
        return _pytorch(int(run_config.pytorch.process_count or nodes), nodes)
    if framework == "tensorflow" and str(run_config.communicator).lower() == "parameterserver":
        section = run_config.tensorflow
        return _tensorflow(int(section.worker_count or 1), int(section.parameter_server_count or 0))
    if str(run_config.communicator).lower() in ("intelmpi", "openmpi", "mpi"):
        return _mpi(int(run_config.mpi.process_count_per_node or 1), nodes)
    return [{}]


def _mpi(per_node: int, nodes: int) -> list[dict[str, str]]:
    count = per_node * nodes
    if count == 1:
        return [{}]
    return [
        {
            "OMPI_COMM_WORLD_RANK": str(rank),
            "OMPI_COMM_WORLD_SIZE": str(count),
            "OMPI_COMM_WORLD_LOCAL_RANK": str(rank % per_node),
            "OMPI_COMM_WORLD_LOCAL_SIZE": str(per_node),
            "AZ_BATCHAI_MPI_MASTER_NODE": _HOST,
            "AZ_BATCH_MASTER_NODE": _HOST,
        }
        for rank in range(count)
    ]


def _pytorch(count: int, nodes: int) -> list[dict[str, str]]:
    (port,) = _free_ports(1)
    per_node = max(1, -(-count // nodes))
    return [
        {
            "RANK": str(rank),
            "LOCAL_RANK": str(rank % per_node),
            "WORLD_SIZE": str(count),
            "NODE_RANK": str(rank // per_node),
            "MASTER_ADDR": _HOST,
            "MASTER_PORT": str(port),
            "AZ_BATCHAI_PYTORCH_INIT_METHOD": f"tcp://{_HOST}:{port}",
            "AZ_BATCHAI_TASK_INDEX": str(rank),
        }
        for rank in range(count)
    ]


def _tensorflow(workers: int, servers: int) -> list[dict[str, str]]:
    ports = iter(_free_ports(workers + servers))
    cluster = {
        kind: [f"{_HOST}:{next(ports)}" for _ in range(count)]
        for kind, count in (("worker", workers), ("ps", servers))
        if count
    }
    return [
        {
            "TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}}),
            "AZ_BATCHAI_TASK_INDEX": str(index),
            "AZ_BATCHAI_TASK_TYPE": kind,
        }
        for kind, addresses in cluster.items()
        for index in range(len(addresses))
    ]


def _free_ports(count: int) -> list[int]:
    """Return ports that nothing uses now. They may be taken before the job starts, as with every launcher."""
    with ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count)]
        for free in found:
            free.bind((_HOST, 0))
        return [int(free.getsockname()[1]) for free in found]
