"""Environments, conda dependencies, run configurations and ScriptRunConfig, member by member."""

from __future__ import annotations

from azml_compat._support.records import SIGNATURES, Support, full, inert, members, no_effect, partial, refused

_DEFAULTS = "test_environment.py::test_the_defaults_are_azures"
_RUN_DEFAULTS = "test_runconfig.py::test_the_defaults_are_azures"
_RECORD = inert("kept as given, in the run definition too, and without effect: every run takes place on this machine")
_OLD_NAME = inert("the old name of a class, which is derived from it as in the original")
_OF_DATA = partial(note="counts where a dataset or datastore is used with it")
_OF_JOBS = partial(note="that many processes on this machine, with the variables that the launcher sets")


def _record(path: str, *attributes: str, level: Support = _RECORD) -> dict[str, Support]:
    """Say of a class and all of its attributes that they are kept."""
    return members(path, dict.fromkeys(["", *attributes], level))


def _conda(*names: str) -> Support:
    return full(*(f"test_conda_dependencies.py::{name}" for name in names))


def _environment(*names: str, note: str = "", differs: tuple[str, ...] = ()) -> Support:
    return full(*(f"test_environment.py::{name}" for name in names), note=note, differs=differs)


def _runconfig(*names: str) -> Support:
    return full(*(f"test_runconfig.py::{name}" for name in names))


CONDA = members(
    "azureml.core.conda_dependencies.CondaDependencies",
    {
        "": _conda("test_a_missing_file_is_pythons_own_error", "test_what_is_no_conda_file_is_refused"),
        "DEFAULT_NUMBER_OF_CONDA_PACKAGES": full(SIGNATURES),
        "DEFAULT_NUMBER_OF_PIP_PACKAGES": full(SIGNATURES),
        "add_channel": _conda("test_add_channel_and_remove_channel_may_be_repeated"),
        "add_cntk_package": partial(
            "test_conda_dependencies.py::test_add_tensorflow_conda_package_and_add_cntk_package_pin_versions",
            note="adds `cntk==2.7` or `cntk-gpu==2.7`",
        ),
        "add_conda_package": _conda("test_add_conda_package_adds_what_is_not_literally_there"),
        "add_pip_package": _conda("test_add_pip_package_replaces_any_version", "test_add_pip_package_refuses_options"),
        "add_tensorflow_conda_package": _conda("test_add_tensorflow_conda_package_and_add_cntk_package_pin_versions"),
        "add_tensorflow_pip_package": _conda("test_add_tensorflow_pip_package_pins_a_version"),
        "as_dict": _conda("test_as_dict_is_a_plain_copy"),
        "conda_channels": _conda("test_lists_are_iterators_that_can_be_used_once"),
        "conda_packages": _conda("test_lists_are_iterators_that_can_be_used_once"),
        "create": full(
            "test_conda_dependencies.py::test_create_without_packages_has_the_sdk_alone",
            "test_conda_dependencies.py::test_create_with_pip_packages_drops_the_sdk",
            "test_conda_dependencies.py::test_create_takes_the_version_of_python_in_either_way",
            differs=("conda-create",),
        ),
        "get_default_number_of_packages": _conda("test_without_arguments_it_is_a_template"),
        "get_python_version": _conda("test_get_python_version_is_none_for_a_range"),
        "merge_requirements": _conda("test_merge_requirements_joins_constraints"),
        "pip_options": _conda("test_lists_are_iterators_that_can_be_used_once"),
        "pip_packages": _conda("test_lists_are_iterators_that_can_be_used_once"),
        "remove_channel": _conda("test_add_channel_and_remove_channel_may_be_repeated"),
        "remove_conda_package": _conda("test_remove_conda_package_removes_what_is_literally_there"),
        "remove_pip_option": _conda("test_set_pip_option_and_remove_pip_option_go_by_the_first_word"),
        "remove_pip_package": _conda("test_remove_pip_package_goes_by_the_name"),
        "save": _conda("test_save_writes_a_file_and_returns_its_path", "test_save_refuses_what_is_no_file_in_a_folder"),
        "save_to_file": _conda(
            "test_save_to_file_returns_the_path_in_the_folder",
            "test_save_to_file_has_a_default_name_in_a_folder_that_exists",
            "test_save_to_file_wants_a_version_of_python",
        ),
        "sdk_origin_url": inert("returns the address that the original was built with; nothing is fetched from there"),
        "serialize_to_string": full(
            "test_conda_dependencies.py::test_the_text_has_azures_keys_in_azures_order", differs=("conda-create",)
        ),
        "set_pip_index_url": _conda("test_set_pip_index_url_sets_an_option"),
        "set_pip_option": _conda("test_set_pip_option_and_remove_pip_option_go_by_the_first_word"),
        "set_pip_requirements": _conda("test_set_pip_requirements_replaces_all"),
        "set_python_version": _conda("test_set_python_version_replaces_the_entry"),
    },
)

_NOTHING_BUILT = inert(
    "nothing is built: the build has succeeded at once",
    "test_environment.py::test_build_registers_and_builds_nothing",
    differs=("images",),
)
_NO_IMAGE = refused(
    "no image is built here",
    "look at the declaration: env.docker and env.python.conda_dependencies.serialize_to_string()",
    planned=False,
)

ENVIRONMENT_CLASS = members(
    "azureml.core.environment.Environment",
    {
        "": full(
            "test_environment.py::test_the_name_is_a_string_and_the_rest_is_ignored",
            "test_surface.py::test_signatures_are_azures",
            differs=("environments",),
        ),
        "add_private_pip_wheel": partial(
            "test_environment.py::test_a_private_wheel_stays_where_it_is",
            note="returns the address of the file where it is",
            parameters=no_effect("workspace", "exist_ok"),
        ),
        "asset_id": inert("is None: there is no registry of assets"),
        "build": inert(
            "registers the environment; nothing is built",
            "test_environment.py::test_build_registers_and_builds_nothing",
            differs=("images",),
        ),
        "build_local": inert(
            "nothing is built",
            "test_environment.py::test_build_registers_and_builds_nothing",
            differs=("images",),
        ),
        "clone": _environment("test_clone_is_a_copy_without_a_version"),
        "databricks": _RECORD,
        "docker": inert(
            "kept as given, with its checks; nothing runs in a container",
            _DEFAULTS,
            "test_environment.py::test_deprecated_properties_work_and_warn_when_they_are_set",
            differs=("environments",),
        ),
        "environment_variables": _environment(
            "test_the_defaults_are_azures", "test_deprecated_properties_work_and_warn_when_they_are_set"
        ),
        "from_conda_specification": _environment(
            "test_from_conda_specification_keeps_the_file",
            "test_from_conda_specification_without_python_adds_it_with_a_warning",
            "test_from_conda_specification_refuses_what_is_none",
        ),
        "from_docker_build_context": partial(
            "test_environment.py::test_from_docker_build_context_leaves_the_rest_empty",
            note="kept; nothing runs in a container",
        ),
        "from_docker_image": _environment(
            "test_from_docker_image_and_from_dockerfile_leave_everything_to_the_image",
            "test_from_dockerfile_and_from_docker_image_take_one_file_of_packages",
            note="nothing runs in the image",
            differs=("environments",),
        ),
        "from_dockerfile": _environment(
            "test_from_docker_image_and_from_dockerfile_leave_everything_to_the_image",
            "test_from_dockerfile_and_from_docker_image_take_one_file_of_packages",
            note="nothing is built of it",
            differs=("environments",),
        ),
        "from_existing_conda_environment": _environment("test_from_existing_conda_environment_asks_conda"),
        "from_pip_requirements": _environment("test_from_pip_requirements_takes_each_line"),
        "get": full(
            "test_environment.py::test_get_of_a_missing_environment_is_a_plain_exception",
            "test_environment.py::test_register_gives_versions_that_every_store_keeps",
            differs=("curated",),
        ),
        "get_image_details": _NO_IMAGE,
        "inferencing_stack_version": _RECORD,
        "label": partial(
            "test_environment.py::test_label_belongs_to_one_version", note="labels are those that were given here"
        ),
        "list": partial(
            "test_environment.py::test_register_gives_versions_that_every_store_keeps",
            note="lists what is registered here; a curated environment is found by its name",
            differs=("curated",),
        ),
        "load_from_directory": _environment(
            "test_save_to_directory_is_read_by_load_from_directory",
            "test_load_from_directory_without_a_definition_is_pythons_own_error",
        ),
        "name": _environment("test_the_name_is_a_string_and_the_rest_is_ignored"),
        "python": full(
            "test_environment.py::test_the_defaults_are_azures",
            differs=("environments",),
        ),
        "r": _RECORD,
        "register": _environment(
            "test_register_gives_versions_that_every_store_keeps",
            "test_register_takes_a_version_that_was_set_before",
        ),
        "save_to_directory": full(
            "test_environment.py::test_save_to_directory_is_read_by_load_from_directory",
            "test_environment.py::test_save_to_directory_overwrites_when_it_is_told_to",
            differs=("registry-passwords",),
        ),
        "spark": _RECORD,
        "version": _environment("test_register_gives_versions_that_every_store_keeps"),
    },
)

_IMAGE = refused(
    "no image is built here",
    "look at the declaration: env.docker and env.python.conda_dependencies.serialize_to_string()",
    planned=False,
)

ENVIRONMENT_CLASS = members(
    "azureml.core.environment.Environment",
    {
        "": full(
            "test_environment.py::test_the_name_is_a_string_and_the_rest_is_ignored",
            "test_surface.py::test_signatures_are_azures",
            differs=("environments",),
        ),
        "add_private_pip_wheel": partial(
            "test_environment.py::test_a_private_wheel_stays_where_it_is",
            note="returns the address of the file where it is",
            parameters=no_effect("workspace", "exist_ok"),
        ),
        "asset_id": inert("is None: there is no registry of assets"),
        "build": inert(
            "registers the environment; nothing is built",
            "test_environment.py::test_build_registers_and_builds_nothing",
            differs=("images",),
        ),
        "build_local": inert(
            "nothing is built",
            "test_environment.py::test_build_registers_and_builds_nothing",
            differs=("images",),
        ),
        "clone": _environment("test_clone_is_a_copy_without_a_version"),
        "databricks": _RECORD,
        "docker": inert(
            "kept as given, with its checks; nothing runs in a container",
            _DEFAULTS,
            "test_environment.py::test_deprecated_properties_work_and_warn_when_they_are_set",
            differs=("environments",),
        ),
        "environment_variables": _environment(
            "test_the_defaults_are_azures", "test_deprecated_properties_work_and_warn_when_they_are_set"
        ),
        "from_conda_specification": _environment(
            "test_from_conda_specification_keeps_the_file",
            "test_from_conda_specification_without_python_adds_it_with_a_warning",
            "test_from_conda_specification_refuses_what_is_none",
        ),
        "from_docker_build_context": partial(
            "test_environment.py::test_from_docker_build_context_leaves_the_rest_empty",
            note="kept; nothing runs in a container",
        ),
        "from_docker_image": _environment(
            "test_from_docker_image_and_from_dockerfile_leave_everything_to_the_image",
            "test_from_dockerfile_and_from_docker_image_take_one_file_of_packages",
            note="nothing runs in the image",
            differs=("environments",),
        ),
        "from_dockerfile": _environment(
            "test_from_docker_image_and_from_dockerfile_leave_everything_to_the_image",
            "test_from_dockerfile_and_from_docker_image_take_one_file_of_packages",
            note="nothing is built of it",
            differs=("environments",),
        ),
        "from_existing_conda_environment": _environment("test_from_existing_conda_environment_asks_conda"),
        "from_pip_requirements": _environment("test_from_pip_requirements_takes_each_line"),
        "get": full(
            "test_environment.py::test_get_of_a_missing_environment_is_a_plain_exception",
            "test_environment.py::test_register_gives_versions_that_every_store_keeps",
            differs=("curated",),
        ),
        "get_image_details": _NO_IMAGE,
        "inferencing_stack_version": _RECORD,
        "label": partial(
            "test_environment.py::test_label_belongs_to_one_version", note="labels are those that were given here"
        ),
        "list": partial(
            "test_environment.py::test_register_gives_versions_that_every_store_keeps",
            note="lists what is registered here; a curated environment is found by its name",
            differs=("curated",),
        ),
        "load_from_directory": _environment(
            "test_save_to_directory_is_read_by_load_from_directory",
            "test_load_from_directory_without_a_definition_is_pythons_own_error",
        ),
        "name": _environment("test_the_name_is_a_string_and_the_rest_is_ignored"),
        "python": full(
            "test_environment.py::test_the_defaults_are_azures",
            differs=("environments",),
        ),
        "r": _RECORD,
        "register": _environment(
            "test_register_gives_versions_that_every_store_keeps",
            "test_register_takes_a_version_that_was_set_before",
        ),
        "save_to_directory": full(
            "test_environment.py::test_save_to_directory_is_read_by_load_from_directory",
            "test_environment.py::test_save_to_directory_overwrites_when_it_is_told_to",
            differs=("registry-passwords",),
        ),
        "spark": _RECORD,
        "version": _environment("test_register_gives_versions_that_every_store_keeps"),
    },
)

_DOCKER_SETTER = inert(
    "kept; nothing runs in a container",
    "test_environment.py::test_deprecated_properties_work_and_warn_when_they_are_set",
)
_IMAGE = inert(
    "kept, with the checks of the original; nothing runs in a container",
    "test_environment.py::test_images_exclude_one_another",
)

SECTIONS: dict[str, Support] = {
    **members(
        "azureml.core.environment.DockerSection",
        {
            "": inert("a record, with the checks of the original", differs=("environments",)),
            "arguments": inert("kept; nothing runs in a container"),
            "base_dockerfile": _IMAGE,
            "base_image": _IMAGE,
            "base_image_registry": _RECORD,
            "build_context": _IMAGE,
            "enabled": inert("kept; nothing runs in a container"),
            "gpu_support": inert("is True, and deprecated, as in the original"),
            "platform": _RECORD,
            "shared_volumes": inert("kept; nothing runs in a container"),
            "shm_size": inert("kept; nothing runs in a container"),
        },
    ),
    **members(
        "azureml.core.environment.PythonSection",
        {
            "": full(SIGNATURES, differs=("environments",)),
            "conda_dependencies": partial(
                "test_environment.py::test_from_conda_specification_keeps_the_file",
                note="compared with what is installed here; installed with `AZML_COMPAT_ENVIRONMENTS=isolated` alone",
                differs=("environments",),
            ),
            "conda_dependencies_file": _environment("test_conda_dependencies_file_is_read"),
            "interpreter_path": partial(
                note="counts with `user_managed_dependencies`; `python` is the interpreter that submits",
                differs=("environments",),
            ),
            "user_managed_dependencies": _environment("test_the_defaults_are_azures"),
        },
    ),
    **_record("azureml.core.environment.DockerEnvironment", level=_OLD_NAME),
    **_record("azureml.core.environment.PythonEnvironment", level=_OLD_NAME),
    **_record("azureml.core.environment.SparkEnvironment", level=_OLD_NAME),
    **members(
        "azureml.core.environment.DockerBuildContext",
        {
            **dict.fromkeys(["", "LocationType", "dockerfile_path", "location", "location_type"], _RECORD),
            "from_local_directory": inert("keeps the path of the folder; nothing is uploaded"),
        },
    ),
    **_record(
        "azureml.core.environment.DockerImageDetails",
        *("dockerfile", "environment_path", "image", "image_exist", "interpreter_path", "registry", "repository"),
        level=inert("a dict of what it is made of: there is no image to tell about"),
    ),
    **_record("azureml.core.environment.DockerImagePlatform", "architecture", "os"),
    **members(
        "azureml.core.environment.EnvironmentReference",
        {
            "": full(SIGNATURES),
            "get_environment": partial(note="as `Environment.get`"),
            "name": _environment("test_a_reference_leads_to_the_environment"),
            "version": _environment("test_a_reference_leads_to_the_environment"),
        },
    ),
    **members(
        "azureml.core.environment.ImageBuildDetails",
        {
            "": _NOTHING_BUILT,
            "environment_client": inert("is None: there is no service"),
            "get_log": inert("says that nothing is built"),
            "log_url": inert("is None: there is no log"),
            "status": inert("is `Succeeded`"),
            "wait_for_completion": inert("returns at once", differs=("images",)),
        },
    ),
    **_record("azureml.core.environment.RCranPackage", "name", "repository", "version"),
    **_record("azureml.core.environment.RGitHubPackage", "auth_token", "repository"),
    **_record(
        "azureml.core.environment.RSection",
        *("bioconductor_packages", "cran_packages", "custom_url_packages", "github_packages", "r_version"),
        *("rscript_path", "snapshot_date", "user_managed"),
    ),
    **_record("azureml.core.environment.SparkPackage", "artifact", "group", "version"),
    **_record("azureml.core.environment.SparkSection", "packages", "precache_packages", "repositories"),
    **_record(
        "azureml.core.container_registry.ContainerRegistry", "address", "password", "registry_identity", "username"
    ),
    **_record("azureml.core.container_registry.RegistryIdentity", "client_id", "resource_id"),
    **members(
        "azureml.core.databricks.DatabricksCluster",
        {
            **dict.fromkeys(
                [
                    *("", "cluster_log_dbfs_path", "existing_cluster_id", "init_scripts", "instance_pool_id"),
                    *("max_workers", "min_workers", "node_type", "num_workers", "permit_cluster_restart"),
                    *("spark_conf", "spark_env_variables", "spark_version"),
                ],
                _RECORD,
            ),
            "validate": inert("checks that it is either there or new; there is no Databricks here"),
        },
    ),
    **_record("azureml.core.databricks.DatabricksEnvironment", level=_OLD_NAME),
    **_record(
        "azureml.core.databricks.DatabricksSection",
        *("cluster", "egg_libraries", "jar_libraries", "maven_libraries", "pypi_libraries", "rcran_libraries"),
    ),
    **_record("azureml.core.databricks.EggLibrary", "library"),
    **_record("azureml.core.databricks.JarLibrary", "library"),
    **_record("azureml.core.databricks.MavenLibrary", "coordinates", "exclusions", "repo"),
    **_record("azureml.core.databricks.PyPiLibrary", "package", "repo"),
    **_record("azureml.core.databricks.RCranLibrary", "package", "repo"),
    **members(
        "azureml.core.resource_configuration.ResourceConfiguration",
        {
            **dict.fromkeys(["", "cpu", "gpu", "memory_in_gb"], inert("kept as given; nothing is deployed")),
            "deserialize": partial(
                "test_environment.py::test_a_resource_configuration_is_serialized", note="reads what `serialize` wrote"
            ),
            "serialize": partial(
                "test_environment.py::test_a_resource_configuration_is_serialized",
                note="the keys are `cpu`, `memoryInGB` and `gpu`",
            ),
        },
    ),
}

RUN_CONFIGURATION = members(
    "azureml.core.runconfig.RunConfiguration",
    {
        "": full(SIGNATURES, "test_runconfig.py::test_an_attribute_that_is_not_there_is_refused"),
        "amlcompute": _RECORD,
        "arguments": _runconfig("test_the_constructor_takes_script_framework_and_packages"),
        "auto_cluster_compute_specification": _RECORD,
        "auto_prepare_environment": _runconfig("test_what_is_deprecated_warns"),
        "command": _runconfig("test_the_defaults_are_azures"),
        "communicator": _runconfig("test_the_defaults_are_azures"),
        "credential_passthrough": _RECORD,
        "data": _runconfig("test_a_run_definition_has_azures_keys"),
        "data_references": _runconfig("test_save_is_read_by_load"),
        "datacaches": _RECORD,
        "delete": _runconfig("test_delete_finds_what_ends_in_runconfig"),
        "docker": _RECORD,
        "environment": full(_RUN_DEFAULTS, differs=("environments",)),
        "environment_variables": _runconfig("test_the_defaults_are_azures", "test_the_text_is_indented_json"),
        "framework": _runconfig("test_the_constructor_takes_script_framework_and_packages"),
        "hdi": _RECORD,
        "history": _runconfig("test_the_defaults_are_azures"),
        "kubernetescompute": _RECORD,
        "load": full(
            "test_runconfig.py::test_save_is_read_by_load",
            "test_runconfig.py::test_load_reads_what_others_wrote",
            "test_runconfig.py::test_load_refuses_what_is_none",
        ),
        "max_run_duration_seconds": _runconfig("test_the_defaults_are_azures"),
        "mpi": _OF_JOBS,
        "node_count": partial(note="all nodes are this machine"),
        "output_data": _runconfig("test_a_run_definition_has_azures_keys"),
        "paralleltask": _RECORD,
        "priority": _RECORD,
        "pytorch": _OF_JOBS,
        "save": full(
            "test_runconfig.py::test_save_is_read_by_load",
            "test_runconfig.py::test_save_wants_a_name_and_folders_that_exist",
            differs=("registry-passwords",),
        ),
        "script": _runconfig("test_the_constructor_takes_script_framework_and_packages"),
        "services": _RECORD,
        "source_directory_data_store": _RECORD,
        "spark": _RECORD,
        "target": partial(
            "test_runconfig.py::test_target_ignores_what_is_no_target",
            note="every target is this machine",
        ),
        "tensorflow": _OF_JOBS,
    },
)

CONFIGURATIONS: dict[str, Support] = {
    **_record("azureml.core.runconfig.AmlComputeConfiguration", "vm_priority", "vm_size"),
    **_record("azureml.core.runconfig.ApplicationEndpointConfiguration", "port", "properties", "type"),
    **_record("azureml.core.runconfig.AzureContainerRegistry"),
    **_record("azureml.core.runconfig.ContainerRegistry", level=_OLD_NAME),
    **members(
        "azureml.core.runconfig.Data",
        {
            **dict.fromkeys(
                [
                    *("", "create_output_directories", "data_location", "environment_variable_name", "mechanism"),
                    *("options", "overwrite", "path_on_compute"),
                ],
                _OF_DATA,
            ),
            "create": _runconfig("test_data_is_made_of_a_named_input"),
        },
    ),
    **_record("azureml.core.runconfig.DataLocation", "data_path", "dataset", "uri", level=_OF_DATA),
    **_record("azureml.core.runconfig.DataPath", "datastore_name", "relative_path", level=_OF_DATA),
    **_record(
        "azureml.core.runconfig.DataReferenceConfiguration",
        *("data_store_name", "mode", "overwrite", "path_on_compute", "path_on_data_store"),
        level=_OF_DATA,
    ),
    **_record(
        "azureml.core.runconfig.DatacacheConfiguration",
        *("create", "datacache_id", "datacache_store", "dataset_id", "failure_fallback", "mode", "path_on_compute"),
        "replica",
    ),
    **_record("azureml.core.runconfig.Dataset", "id", "name", "version", level=_OF_DATA),
    **_record("azureml.core.runconfig.DatasetRegistrationOptions", "additional_transformation"),
    **_record("azureml.core.runconfig.DockerConfiguration", "arguments", "shared_volumes", "shm_size", "use_docker"),
    **_record("azureml.core.runconfig.EnvironmentDefinition", level=_OLD_NAME),
    **_record("azureml.core.runconfig.GlobsOptions", "patterns"),
    **_record("azureml.core.runconfig.HdiConfiguration", "yarn_deploy_mode"),
    **members(
        "azureml.core.runconfig.HistoryConfiguration",
        dict.fromkeys(["", "directories_to_watch", "output_collection", "snapshot_project"], full(SIGNATURES)),
    ),
    **_record("azureml.core.runconfig.KubernetesComputeConfiguration", "instance_type"),
    **_record("azureml.core.runconfig.MountOptions", "disable_metadata_cache"),
    **_record("azureml.core.runconfig.MpiConfiguration", "node_count", "process_count_per_node", level=_OF_JOBS),
    **_record(
        "azureml.core.runconfig.OutputData", "additional_options", "mechanism", "output_location", level=_OF_DATA
    ),
    **_record(
        "azureml.core.runconfig.OutputOptions",
        *("mount_options", "path_on_compute", "registration_options", "upload_options"),
    ),
    **_record(
        "azureml.core.runconfig.ParallelTaskConfiguration",
        *("max_retries_per_worker", "terminal_exit_codes", "worker_count_per_node"),
    ),
    **_record(
        "azureml.core.runconfig.PyTorchConfiguration",
        *("communication_backend", "node_count", "process_count"),
        level=_OF_JOBS,
    ),
    **_record(
        "azureml.core.runconfig.RegistrationOptions", "dataset_registration_options", "description", "name", "tags"
    ),
    **_record("azureml.core.runconfig.SparkConfiguration", "configuration"),
    **_record(
        "azureml.core.runconfig.TensorflowConfiguration", "parameter_server_count", "worker_count", level=_OF_JOBS
    ),
    **_record("azureml.core.runconfig.UploadOptions", "overwrite", "source_globs"),
    **_record("azureml.core.runconfig.Uri", "is_file", "path"),
}

SCRIPT_RUN_CONFIG = members(
    "azureml.core.script_run_config",
    {
        "ScriptRunConfig": full(
            "test_runconfig.py::test_a_script_run_config_keeps_what_it_is_given",
            SIGNATURES,
            differs=("environments",),
        ),
        "ScriptRunConfig.DELIM": full(SIGNATURES),
        "ScriptRunConfig.MAX_DURATION_SECONDS_DEFAULT": full(SIGNATURES),
        "ScriptRunConfig.arguments": _runconfig("test_a_script_run_config_keeps_what_it_is_given"),
        "ScriptRunConfig.command": _runconfig("test_a_script_run_config_keeps_what_it_is_given"),
        "ScriptRunConfig.identity": inert("names the object in logs; nothing logs it"),
        "ScriptRunConfig.run_config": _runconfig(
            "test_compute_target_and_environment_are_in_run_config", "test_run_config_is_used_and_the_rest_ignored"
        ),
        "ScriptRunConfig.script": _runconfig("test_a_script_run_config_keeps_what_it_is_given"),
        "ScriptRunConfig.source_directory": _runconfig("test_a_script_run_config_keeps_what_it_is_given"),
        "get_run_config_from_script_run": _runconfig("test_get_run_config_from_script_run_is_a_copy"),
        "submit": partial(note="as `Experiment.submit`", parameters=no_effect("credential_passthrough")),
    },
)

ENVIRONMENTS: dict[str, Support] = {
    **CONDA,
    **ENVIRONMENT_CLASS,
    **SECTIONS,
    **RUN_CONFIGURATION,
    **CONFIGURATIONS,
    **SCRIPT_RUN_CONFIG,
}
