"""`azureml.data`, `azureml.core.dataset` and `azureml.core.datastore`, member by member."""

from __future__ import annotations

from azml_compat._support.records import SIGNATURES, Support, full, inert, members, no_effect, partial, refused
from azml_compat._support.refused import CLOUD_DATA

_TO_PANDAS = "read it with to_pandas_dataframe()"
_OLD = refused(
    "it is of the API before 1.0.69, which reads data with a package of Azure's",
    "make datasets with Dataset.Tabular and Dataset.File, and get them with Dataset.get_by_name()",
    planned=False,
)
_SPARK = refused("there is no Spark", _TO_PANDAS, planned=False)
_DASK = refused("there is no Dask", _TO_PANDAS, planned=False)
_PARTITION = refused("its turn has not come", f"{_TO_PANDAS}, and write parts with DataFrame.to_parquet()")
_STREAMS = refused("columns hold no references to files", "use a FileDataset, whose files are mounted and downloaded")
_PROFILE = refused(
    "profiles are made by a service of Azure's", f"{_TO_PANDAS}, and use DataFrame.describe()", planned=False
)
_SQL = refused("databases of Azure's are not opened", "use pandas.read_sql(), and register the DataFrame")
_CLIENT = refused(
    "there is no client of Azure Storage behind it", "use upload(), upload_files() and download()", planned=False
)
_RECORD = partial(note="is a record: what lies in it cannot be reached, but for ADLS Gen2 with the extra `azure`")
_RECORDED = partial(
    "test_surface.py::test_signatures_are_azures",
    note="registers a record; secrets are kept as for a blob container",
    differs=("datastore-secrets",),
)
_KEPT = partial(note="is kept as given")
_ERROR = partial(note="says the class of the cause, not a code of Azure's")


def _full(module: str, test: str, *names: str) -> dict[str, Support]:
    """Say of names of a module that they are as in the original, and which test says so."""
    return members(module, dict.fromkeys(names, full(test)))


DATASETS: dict[str, Support] = {
    **_full(
        "azureml.core.dataset",
        "test_datastore.py::test_a_blob_container_is_reached_for_real",
        "Dataset.File",
        "Dataset.Tabular",
    ),
    **_full("azureml.core.dataset", SIGNATURES, "Dataset.Scenario"),
    **_full(
        "azureml.core.dataset",
        "test_dataset_files.py::test_registering_gives_a_new_dataset_on_every_store",
        "Dataset.get_all",
        "Dataset.get_by_id",
    ),
    **_full(
        "azureml.core.dataset",
        "test_dataset_tabular.py::test_register_pandas_dataframe_stores_and_registers",
        "Dataset.get_by_name",
    ),
    **members(
        "azureml.core.dataset",
        {
            "Dataset": partial(
                "test_datastore.py::test_a_blob_container_is_reached_for_real",
                note="its constructor refuses, as do members of the API before 1.0.69",
                instead=_OLD.instead,
            ),
            "Dataset.archive": _OLD,
            "Dataset.auto_read_files": _OLD,
            "Dataset.compare_profiles": _OLD,
            "Dataset.create_snapshot": _OLD,
            "Dataset.definition": _OLD,
            "Dataset.definition_version": _OLD,
            "Dataset.delete_snapshot": _OLD,
            "Dataset.deprecate": _OLD,
            "Dataset.description": _OLD,
            "Dataset.diff": _OLD,
            "Dataset.from_binary_files": _OLD,
            "Dataset.from_delimited_files": _OLD,
            "Dataset.from_excel_files": _OLD,
            "Dataset.from_json_files": _OLD,
            "Dataset.from_pandas_dataframe": _OLD,
            "Dataset.from_parquet_files": _OLD,
            "Dataset.from_sql_query": _OLD,
            "Dataset.generate_profile": _OLD,
            "Dataset.get": _OLD,
            "Dataset.get_all_snapshots": _OLD,
            "Dataset.get_definition": _OLD,
            "Dataset.get_definitions": _OLD,
            "Dataset.get_profile": _OLD,
            "Dataset.get_snapshot": _OLD,
            "Dataset.head": _OLD,
            "Dataset.id": _OLD,
            "Dataset.is_visible": _OLD,
            "Dataset.list": _OLD,
            "Dataset.name": _OLD,
            "Dataset.reactivate": _OLD,
            "Dataset.register": _OLD,
            "Dataset.sample": _OLD,
            "Dataset.state": _OLD,
            "Dataset.tags": _OLD,
            "Dataset.to_pandas_dataframe": _OLD,
            "Dataset.to_spark_dataframe": _OLD,
            "Dataset.update": _OLD,
            "Dataset.update_definition": _OLD,
            "Dataset.workspace": _OLD,
        },
    ),
    **_full(
        "azureml.core.datastore",
        "test_datastore.py::test_a_workspace_has_azures_datastores_and_the_first_is_the_default",
        "Datastore",
        "Datastore.get",
        "Datastore.name",
        "Datastore.workspace",
    ),
    **_full(
        "azureml.core.datastore",
        "test_datastore.py::test_half_a_credential_is_refused",
        "Datastore.register_azure_data_lake_gen2",
        "Datastore.register_azure_my_sql",
        "Datastore.register_azure_postgre_sql",
    ),
    **_full(
        "azureml.core.datastore",
        "test_datastore.py::test_the_default_can_be_chosen_and_falls_back_when_it_is_gone",
        "Datastore.set_as_default",
        "Datastore.unregister",
    ),
    **members(
        "azureml.core.datastore",
        {
            "Datastore.get_default": full(
                "test_datastore.py::test_a_workspace_has_azures_datastores_and_the_first_is_the_default",
                differs=("folders",),
            ),
            "Datastore.register_azure_blob_container": partial(
                "test_datastore.py::test_the_default_can_be_chosen_and_falls_back_when_it_is_gone",
                parameters=no_effect("skip_validation", "blob_cache_timeout", "grant_workspace_access"),
                differs=("datastore-secrets",),
            ),
            "Datastore.register_azure_data_lake": _RECORDED,
            "Datastore.register_azure_file_share": _RECORDED,
            "Datastore.register_azure_sql_database": _RECORDED,
            "Datastore.register_dbfs": _RECORDED,
            "Datastore.register_hdfs": _RECORDED,
        },
    ),
    **_full("azureml.data.abstract_dataset", SIGNATURES, "AbstractDataset"),
    **_full(
        "azureml.data.abstract_dataset",
        "test_dataset_files.py::test_to_path_names_files_below_the_folder_before_the_first_glob",
        "AbstractDataset.File",
        "AbstractDataset.name",
    ),
    **_full(
        "azureml.data.abstract_dataset",
        "test_dataset_files.py::test_a_file_of_the_web_is_downloaded",
        "AbstractDataset.Tabular",
    ),
    **_full(
        "azureml.data.abstract_dataset",
        "test_dataset_files.py::test_datasets_of_a_workspace_are_a_mapping",
        "AbstractDataset.as_named_input",
    ),
    **_full(
        "azureml.data.abstract_dataset",
        "test_dataset_files.py::test_data_changed_time_is_that_of_the_newest_file",
        "AbstractDataset.data_changed_time",
    ),
    **_full(
        "azureml.data.abstract_dataset",
        "test_dataset_files.py::test_what_is_not_saved_has_no_registration",
        "AbstractDataset.description",
        "AbstractDataset.id",
        "AbstractDataset.tags",
        "AbstractDataset.version",
    ),
    **_full(
        "azureml.data.abstract_dataset",
        "test_dataset_files.py::test_registering_gives_a_new_dataset_on_every_store",
        "AbstractDataset.get_all",
        "AbstractDataset.get_by_id",
        "AbstractDataset.get_by_name",
        "AbstractDataset.register",
    ),
    **_full(
        "azureml.data.abstract_dataset",
        "test_dataset_tabular.py::test_the_columns_of_paths",
        "AbstractDataset.get_partition_key_values",
        "AbstractDataset.partition_keys",
    ),
    **_full(
        "azureml.data.abstract_dataset",
        "test_dataset_files.py::test_unregistering_forgets_all_versions",
        "AbstractDataset.unregister_all_versions",
    ),
    **members(
        "azureml.data.abstract_dataset",
        {
            "AbstractDataset.add_tags": full(
                "test_dataset_files.py::test_tags_and_description_change_and_the_object_that_is_returned_knows",
                differs=("unregistered",),
            ),
            "AbstractDataset.remove_tags": full(
                "test_dataset_files.py::test_tags_and_description_change_and_the_object_that_is_returned_knows",
                differs=("unregistered",),
            ),
            "AbstractDataset.update": full(
                "test_dataset_files.py::test_tags_and_description_change_and_the_object_that_is_returned_knows",
                differs=("unregistered",),
            ),
        },
    ),
    **_full("azureml.data.abstract_datastore", SIGNATURES, "AbstractDatastore"),
    **_full(
        "azureml.data.abstract_datastore",
        "test_datastore.py::test_a_workspace_has_azures_datastores_and_the_first_is_the_default",
        "AbstractDatastore.datastore_type",
        "AbstractDatastore.name",
        "AbstractDatastore.workspace",
    ),
    **_full(
        "azureml.data.abstract_datastore",
        "test_datastore.py::test_the_default_can_be_chosen_and_falls_back_when_it_is_gone",
        "AbstractDatastore.set_as_default",
        "AbstractDatastore.unregister",
    ),
    **members(
        "azureml.data.azure_data_lake_datastore",
        {
            "AbstractADLSDatastore": _RECORD,
            "AbstractADLSDatastore.authority_url": _KEPT,
            "AbstractADLSDatastore.client_id": _KEPT,
            "AbstractADLSDatastore.client_secret": _KEPT,
            "AbstractADLSDatastore.resource_url": _KEPT,
            "AbstractADLSDatastore.service_data_access_auth_identity": _KEPT,
            "AbstractADLSDatastore.tenant_id": _KEPT,
            "AzureDataLakeDatastore": _RECORD,
            "AzureDataLakeDatastore.resource_group": _KEPT,
            "AzureDataLakeDatastore.store_name": _KEPT,
            "AzureDataLakeDatastore.subscription_id": _KEPT,
            "AzureDataLakeGen2Datastore": _RECORD,
            "AzureDataLakeGen2Datastore.account_name": _KEPT,
            "AzureDataLakeGen2Datastore.container_name": _KEPT,
            "AzureDataLakeGen2Datastore.endpoint": _KEPT,
            "AzureDataLakeGen2Datastore.protocol": _KEPT,
        },
    ),
    **members(
        "azureml.data.azure_my_sql_datastore",
        {
            "AzureMySqlDatastore": _RECORD,
            "AzureMySqlDatastore.database_name": _KEPT,
            "AzureMySqlDatastore.port_number": _KEPT,
            "AzureMySqlDatastore.server_name": _KEPT,
            "AzureMySqlDatastore.user_id": _KEPT,
            "AzureMySqlDatastore.user_password": _KEPT,
        },
    ),
    **members(
        "azureml.data.azure_postgre_sql_datastore",
        {
            "AzurePostgreSqlDatastore": _RECORD,
            "AzurePostgreSqlDatastore.database_name": _KEPT,
            "AzurePostgreSqlDatastore.enforce_ssl": _KEPT,
            "AzurePostgreSqlDatastore.port_number": _KEPT,
            "AzurePostgreSqlDatastore.server_name": _KEPT,
            "AzurePostgreSqlDatastore.user_id": _KEPT,
            "AzurePostgreSqlDatastore.user_password": _KEPT,
        },
    ),
    **members(
        "azureml.data.azure_sql_database_datastore",
        {
            "AzureSqlDatabaseDatastore": _RECORD,
            "AzureSqlDatabaseDatastore.auth_type": _KEPT,
            "AzureSqlDatabaseDatastore.authority_url": _KEPT,
            "AzureSqlDatabaseDatastore.client_id": _KEPT,
            "AzureSqlDatabaseDatastore.client_secret": _KEPT,
            "AzureSqlDatabaseDatastore.database_name": _KEPT,
            "AzureSqlDatabaseDatastore.password": _KEPT,
            "AzureSqlDatabaseDatastore.resource_url": _KEPT,
            "AzureSqlDatabaseDatastore.server_name": _KEPT,
            "AzureSqlDatabaseDatastore.service_data_access_auth_identity": _KEPT,
            "AzureSqlDatabaseDatastore.tenant_id": _KEPT,
            "AzureSqlDatabaseDatastore.username": _KEPT,
        },
    ),
    **_full("azureml.data.azure_storage_datastore", SIGNATURES, "AbstractAzureStorageDatastore"),
    **_full(
        "azureml.data.azure_storage_datastore",
        "test_datastore.py::test_the_attributes_of_the_default_store_are_texts",
        "AbstractAzureStorageDatastore.account_key",
        "AbstractAzureStorageDatastore.account_name",
        "AbstractAzureStorageDatastore.container_name",
        "AbstractAzureStorageDatastore.credential_type",
        "AbstractAzureStorageDatastore.endpoint",
        "AbstractAzureStorageDatastore.is_sas",
        "AbstractAzureStorageDatastore.protocol",
        "AbstractAzureStorageDatastore.sas_token",
    ),
    **_full(
        "azureml.data.azure_storage_datastore",
        "test_datastore.py::test_a_reference_changes_its_mode_and_keeps_its_name",
        "AbstractAzureStorageDatastore.as_download",
        "AbstractAzureStorageDatastore.as_mount",
        "AbstractAzureStorageDatastore.as_upload",
    ),
    **_full(
        "azureml.data.azure_storage_datastore",
        "test_datastore.py::test_download_keeps_whole_paths_and_counts",
        "AbstractAzureStorageDatastore.download",
        "AzureBlobDatastore.download",
        "AzureFileDatastore.download",
    ),
    **_full(
        "azureml.data.azure_storage_datastore",
        "test_datastore.py::test_a_registered_blob_container_is_a_record_without_its_key",
        "AbstractAzureStorageDatastore.path",
        "AzureBlobDatastore.resource_group",
    ),
    **_full(
        "azureml.data.azure_storage_datastore",
        "test_datastore.py::test_upload_files_names_them_relative_to_what_they_share",
        "AbstractAzureStorageDatastore.upload_files",
        "AzureBlobDatastore.upload_files",
        "AzureFileDatastore.upload_files",
    ),
    **_full(
        "azureml.data.azure_storage_datastore",
        "test_datastore.py::test_a_workspace_has_azures_datastores_and_the_first_is_the_default",
        "AzureBlobDatastore",
        "AzureFileDatastore",
    ),
    **members(
        "azureml.data.azure_storage_datastore",
        {
            "AbstractAzureStorageDatastore.upload": full(
                "test_datastore.py::test_upload_keeps_sub_folders_and_says_what_it_does", differs=("folders",)
            ),
            "AzureBlobDatastore.blob_service": _CLIENT,
            "AzureBlobDatastore.service_data_access_auth_identity": _KEPT,
            "AzureBlobDatastore.subscription_id": _KEPT,
            "AzureBlobDatastore.upload": full(
                "test_datastore.py::test_upload_keeps_sub_folders_and_says_what_it_does", differs=("folders",)
            ),
            "AzureBlobDatastore.workspace_msi_has_access": _KEPT,
            "AzureFileDatastore.file_service": _CLIENT,
            "AzureFileDatastore.upload": full(
                "test_datastore.py::test_upload_keeps_sub_folders_and_says_what_it_does", differs=("folders",)
            ),
        },
    ),
    **_full(
        "azureml.data.data_reference",
        "test_datastore.py::test_upload_keeps_sub_folders_and_says_what_it_does",
        "DataReference",
        "DataReference.data_reference_name",
        "DataReference.datastore",
        "DataReference.path_on_datastore",
    ),
    **_full(
        "azureml.data.data_reference",
        "test_datastore.py::test_a_reference_changes_its_mode_and_keeps_its_name",
        "DataReference.as_download",
        "DataReference.as_mount",
        "DataReference.as_upload",
    ),
    **_full(
        "azureml.data.data_reference",
        "test_datastore.py::test_a_data_path_becomes_a_reference_by_a_binding",
        "DataReference.create",
    ),
    **_full(
        "azureml.data.data_reference",
        "test_datastore.py::test_a_path_of_a_datastore_is_a_reference_under_its_name_or_a_new_one",
        "DataReference.mode",
        "DataReference.path_on_compute",
    ),
    **_full(
        "azureml.data.data_reference",
        "test_datastore.py::test_what_is_there_is_skipped_unless_it_may_be_overwritten",
        "DataReference.overwrite",
    ),
    **_full(
        "azureml.data.data_reference",
        "test_datastore.py::test_a_registered_blob_container_is_a_record_without_its_key",
        "DataReference.path",
    ),
    **_full(
        "azureml.data.data_reference",
        "test_datastore.py::test_a_reference_becomes_a_configuration",
        "DataReference.to_config",
    ),
    **_full(
        "azureml.data.datapath",
        "test_datastore.py::test_a_data_path_becomes_a_reference_by_a_binding",
        "DataPath",
        "DataPath.create_data_reference",
        "DataPath.create_from_data_reference",
        "DataPath.datastore_name",
        "DataPathComputeBinding",
        "DataPathComputeBinding.create_data_reference",
        "DataPathComputeBinding.create_from_data_reference",
    ),
    **_full(
        "azureml.data.datapath",
        "test_datastore.py::test_upload_keeps_sub_folders_and_says_what_it_does",
        "DataPath.path_on_datastore",
    ),
    **_full(
        "azureml.data.dataset_consumption_config",
        "test_dataset_files.py::test_an_input_has_a_name_and_a_mode",
        "DatasetConsumptionConfig",
        "DatasetConsumptionConfig.arg_val",
    ),
    **_full(
        "azureml.data.dataset_consumption_config",
        "test_datastore.py::test_a_reference_changes_its_mode_and_keeps_its_name",
        "DatasetConsumptionConfig.as_download",
        "DatasetConsumptionConfig.as_mount",
    ),
    **_full(
        "azureml.data.dataset_consumption_config",
        "test_dataset_tabular.py::test_a_timestamp_column_is_the_index_and_bounds_rows",
        "DatasetConsumptionConfig.dataset",
    ),
    **_full(
        "azureml.data.dataset_consumption_config",
        "test_datastore.py::test_a_path_of_a_datastore_is_a_reference_under_its_name_or_a_new_one",
        "DatasetConsumptionConfig.mode",
        "DatasetConsumptionConfig.path_on_compute",
    ),
    **_full(
        "azureml.data.dataset_consumption_config",
        "test_datastore.py::test_a_workspace_has_azures_datastores_and_the_first_is_the_default",
        "DatasetConsumptionConfig.name",
    ),
    **members(
        "azureml.data.dataset_consumption_config",
        {
            "DatasetConsumptionConfig.as_hdfs": partial(
                "test_dataset_files.py::test_an_input_has_a_name_and_a_mode",
                note="can be made, and is refused when it is submitted",
            ),
        },
    ),
    **_full(
        "azureml.data.dataset_error_handling",
        "test_dataset_tabular.py::test_a_missing_file_is_found_at_once_or_when_it_is_read",
        "DatasetExecutionError",
    ),
    **_full(
        "azureml.data.dataset_error_handling",
        "test_dataset_tabular.py::test_data_without_a_row_is_a_validation_error",
        "DatasetValidationError",
    ),
    **members(
        "azureml.data.dataset_error_handling",
        {
            "DatasetExecutionError.compliant_message": _ERROR,
            "DatasetExecutionError.error_code": _ERROR,
            "DatasetExecutionError.validation_error_code": _ERROR,
            "DatasetValidationError.compliant_message": _ERROR,
            "DatasetValidationError.error_code": _ERROR,
            "DatasetValidationError.validation_error_code": _ERROR,
        },
    ),
    **_full(
        "azureml.data.dataset_factory",
        "test_dataset_tabular.py::test_the_types_of_columns_can_be_said",
        "DataType",
        "DataType.to_bool",
        "DataType.to_datetime",
        "DataType.to_float",
        "DataType.to_long",
        "DataType.to_string",
    ),
    **_full(
        "azureml.data.dataset_factory",
        "test_dataset_files.py::test_several_paths_share_one_folder",
        "FileDatasetFactory",
    ),
    **_full(
        "azureml.data.dataset_factory",
        "test_dataset_files.py::test_upload_directory_uploads_and_gives_the_dataset",
        "FileDatasetFactory.upload_directory",
    ),
    **_full(
        "azureml.data.dataset_factory",
        "test_dataset_tabular.py::test_register_pandas_dataframe_stores_and_registers",
        "TabularDatasetFactory",
        "TabularDatasetFactory.register_pandas_dataframe",
    ),
    **members(
        "azureml.data.dataset_factory",
        {
            "DataType.to_stream": partial(
                "test_dataset_tabular.py::test_the_types_of_columns_can_be_said",
                note="the values stay texts",
                parameters=no_effect("workspace", "escaped"),
            ),
            "FileDatasetFactory.from_files": partial(
                "test_dataset_tabular.py::test_partition_formats_that_are_none_are_refused",
                parameters=no_effect("validate", "is_file"),
                differs=("local-paths",),
            ),
            "TabularDatasetFactory.from_delimited_files": partial(
                "test_dataset_tabular.py::test_several_files_are_joined_as_the_header_says",
                parameters=no_effect("support_multi_line"),
                differs=("whole-columns", "newlines", "local-paths"),
            ),
            "TabularDatasetFactory.from_json_lines_files": full(
                "test_dataset_tabular.py::test_json_lines_files_are_read_and_bad_lines_are_errors_or_dropped",
                differs=("local-paths",),
            ),
            "TabularDatasetFactory.from_parquet_files": full(
                "test_dataset_tabular.py::test_parquet_files_keep_their_types_with_texts_as_str_or_none",
                differs=("local-paths",),
            ),
            "TabularDatasetFactory.from_sql_query": _SQL,
            "TabularDatasetFactory.register_dask_dataframe": _DASK,
            "TabularDatasetFactory.register_spark_dataframe": _SPARK,
        },
    ),
    **_full(
        "azureml.data.dataset_type_definitions",
        SIGNATURES,
        "FileEncoding",
        "FileEncoding.ASCII",
        "FileEncoding.ISO88591",
        "FileEncoding.LATIN1",
        "FileEncoding.UTF16",
        "FileEncoding.UTF32",
        "FileEncoding.UTF8",
        "FileEncoding.UTF8BOM",
        "FileEncoding.WINDOWS1252",
        "HistogramCompareMethod",
        "HistogramCompareMethod.ENERGY",
        "HistogramCompareMethod.WASSERSTEIN",
        "PromoteHeadersBehavior",
        "PromoteHeadersBehavior.ALL_FILES_HAVE_SAME_HEADERS",
        "PromoteHeadersBehavior.COMBINE_ALL_FILES_HEADERS",
        "PromoteHeadersBehavior.NO_HEADERS",
        "PromoteHeadersBehavior.ONLY_FIRST_FILE_HAS_HEADERS",
        "SkipLinesBehavior",
        "SkipLinesBehavior.FROM_ALL_FILES",
        "SkipLinesBehavior.FROM_FIRST_FILE_ONLY",
        "SkipLinesBehavior.NO_ROWS",
    ),
    **members(
        "azureml.data.dbfs_datastore",
        {
            "DBFSDatastore": _RECORD,
        },
    ),
    **_full(
        "azureml.data.file_dataset",
        "test_dataset_files.py::test_files_can_be_chosen",
        "FileDataset",
        "FileDataset.file_metadata",
        "FileDataset.filter",
        "FileDataset.random_split",
        "FileDataset.skip",
        "FileDataset.take",
        "FileDataset.take_sample",
    ),
    **_full(
        "azureml.data.file_dataset",
        "test_dataset_files.py::test_an_input_has_a_name_and_a_mode",
        "FileDataset.as_download",
    ),
    **_full(
        "azureml.data.file_dataset",
        "test_dataset_files.py::test_download_gives_whole_copies_and_their_paths",
        "FileDataset.download",
    ),
    **_full(
        "azureml.data.file_dataset",
        "test_dataset_files.py::test_to_path_names_files_below_the_folder_before_the_first_glob",
        "FileDataset.to_path",
    ),
    **members(
        "azureml.data.file_dataset",
        {
            "FileDataset.as_cache": CLOUD_DATA,
            "FileDataset.as_hdfs": partial(
                "test_dataset_files.py::test_an_input_has_a_name_and_a_mode",
                note="can be made, and is refused when it is submitted",
            ),
            "FileDataset.as_mount": full(
                "test_dataset_files.py::test_an_input_has_a_name_and_a_mode", differs=("links",)
            ),
            "FileDataset.hydrate": CLOUD_DATA,
            "FileDataset.mount": full(
                "test_dataset_files.py::test_a_mount_is_a_folder_for_a_while", differs=("links",)
            ),
        },
    ),
    **members(
        "azureml.data.hdfs_datastore",
        {
            "HDFSDatastore": _RECORD,
            "HDFSDatastore.credential_type": _KEPT,
            "HDFSDatastore.credential_value": _KEPT,
            "HDFSDatastore.hdfs_server_certificate_data": _KEPT,
            "HDFSDatastore.kerberos_kdc_address": _KEPT,
            "HDFSDatastore.kerberos_principal": _KEPT,
            "HDFSDatastore.kerberos_realm": _KEPT,
            "HDFSDatastore.namenode_address": _KEPT,
            "HDFSDatastore.protocol": _KEPT,
        },
    ),
    **_full(
        "azureml.data.output_dataset_config",
        "test_dataset_files.py::test_outputs_are_configured_by_copies",
        "HDFSOutputDatasetConfig.destination",
        "LinkFileOutputDatasetConfig.as_input",
        "LinkTabularOutputDatasetConfig.as_input",
        "OutputDatasetConfig.as_input",
        "OutputDatasetConfig.register_on_complete",
        "OutputFileDatasetConfig.as_input",
        "OutputFileDatasetConfig.destination",
        "OutputTabularDatasetConfig.as_input",
        "TransformationMixin.read_delimited_files",
        "TransformationMixin.read_parquet_files",
        "UploadOptions.source_globs",
    ),
    **_full(
        "azureml.data.output_dataset_config",
        "test_datastore.py::test_upload_keeps_sub_folders_and_says_what_it_does",
        "HDFSOutputDatasetConfig.source",
        "OutputFileDatasetConfig.source",
    ),
    **_full(
        "azureml.data.output_dataset_config",
        SIGNATURES,
        "OutputDatasetConfig",
        "OutputTabularDatasetConfig",
        "RegistrationConfiguration",
        "TransformationMixin",
        "UploadOptions",
    ),
    **_full(
        "azureml.data.output_dataset_config",
        "test_dataset_files.py::test_an_input_has_a_name_and_a_mode",
        "OutputDatasetConfig.arg_val",
    ),
    **_full(
        "azureml.data.output_dataset_config",
        "test_datastore.py::test_a_path_of_a_datastore_is_a_reference_under_its_name_or_a_new_one",
        "OutputDatasetConfig.mode",
    ),
    **_full(
        "azureml.data.output_dataset_config",
        "test_datastore.py::test_a_workspace_has_azures_datastores_and_the_first_is_the_default",
        "OutputDatasetConfig.name",
        "RegistrationConfiguration.name",
    ),
    **_full(
        "azureml.data.output_dataset_config",
        "test_dataset_files.py::test_names_of_inputs_and_outputs_have_azures_rule",
        "OutputFileDatasetConfig",
    ),
    **_full(
        "azureml.data.output_dataset_config",
        "test_datastore.py::test_a_reference_changes_its_mode_and_keeps_its_name",
        "OutputFileDatasetConfig.as_mount",
        "OutputFileDatasetConfig.as_upload",
        "OutputTabularDatasetConfig.as_mount",
        "OutputTabularDatasetConfig.as_upload",
    ),
    **_full(
        "azureml.data.output_dataset_config",
        "test_dataset_tabular.py::test_columns_are_kept_in_the_order_of_the_data",
        "OutputTabularDatasetConfig.drop_columns",
    ),
    **_full(
        "azureml.data.output_dataset_config",
        "test_dataset_tabular.py::test_a_missing_file_is_found_at_once_or_when_it_is_read",
        "OutputTabularDatasetConfig.keep_columns",
    ),
    **_full(
        "azureml.data.output_dataset_config",
        "test_dataset_tabular.py::test_random_split_is_disjoint_complete_and_reproducible",
        "OutputTabularDatasetConfig.random_split",
    ),
    **_full(
        "azureml.data.output_dataset_config",
        "test_dataset_files.py::test_what_is_not_saved_has_no_registration",
        "RegistrationConfiguration.description",
    ),
    **_full(
        "azureml.data.output_dataset_config",
        "test_dataset_tabular.py::test_register_pandas_dataframe_stores_and_registers",
        "RegistrationConfiguration.tags",
    ),
    **_full(
        "azureml.data.output_dataset_config",
        "test_datastore.py::test_what_is_there_is_skipped_unless_it_may_be_overwritten",
        "UploadOptions.overwrite",
    ),
    **members(
        "azureml.data.output_dataset_config",
        {
            "HDFSOutputDatasetConfig": partial(note="can be made, and is refused when it is submitted"),
            "HDFSOutputDatasetConfig.as_input": CLOUD_DATA,
            "LinkFileOutputDatasetConfig": partial(
                "test_dataset_files.py::test_outputs_are_configured_by_copies",
                note="can be made, and is refused when it is submitted",
            ),
            "LinkTabularOutputDatasetConfig": partial(
                "test_dataset_files.py::test_outputs_are_configured_by_copies",
                note="can be made, and is refused when it is submitted",
            ),
            "MountOptions": inert("there is no cache"),
            "MountOptions.disable_metadata_cache": inert("there is no cache"),
        },
    ),
    **_full(
        "azureml.data.tabular_dataset",
        "test_dataset_tabular.py::test_take_and_skip_are_lazy_and_number_anew",
        "TabularDataset",
        "TabularDataset.skip",
        "TabularDataset.take",
    ),
    **_full(
        "azureml.data.tabular_dataset",
        "test_dataset_tabular.py::test_columns_are_kept_in_the_order_of_the_data",
        "TabularDataset.drop_columns",
    ),
    **_full(
        "azureml.data.tabular_dataset",
        "test_dataset_tabular.py::test_filter_takes_conditions_on_columns",
        "TabularDataset.filter",
    ),
    **_full(
        "azureml.data.tabular_dataset",
        "test_dataset_tabular.py::test_a_missing_file_is_found_at_once_or_when_it_is_read",
        "TabularDataset.keep_columns",
    ),
    **_full(
        "azureml.data.tabular_dataset",
        "test_dataset_tabular.py::test_random_split_is_disjoint_complete_and_reproducible",
        "TabularDataset.random_split",
    ),
    **_full(
        "azureml.data.tabular_dataset",
        "test_dataset_tabular.py::test_take_sample_takes_rows_with_a_probability",
        "TabularDataset.take_sample",
    ),
    **_full(
        "azureml.data.tabular_dataset",
        "test_dataset_tabular.py::test_a_timestamp_column_is_the_index_and_bounds_rows",
        "TabularDataset.time_after",
        "TabularDataset.time_before",
        "TabularDataset.time_between",
        "TabularDataset.time_recent",
        "TabularDataset.timestamp_columns",
        "TabularDataset.with_timestamp_columns",
    ),
    **_full(
        "azureml.data.tabular_dataset",
        "test_dataset_tabular.py::test_a_table_becomes_a_file",
        "TabularDataset.to_csv_files",
        "TabularDataset.to_parquet_files",
    ),
    **members(
        "azureml.data.tabular_dataset",
        {
            "TabularDataset.download": _STREAMS,
            "TabularDataset.get_profile": _PROFILE,
            "TabularDataset.get_profile_runs": _PROFILE,
            "TabularDataset.mount": _STREAMS,
            "TabularDataset.partition_by": _PARTITION,
            "TabularDataset.submit_profile_run": _PROFILE,
            "TabularDataset.to_dask_dataframe": _DASK,
            "TabularDataset.to_pandas_dataframe": partial(
                "test_dataset_tabular.py::test_a_cell_that_cannot_be_converted_is_null_or_an_error",
                parameters=no_effect("out_of_range_datetime"),
                differs=("whole-columns",),
            ),
            "TabularDataset.to_spark_dataframe": _SPARK,
        },
    ),
}
