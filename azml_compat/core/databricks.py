"""`azureml.core.databricks`: libraries and clusters of Databricks, kept as records; there is no Databricks here."""

from __future__ import annotations

from typing import Any, ClassVar

from azml_compat._base_sdk_common.abstract_run_config_element import _AbstractRunConfigElement
from azml_compat._refused import module_attributes
from azml_compat.exceptions import UserErrorException


class MavenLibrary(_AbstractRunConfigElement):
    """A Maven library."""

    def __init__(
        self, coordinates: str | None = None, repo: str | None = None, exclusions: list[str] | None = None
    ) -> None:
        self.coordinates = coordinates
        self.repo = repo
        self.exclusions = exclusions if exclusions is not None else []
        self._initialized = True


class PyPiLibrary(_AbstractRunConfigElement):
    """A Python package."""

    def __init__(self, package: str | None = None, repo: str | None = None) -> None:
        self.package = package
        self.repo = repo
        self._initialized = True


class RCranLibrary(_AbstractRunConfigElement):
    """An R package."""

    def __init__(self, package: str | None = None, repo: str | None = None) -> None:
        self.package = package
        self.repo = repo
        self._initialized = True


class JarLibrary(_AbstractRunConfigElement):
    """A jar file."""

    def __init__(self, library: str | None = None) -> None:
        self.library = library
        self._initialized = True


class EggLibrary(_AbstractRunConfigElement):
    """An egg file."""

    def __init__(self, library: str | None = None) -> None:
        self.library = library
        self._initialized = True


class DatabricksCluster(_AbstractRunConfigElement):
    """A cluster that is there already, or what a new one would be."""

    def __init__(
        self,
        existing_cluster_id: str | None = None,
        spark_version: str | None = None,
        node_type: str | None = None,
        instance_pool_id: str | None = None,
        num_workers: int | None = None,
        min_workers: int | None = None,
        max_workers: int | None = None,
        spark_env_variables: dict[str, str] | None = None,
        spark_conf: dict[str, str] | None = None,
        init_scripts: list[str] | None = None,
        cluster_log_dbfs_path: str | None = None,
        permit_cluster_restart: bool | None = None,
    ) -> None:
        self.existing_cluster_id = existing_cluster_id
        self.spark_version = spark_version
        self.node_type = node_type
        self.instance_pool_id = instance_pool_id
        self.num_workers = num_workers
        self.min_workers = min_workers
        self.max_workers = max_workers
        self.spark_env_variables = spark_env_variables
        self.spark_conf = spark_conf
        self.init_scripts = init_scripts
        self.cluster_log_dbfs_path = cluster_log_dbfs_path
        self.permit_cluster_restart = permit_cluster_restart
        self._initialized = True

    def validate(self) -> None:
        """Check that it is either a cluster that is there, or a new one that is described.

        Raises:
            UserErrorException: it is both, or neither.
        """
        is_new = any((self.spark_version, self.node_type, self.instance_pool_id, self.num_workers, self.min_workers))
        if bool(self.existing_cluster_id) is is_new:
            raise UserErrorException("Give either existing_cluster_id, or what describes a new cluster.")


class DatabricksSection(_AbstractRunConfigElement):
    """Libraries and the cluster of an environment on Databricks."""

    _parts: ClassVar = {
        "maven_libraries": MavenLibrary,
        "pypi_libraries": PyPiLibrary,
        "rcran_libraries": RCranLibrary,
        "jar_libraries": JarLibrary,
        "egg_libraries": EggLibrary,
        "cluster": DatabricksCluster,
    }

    def __init__(self, _skip_defaults: bool = False) -> None:
        self.maven_libraries: Any = None if _skip_defaults else []
        self.pypi_libraries: Any = None if _skip_defaults else []
        self.rcran_libraries: Any = None if _skip_defaults else []
        self.jar_libraries: Any = None if _skip_defaults else []
        self.egg_libraries: Any = None if _skip_defaults else []
        self._cluster: DatabricksCluster | None = None
        self._initialized = True

    @property
    def cluster(self) -> DatabricksCluster | None:
        """The cluster; None by default."""
        return self._cluster

    @cluster.setter
    def cluster(self, cluster: DatabricksCluster | None) -> None:
        self._cluster = cluster


class DatabricksEnvironment(DatabricksSection):
    """The old name of `DatabricksSection`."""

    def __init__(self) -> None:
        super().__init__()


__getattr__, __dir__ = module_attributes(__name__)
