"""`azureml.core.compute`, member by member."""

from __future__ import annotations

from azml_compat._support.records import Support, full, inert, members, partial, refused

_FILE = "test_compute.py::"
_IDIOM = _FILE + "test_a_script_creates_its_cluster_once_and_finds_it_later"
_STATUS = _FILE + "test_get_status_says_of_a_cluster_what_azure_says_of_an_idle_one"
_EVERY_KIND = _FILE + "test_every_kind_can_be_attached_found_serialized_waited_for_and_detached"
_INSTANCE = _FILE + "test_a_compute_instance_starts_stops_and_tells_its_status"
_REFUSALS = _FILE + "test_provisioning_configuration_refuses_at_once_what_the_service_would"
_DIFFERS = ("compute",)

_RECORD = partial(note="as recorded; nothing is provisioned", differs=_DIFFERS)
_ARGUMENT = partial(note="the argument of that name")
_EMPTY = partial(note="None: there is no machine")
_NO_MACHINES = inert(
    "returns `[]`: there are no machines",
    _FILE + "test_what_is_asked_of_machines_that_are_not_there_is_empty",
    differs=_DIFFERS,
)
_NO_CREDENTIALS = refused(
    "passwords and keys of compute targets are not kept", "take them from where you keep them", planned=False
)
_OLD = full(_FILE + "test_the_old_forms_of_attach_are_azures_error", note="raises, as in the original")
_ARGUMENTS = partial(note="its arguments are its attributes")
_VALIDATED = partial(note="what is missing is refused")
_CHECKED = partial(_FILE + "test_a_configuration_that_names_nothing_is_refused", note="what is missing is refused")
_JSON = partial(note="the keys are not those of the original")
_STATE = dict.fromkeys(("modified_on", "provisioning_errors", "provisioning_state"), _RECORD)
_OF_A_CLUSTER = dict.fromkeys(("cluster_location", "cluster_resource_id"), _RECORD)
_OF_EVERY_KIND = {
    "": partial(note="a record: nothing is provisioned", differs=_DIFFERS),
    "delete": _RECORD,
    "deserialize": _JSON,
    "detach": _RECORD,
    "refresh_state": _RECORD,
    "serialize": _JSON,
    **_STATE,
}


def _kind(name: str, *attributes: str, **own: Support) -> dict[str, Support]:
    """Give the entries of a class of targets: those of all, its attributes, and what is its own."""
    return members(f"azureml.core.compute.{name}", {**_OF_EVERY_KIND, **dict.fromkeys(attributes, _RECORD), **own})


def _cluster(name: str, *attributes: str, **own: Support) -> dict[str, Support]:
    """Give the entries of a class of targets that are somewhere else."""
    return _kind(name, *attributes, **_OF_A_CLUSTER, **own)


def _arguments(name: str, *attributes: str, **own: Support) -> dict[str, Support]:
    """Give the entries of a configuration: its attributes are its arguments."""
    table = {"": _ARGUMENTS, "validate_configuration": _VALIDATED, **dict.fromkeys(attributes, _ARGUMENT), **own}
    return members(f"azureml.core.compute.{name}", table)


def _plain(name: str, test: str, *attributes: str) -> dict[str, Support]:
    """Give the entries of a class that only holds its arguments."""
    found = full(test)
    table = {"": found, "deserialize": found, "serialize": found, **dict.fromkeys(attributes, _ARGUMENT)}
    return members(f"azureml.core.compute.{name}", table)


_SSL = ("leaf_domain_label", "overwrite_existing_domain", "ssl_cert_pem_file", "ssl_cname", "ssl_key_pem_file")
_ENABLE_SSL = inert("sets the attributes of these names: nothing is deployed", differs=_DIFFERS)
_SSH = (
    *("address", "password", "private_key_file", "private_key_passphrase", "resource_group", "resource_id", "ssh_port"),
    *("subscription_id", "username"),
)
_NETWORK = ("subnet_name", "vnet_name", "vnet_resourcegroup_name")

BASE = {
    **members(
        "azureml.core.compute.compute.ComputeTarget",
        {
            "": full(
                _IDIOM,
                _FILE + "test_a_target_that_is_not_there_is_azures_error",
                _FILE + "test_a_target_without_workspace_or_name_is_a_type_error",
                differs=_DIFFERS,
            ),
            "attach": partial(_EVERY_KIND, note="passwords and keys are not kept", differs=_DIFFERS),
            "create": full(
                _IDIOM, _FILE + "test_create_updates_what_is_there_and_keeps_its_birthday", differs=_DIFFERS
            ),
            "created_on": full(_FILE + "test_create_updates_what_is_there_and_keeps_its_birthday"),
            "delete": full(_FILE + "test_delete_removes_the_record", differs=_DIFFERS),
            "description": _ARGUMENT,
            "deserialize": full(_EVERY_KIND),
            "detach": full(_EVERY_KIND, differs=_DIFFERS),
            "get_status": full(_EVERY_KIND, differs=_DIFFERS),
            "id": full(_FILE + "test_serialize_has_the_services_keys_and_deserialize_reads_them"),
            "is_attached": full(_EVERY_KIND),
            "list": full(_EVERY_KIND),
            "location": partial(note="that of the configuration, else of the workspace"),
            "name": full(_IDIOM),
            "refresh_state": full(_FILE + "test_refresh_state_says_that_somebody_else_removed_the_target"),
            "serialize": _JSON,
            "tags": full(_FILE + "test_create_updates_what_is_there_and_keeps_its_birthday"),
            "type": full(_IDIOM),
            "wait_for_completion": full(
                _EVERY_KIND, _FILE + "test_waiting_for_what_was_not_begun_is_azures_error", differs=_DIFFERS
            ),
            "workspace": full(_FILE + "test_copies_share_the_workspace"),
            **_STATE,
            **_OF_A_CLUSTER,
            "provisioning_state": full(_IDIOM, differs=_DIFFERS),
        },
    ),
    **_arguments("compute.ComputeTargetAttachConfiguration"),
    **_arguments("compute.ComputeTargetProvisioningConfiguration", "location"),
    **_arguments("compute.ComputeTargetUpdateConfiguration"),
}

CLUSTERS = {
    **_cluster(
        "amlcompute.AmlCompute",
        *("admin_user_ssh_key", "admin_username", "remote_login_port_public_access", *_NETWORK),
        add_identity=full(_FILE + "test_identities_can_be_added_and_removed"),
        admin_user_password=inert("is None: passwords are not kept"),
        get=full(_FILE + "test_the_object_is_of_the_class_that_was_registered"),
        get_active_runs=full(_FILE + "test_list_by_compute_yields_the_runs_on_a_target"),
        get_status=full(_STATUS, differs=_DIFFERS),
        identity_id=full(_FILE + "test_identities_can_be_added_and_removed"),
        identity_type=full(_FILE + "test_identities_can_be_added_and_removed"),
        list_nodes=_NO_MACHINES,
        list_quotas=_NO_MACHINES,
        list_usages=_NO_MACHINES,
        provisioning_configuration=full(
            _REFUSALS, _FILE + "test_provisioning_configuration_has_its_arguments_as_attributes"
        ),
        remove_identity=full(_FILE + "test_identities_can_be_added_and_removed"),
        scale_settings=full(_FILE + "test_update_changes_the_scale_settings_for_everybody"),
        status=partial(_STATUS, note="a cluster with its minimum of nodes, all idle", differs=_DIFFERS),
        supported_vmsizes=_NO_MACHINES,
        update=full(_FILE + "test_update_changes_the_scale_settings_for_everybody"),
        update_quotas=refused("there are no quotas of machines here", "remove the call", planned=False),
        vm_priority=_RECORD,
        vm_size=full(_IDIOM),
        wait_for_completion=full(
            _IDIOM,
            _FILE + "test_wait_for_completion_says_at_once_that_more_nodes_time_out_and_raises_nothing",
            differs=_DIFFERS,
        ),
        **{
            "": full(_IDIOM, _FILE + "test_the_text_is_azures", differs=_DIFFERS),
            "delete": full(_FILE + "test_delete_removes_the_record", differs=_DIFFERS),
            "deserialize": full(_FILE + "test_serialize_has_the_services_keys_and_deserialize_reads_them"),
            "detach": full(
                _FILE + "test_what_was_created_cannot_be_detached_and_what_was_attached_not_deleted",
                note="raises, as in the original",
            ),
            "refresh_state": full(_FILE + "test_refresh_state_says_that_somebody_else_removed_the_target"),
            "serialize": full(_FILE + "test_serialize_has_the_services_keys_and_deserialize_reads_them"),
        },
    ),
    **_arguments(
        "amlcompute.AmlComputeProvisioningConfiguration",
        *("admin_user_password", "admin_user_ssh_key", "admin_username", "compute_location", "description"),
        *("enable_node_public_ip", "identity_id", "identity_type", "remote_login_port_public_access"),
        *("scale_settings", "tags", "vm_priority", "vm_size", *_NETWORK),
    ),
    **_plain(
        "amlcompute.AmlComputeStatus",
        _STATUS,
        *("allocation_state", "allocation_state_transition_time", "creation_time", "current_node_count", "errors"),
        *("modified_time", "node_state_counts", "provisioning_state", "provisioning_state_transition_time"),
        *("scale_settings", "target_node_count", "vm_priority", "vm_size"),
    ),
    **_plain(
        "amlcompute.AmlComputeNodeStateCounts",
        _FILE + "test_deserialize_of_none_is_none",
        *("idle_node_count", "leaving_node_count", "preempted_node_count", "preparing_node_count"),
        *("running_node_count", "unusable_node_count"),
    ),
    **_plain(
        "amlcompute.ScaleSettings",
        _FILE + "test_deserialize_of_none_is_none",
        *("idle_seconds_before_scaledown", "maximum_node_count", "minimum_node_count"),
    ),
}

INSTANCES = {
    **_kind(
        "computeinstance.ComputeInstance",
        *("admin_user_ssh_public_key", "assigned_user_object_id", "assigned_user_tenant_id", "ssh_public_access"),
        *_NETWORK,
        **dict.fromkeys(
            (
                *("admin_username", "applications", "errors", "instance_location", "instance_resource_id"),
                *("private_ip_address", "public_ip_address", "ssh_port", "subnet_id"),
            ),
            _EMPTY,
        ),
        **dict.fromkeys(("get", "get_status", "restart", "start", "stop"), full(_INSTANCE, differs=_DIFFERS)),
        get_active_runs=partial(note="those that were submitted to it and have not ended"),
        get_docs_url=full(_INSTANCE),
        provisioning_configuration=full(_INSTANCE),
        status=full(_INSTANCE, differs=_DIFFERS),
        supported_vmsizes=_NO_MACHINES,
        update_sso_settings=inert("nobody signs in", _INSTANCE),
        vm_size=full(_INSTANCE),
        wait_for_completion=partial(_INSTANCE, note="prints the state it is in, and no other", differs=_DIFFERS),
    ),
    **_arguments(
        "computeinstance.ComputeInstanceProvisioningConfiguration",
        *("admin_user_ssh_public_key", "assigned_user_object_id", "assigned_user_tenant_id", "description"),
        *("ssh_public_access", "tags", "vm_size", *_NETWORK),
    ),
    **_plain(
        "computeinstance.ComputeInstanceStatus",
        _INSTANCE,
        *("created_by_user_id", "created_by_user_name", "created_by_user_org", "creation_time", "errors"),
        *("modified_time", "state", "vm_size"),
    ),
}

_AKS = _FILE + "test_aks_has_its_own_provisioning_configuration"
OTHERS = {
    **_cluster("adla.AdlaCompute", attach=_OLD, attach_configuration=_CHECKED),
    **_arguments("adla.DataLakeAnalyticsAttachConfiguration", "account_name", "resource_group", "resource_id"),
    **_cluster(
        "aks.AksCompute",
        *("agent_count", "agent_vm_size", "cluster_purpose", "load_balancer_subnet", "load_balancer_type"),
        ClusterPurpose=full(_AKS),
        attach=_OLD,
        attach_configuration=_CHECKED,
        cluster_fqdn=_EMPTY,
        get_credentials=_NO_CREDENTIALS,
        provisioning_configuration=full(_AKS, differs=_DIFFERS),
        ssl_configuration=_EMPTY,
        system_services=_EMPTY,
        update=refused("there is no cluster to change", "create or attach the target anew", planned=False),
    ),
    **_arguments(
        "aks.AksAttachConfiguration",
        *("cluster_name", "cluster_purpose", "load_balancer_subnet", "load_balancer_type", "resource_group"),
        *("resource_id", *_SSL),
        enable_ssl=_ENABLE_SSL,
    ),
    **_arguments(
        "aks.AksProvisioningConfiguration",
        *("agent_count", "cluster_purpose", "dns_service_ip", "docker_bridge_cidr", "load_balancer_subnet"),
        *("load_balancer_type", "service_cidr", "vm_size", *_NETWORK, *_SSL),
        enable_ssl=_ENABLE_SSL,
    ),
    **_arguments(
        "aks.AksUpdateConfiguration",
        *("load_balancer_subnet", "load_balancer_type", "ssl_configuration"),
    ),
    **_plain(
        "aks.SslConfiguration",
        _AKS,
        *("cert", "cname", "key", "leaf_domain_label", "overwrite_existing_domain", "renew", "status"),
    ),
    **_plain("aks.SystemService", _AKS, "public_ip_address", "service_type", "version"),
    **_cluster("batch.BatchCompute", attach_configuration=_CHECKED),
    **_arguments("batch.BatchAttachConfiguration", "account_name", "resource_group", "resource_id"),
    **_cluster(
        "databricks.DatabricksCompute", attach=_OLD, attach_configuration=_CHECKED, get_credentials=_NO_CREDENTIALS
    ),
    **_arguments(
        "databricks.DatabricksAttachConfiguration", "access_token", "resource_group", "resource_id", "workspace_name"
    ),
    **_cluster(
        "datafactory.DataFactoryCompute",
        attach=_OLD,
        attach_configuration=_CHECKED,
        provisioning_configuration=full(_FILE + "test_dsvm_and_datafactory_can_be_created"),
    ),
    **_arguments("datafactory.DataFactoryAttachConfiguration", "factory_name", "resource_group", "resource_id"),
    **_arguments("datafactory.DataFactoryProvisioningConfiguration"),
    **_cluster(
        "dsvm.DsvmCompute",
        *("ssh_port", "vm_size"),
        address=_EMPTY,
        get_credentials=_NO_CREDENTIALS,
        provisioning_configuration=full(_FILE + "test_dsvm_and_datafactory_can_be_created"),
    ),
    **_arguments("dsvm.DsvmProvisioningConfiguration", "ssh_port", "vm_size"),
    **_cluster(
        "hdinsight.HDInsightCompute",
        *("address", "ssh_port"),
        attach=_OLD,
        attach_configuration=_CHECKED,
        get_credentials=_NO_CREDENTIALS,
        vm_size=_EMPTY,
    ),
    **_arguments("hdinsight.HDInsightAttachConfiguration", "cluster_name", *_SSH),
    **_cluster(
        "kubernetescompute.KubernetesCompute",
        *("identity", "identity_ids", "identity_type", "namespace"),
        attach_configuration=_CHECKED,
        default_instance_type=_EMPTY,
        get=partial(_FILE + "test_a_status_of_kubernetes_reads_back", note="the registered target of this name"),
        get_status=_RECORD,
        instance_types=_EMPTY,
        public_ip=_EMPTY,
        status=_RECORD,
        vm_size=_EMPTY,
        wait_for_completion=_RECORD,
    ),
    **_arguments(
        "kubernetescompute.KubernetesComputeAttachConfiguration",
        *("identity_ids", "identity_type", "namespace", "resource_id"),
        to_dict=full(_FILE + "test_a_status_of_kubernetes_reads_back"),
    ),
    **_plain(
        "kubernetescompute.KubernetesComputeStatus",
        _FILE + "test_a_status_of_kubernetes_reads_back",
        *("creation_time", "modified_time", "provisioning_state"),
    ),
    **_cluster("kusto.KustoCompute", attach_configuration=_CHECKED, get_credentials=_NO_CREDENTIALS),
    **_arguments(
        "kusto.KustoAttachConfiguration",
        *("application_id", "application_key", "kusto_connection_string", "resource_group", "resource_id"),
        *("tenant_id", "workspace_name"),
    ),
    **_cluster(
        "remote.RemoteCompute",
        *("address", "ssh_port"),
        attach=_OLD,
        attach_configuration=_CHECKED,
        get_credentials=_NO_CREDENTIALS,
        vm_size=_EMPTY,
    ),
    **_arguments("remote.RemoteComputeAttachConfiguration", "vm_name", *_SSH),
}

OF_WORKSPACE = {
    "azureml.core.run.Run.list_by_compute": full(_FILE + "test_list_by_compute_yields_the_runs_on_a_target"),
    "azureml.core.workspace.Workspace.compute_targets": full(_IDIOM, differs=_DIFFERS),
    "azureml.core.workspace.Workspace.get_default_compute_target": full(
        _FILE + "test_get_default_compute_target_is_the_one_of_the_default_name"
    ),
}

COMPUTE: dict[str, Support] = {**BASE, **CLUSTERS, **INSTANCES, **OTHERS, **OF_WORKSPACE}
