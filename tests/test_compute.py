"""Compute targets: records that scripts look up, create where that fails, wait for and ask for their status."""

from __future__ import annotations

import copy
import json
from datetime import datetime, timezone

import pytest

from azml_compat.core import Workspace
from azml_compat.core.compute import (
    AdlaCompute,
    AksCompute,
    AmlCompute,
    BatchCompute,
    ComputeInstance,
    ComputeTarget,
    DatabricksCompute,
    DataFactoryCompute,
    DsvmCompute,
    HDInsightCompute,
    KubernetesCompute,
    KustoCompute,
    RemoteCompute,
)
from azml_compat.core.compute.aks import AksUpdateConfiguration, SslConfiguration, SystemService
from azml_compat.core.compute.amlcompute import AmlComputeNodeStateCounts, AmlComputeStatus, ScaleSettings
from azml_compat.core.compute.compute import ComputeTargetProvisioningConfiguration
from azml_compat.core.compute.computeinstance import ComputeInstanceStatus
from azml_compat.core.compute.kubernetescompute import KubernetesComputeStatus
from azml_compat.core.compute_target import ComputeTargetException
from azml_compat.core.run import Run
from azml_compat.exceptions import UserErrorException

SECRET = "Hunter2-never-stored"


@pytest.fixture
def local_ws(local_exp):
    return local_exp.workspace


@pytest.fixture
def cluster(local_ws):
    """A cluster that was created by somebody else."""
    ComputeTarget.create(local_ws, "cpu-cluster", configuration())
    return ComputeTarget(local_ws, "cpu-cluster")


def configuration(**changes):
    return AmlCompute.provisioning_configuration(**{"vm_size": "Standard_D2_v2", "max_nodes": 4, **changes})


# The idiom of nearly every script


def test_a_script_creates_its_cluster_once_and_finds_it_later(ws, capsys):
    def find_or_create(ws):
        """Written as scripts write it."""
        cpu_cluster_name = "cpu-cluster"
        try:
            cpu_cluster = ComputeTarget(workspace=ws, name=cpu_cluster_name)
            print("Found existing cluster, use it.")
        except ComputeTargetException:
            compute_config = AmlCompute.provisioning_configuration(vm_size="STANDARD_D2_V2", max_nodes=4)
            cpu_cluster = ComputeTarget.create(ws, cpu_cluster_name, compute_config)
        cpu_cluster.wait_for_completion(show_output=True, min_node_count=None, timeout_in_minutes=20)
        return cpu_cluster

    for target in ws.compute_targets.values():
        target.delete()
    capsys.readouterr()

    assert type(find_or_create(ws)) is AmlCompute
    created = capsys.readouterr().out
    again = find_or_create(Workspace("other", "names", "same-store"))
    found = capsys.readouterr().out

    tail = (
        "Succeeded\nAmlCompute wait for completion finished\n\n"
        "Minimum number of nodes requested have been provisioned\n"
    )
    assert created == f'InProgress.\nSucceededProvisioning operation finished, operation "Succeeded"\n{tail}'
    assert found == f"Found existing cluster, use it.\n{tail}"
    assert (again.name, again.type, again.provisioning_state, again.vm_size) == (
        *("cpu-cluster", "AmlCompute", "Succeeded"),
        "STANDARD_D2_V2",
    )
    assert list(ws.compute_targets) == ["cpu-cluster"]


def test_a_target_that_is_not_there_is_azures_error(local_ws):
    for cls in (ComputeTarget, AmlCompute, AksCompute):
        with pytest.raises(ComputeTargetException) as caught:
            cls(local_ws, "x")
        assert caught.value.message == (
            "ComputeTargetNotFound: Compute Target with name x not found in provided workspace"
        )
    assert local_ws.compute_targets == {}
    with pytest.raises(KeyError):
        local_ws.compute_targets["x"]


@pytest.mark.parametrize("arguments", [(None, "x"), ("ws", None), ("ws", "")])
def test_a_target_without_workspace_or_name_is_a_type_error(arguments):
    with pytest.raises(TypeError):
        ComputeTarget(*arguments)


def test_the_object_is_of_the_class_that_was_registered(local_ws, cluster):
    assert type(AksCompute(local_ws, "cpu-cluster")) is AmlCompute
    assert isinstance(ComputeTarget(workspace=local_ws, name="cpu-cluster"), AmlCompute)
    assert type(cluster.get()) is AmlCompute


def test_a_quiet_wait_prints_one_line_after_create_and_none_later(local_ws, capsys):
    created = AmlCompute.create(local_ws, "cpu", configuration())
    created.wait_for_completion()
    assert capsys.readouterr().out == 'Provisioning operation finished, operation "Succeeded"\n'

    ComputeTarget(local_ws, "cpu").wait_for_completion()
    assert capsys.readouterr().out == ""


def test_wait_for_completion_says_at_once_that_more_nodes_time_out_and_raises_nothing(cluster, capsys):
    cluster.wait_for_completion(show_output=True, min_node_count=2, timeout_in_minutes=60)

    assert capsys.readouterr().out == (
        "Succeeded\nAmlCompute wait for completion finished\n\nWait timeout has been reached\n"
        'Current provisioning state of AmlCompute is "Succeeded" and current node count is "0"\n'
    )


# AmlCompute


def test_provisioning_configuration_has_its_arguments_as_attributes():
    made = AmlCompute.provisioning_configuration(vm_size="Standard_D2_v2", max_nodes=4, location="here", tags={"a": 1})

    assert (made.vm_size, made.vm_priority, made.compute_location, made.tags) == (
        *("Standard_D2_v2", "dedicated", "here"),
        {"a": 1},
    )
    settings = made.scale_settings
    assert (settings.minimum_node_count, settings.maximum_node_count) == (0, 4)
    assert settings.idle_seconds_before_scaledown == 1800
    assert made.validate_configuration() is None
    assert isinstance(made, ComputeTargetProvisioningConfiguration)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"max_nodes": None}, "max nodes count is mandatory"),
        ({"max_nodes": -1}, "negative"),
        ({"min_nodes": -1}, "negative"),
        ({"min_nodes": 5}, "greater"),
        ({"vm_priority": "cheap"}, "vm_priority"),
        ({"admin_username": "me"}, "password"),
        ({"admin_user_password": "Hunter2-hunter"}, "admin_username"),
        ({"admin_username": "me", "admin_user_password": "weak"}, "weak"),
        ({"vnet_name": "net"}, "subnet_name"),
        ({"identity_type": "Mine"}, "identity_type"),
        ({"identity_type": "UserAssigned"}, "identity_id"),
        ({"identity_type": "SystemAssigned", "identity_id": ["a"]}, "identity_id"),
        ({"remote_login_port_public_access": "yes"}, "remote_login_port_public_access"),
    ],
)
def test_provisioning_configuration_refuses_at_once_what_the_service_would(changes, part):
    with pytest.raises(ComputeTargetException, match=part):
        configuration(**changes)


def test_a_number_of_nodes_that_is_a_text_is_a_type_error_of_provisioning_configuration():
    with pytest.raises(TypeError):
        configuration(max_nodes="4")


def test_get_status_says_of_a_cluster_what_azure_says_of_an_idle_one(cluster):
    status = cluster.get_status()

    shown = status.serialize()
    for key in ("allocationStateTransitionTime", "creationTime", "modifiedTime"):
        assert datetime.fromisoformat(shown.pop(key)).tzinfo is not None
    assert shown == {
        "currentNodeCount": 0,
        "targetNodeCount": 0,
        "nodeStateCounts": {
            "preparingNodeCount": 0,
            "runningNodeCount": 0,
            "idleNodeCount": 0,
            "unusableNodeCount": 0,
            "leavingNodeCount": 0,
            "preemptedNodeCount": 0,
        },
        "allocationState": "Steady",
        "errors": None,
        "provisioningState": "Succeeded",
        "provisioningStateTransitionTime": None,
        "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 4, "nodeIdleTimeBeforeScaleDown": "PT1800S"},
        "vmPriority": "Dedicated",
        "vmSize": "STANDARD_D2_V2",
    }
    assert (status.current_node_count, status.vm_size, status.scale_settings.maximum_node_count) == (
        *(0, "STANDARD_D2_V2"),
        4,
    )
    assert AmlComputeStatus.deserialize(status.serialize()).serialize() == status.serialize()
    assert json.loads(json.dumps(status.serialize())) == status.serialize()


def test_deserialize_of_none_is_none():
    kinds = (ScaleSettings, AmlComputeNodeStateCounts, AmlComputeStatus, SslConfiguration)
    assert [kind.deserialize(None) for kind in (*kinds, ComputeInstanceStatus, KubernetesComputeStatus)] == [None] * 6


def test_update_changes_the_scale_settings_for_everybody(local_ws, cluster, capsys):
    cluster.update(min_nodes=1, max_nodes=8, idle_seconds_before_scaledown=60)
    cluster.wait_for_completion(show_output=True, min_node_count=1)

    again = ComputeTarget(local_ws, "cpu-cluster")
    assert again.scale_settings.serialize() == {
        "minNodeCount": 1,
        "maxNodeCount": 8,
        "nodeIdleTimeBeforeScaleDown": "PT60S",
    }
    assert again.get_status().node_state_counts.idle_node_count == 1
    assert capsys.readouterr().out.endswith("Minimum number of nodes requested have been provisioned\n")
    with pytest.raises(ComputeTargetException):
        cluster.update(min_nodes=9)


def test_identities_can_be_added_and_removed(cluster):
    cluster.add_identity("UserAssigned", ["a", "b"])
    cluster.remove_identity(["a"])
    cluster.refresh_state()
    assert (cluster.identity_type, cluster.identity_id) == ("UserAssigned", ["b"])
    cluster.remove_identity()
    assert (cluster.identity_type, cluster.identity_id) == (None, None)


def test_serialize_has_the_services_keys_and_deserialize_reads_them(local_ws, cluster):
    shown = cluster.serialize()

    assert shown["id"] == (
        "/subscriptions/subscription/resourceGroups/group/providers/Microsoft.MachineLearningServices/workspaces/"
        "workspace/computes/cpu-cluster"
    )
    assert shown["properties"]["computeType"] == "AmlCompute"
    assert shown["properties"]["properties"]["vmSize"] == "STANDARD_D2_V2"
    assert shown["properties"]["status"]["allocationState"] == "Steady"
    again = AmlCompute.deserialize(local_ws, json.loads(json.dumps(shown)))
    assert type(again) is AmlCompute
    assert again.serialize() == shown
    for wrong in ({}, {"properties": {}}, {"type": "Nonsense"}, {"properties": {"computeType": "AmlCompute"}}):
        with pytest.raises(ComputeTargetException):
            ComputeTarget.deserialize(local_ws, wrong)


def test_the_text_is_azures(local_ws, cluster):
    assert (
        repr(cluster)
        == str(cluster)
        == (
            f"AmlCompute(workspace={local_ws!r}, name=cpu-cluster, id={cluster.id}, type=AmlCompute, "
            "provisioning_state=Succeeded, location=local, tags=None)"
        )
    )


def test_what_is_asked_of_machines_that_are_not_there_is_empty(local_ws, cluster):
    assert AmlCompute.supported_vmsizes(local_ws) == ComputeInstance.supported_vmsizes(None) == []
    assert AmlCompute.list_usages(local_ws) == AmlCompute.list_quotas(local_ws) == cluster.list_nodes() == []


def test_copies_share_the_workspace(cluster, local_ws):
    for twin in (copy.copy(cluster), copy.deepcopy(cluster)):
        assert (type(twin), twin.serialize()) == (AmlCompute, cluster.serialize())
        assert twin.workspace is local_ws


# Registering and removing


def test_create_updates_what_is_there_and_keeps_its_birthday(local_ws, cluster):
    again = ComputeTarget.create(local_ws, "cpu-cluster", configuration(max_nodes=2, tags={"a": "b"}))

    assert (again.created_on, again.tags) == (cluster.created_on, {"a": "b"})
    assert [target.scale_settings.maximum_node_count for target in ComputeTarget.list(local_ws)] == [2]
    with pytest.raises(ComputeTargetException, match="AmlCompute"):
        ComputeTarget.create(local_ws, "cpu-cluster", AksCompute.provisioning_configuration())


def test_create_refuses_reserved_names(local_ws):
    for name in ("amlcompute", "local", "containerinstance"):
        with pytest.raises(UserErrorException):
            ComputeTarget.create(local_ws, name, configuration())


def test_create_refuses_names_that_the_service_refuses(local_ws):
    for name in ["a", "under_score", "sp ace", "ä-cluster", "x" * 33, "../up", None]:
        with pytest.raises(ComputeTargetException):
            ComputeTarget.create(local_ws, name, configuration())


def test_create_takes_a_configuration_for_creating(local_ws):
    for wrong in (None, {}, RemoteCompute.attach_configuration("me", address="host")):
        with pytest.raises(ComputeTargetException):
            ComputeTarget.create(local_ws, "cpu", wrong)


def test_delete_removes_the_record(local_ws, cluster, capsys):
    assert cluster.delete() is None
    assert cluster.provisioning_state == "Deleting"
    cluster.wait_for_completion(show_output=True, is_delete_operation=True)
    assert 'operation "Succeeded"' in capsys.readouterr().out
    cluster.refresh_state()

    assert local_ws.compute_targets == {}
    with pytest.raises(ComputeTargetException, match="ComputeTargetNotFound"):
        cluster.delete()


def test_refresh_state_says_that_somebody_else_removed_the_target(local_ws, cluster):
    ComputeTarget(local_ws, "cpu-cluster").delete()

    with pytest.raises(ComputeTargetException, match="ComputeTargetNotFound"):
        cluster.refresh_state()
    with pytest.raises(ComputeTargetException):
        cluster.get_status()


def test_what_was_created_cannot_be_detached_and_what_was_attached_not_deleted(local_ws, cluster):
    with pytest.raises(ComputeTargetException):
        cluster.detach()
    attached = ComputeTarget.attach(local_ws, "vm", RemoteCompute.attach_configuration("me", address="host"))
    with pytest.raises(ComputeTargetException):
        attached.delete()
    assert attached.detach() is None
    assert list(local_ws.compute_targets) == ["cpu-cluster"]


def test_get_default_compute_target_is_the_one_of_the_default_name(local_ws, cluster):
    assert local_ws.get_default_compute_target("CPU").name == "cpu-cluster"
    assert local_ws.get_default_compute_target("GPU") is None
    with pytest.raises(ValueError, match="TPU"):
        local_ws.get_default_compute_target("TPU")


# The other kinds

ID = "/subscriptions/s/resourceGroups/g/providers/p/x"
KINDS = {
    AdlaCompute: ("DataLakeAnalytics", AdlaCompute.attach_configuration("group", "account")),
    BatchCompute: ("Batch", BatchCompute.attach_configuration(resource_id=ID)),
    DataFactoryCompute: ("DataFactory", DataFactoryCompute.attach_configuration(resource_id=ID)),
    DatabricksCompute: ("Databricks", DatabricksCompute.attach_configuration("group", "name", access_token=SECRET)),
    HDInsightCompute: ("HDInsight", HDInsightCompute.attach_configuration("me", address="host", password=SECRET)),
    KubernetesCompute: ("Kubernetes", KubernetesCompute.attach_configuration(ID, "space")),
    KustoCompute: ("Kusto", KustoCompute.attach_configuration("group", "name", application_key=SECRET)),
    RemoteCompute: (
        "VirtualMachine",
        RemoteCompute.attach_configuration("me", address="host", password=SECRET, private_key_passphrase=SECRET),
    ),
    AksCompute: ("AKS", AksCompute.attach_configuration(resource_id=ID)),
}


def test_every_kind_can_be_attached_found_serialized_waited_for_and_detached(local_ws, sqlite_uri, capsys):
    for number, (cls, (kind, attach_configuration)) in enumerate(KINDS.items()):
        attached = ComputeTarget.attach(local_ws, f"target-{number}", attach_configuration)
        attached.wait_for_completion(show_output=True)
        assert capsys.readouterr().out == (
            'InProgress.\nSucceededProvisioning operation finished, operation "Succeeded"\n'
        )
        found = ComputeTarget(local_ws, f"target-{number}")
        assert (type(found), found.type, found.is_attached) == (cls, kind, True)
        assert cls.deserialize(local_ws, json.loads(json.dumps(found.serialize()))).serialize() == found.serialize()
        assert f"{cls.__name__}(workspace=" in repr(found)
        status = found.get_status()
        assert status == "Succeeded" or status.provisioning_state == "Succeeded"
        found.refresh_state()
    database = sqlite_uri.removeprefix("sqlite:///")
    with open(database, "rb") as file:
        assert SECRET.encode() not in file.read()
    for target in ComputeTarget.list(local_ws):
        target.detach()
    assert local_ws.compute_targets == {}


def test_waiting_for_what_was_not_begun_is_azures_error(local_ws):
    ComputeTarget.attach(local_ws, "vm", RemoteCompute.attach_configuration("me", address="host"))
    found = ComputeTarget(local_ws, "vm")

    with pytest.raises(ComputeTargetException, match="Long running operation information not known"):
        found.wait_for_completion(show_output=True)
    with pytest.raises(TypeError):
        found.wait_for_completion(min_node_count=1)


@pytest.mark.parametrize(
    "attach",
    [
        lambda: RemoteCompute.attach(None, "n", "me", "host"),
        lambda: AksCompute.attach(None, "n", ID),
        lambda: DatabricksCompute.attach(None, "n", ID, SECRET),
        lambda: HDInsightCompute.attach(None, "n", "me", "host"),
        lambda: AdlaCompute.attach(None, "n", ID),
        lambda: DataFactoryCompute.attach(None, "n", ID),
    ],
)
def test_the_old_forms_of_attach_are_azures_error(attach):
    with pytest.raises(ComputeTargetException, match=r"ComputeTarget\.attach"):
        attach()


@pytest.mark.parametrize(
    "configure",
    [
        lambda: RemoteCompute.attach_configuration("me"),
        lambda: HDInsightCompute.attach_configuration("", address="host"),
        lambda: AksCompute.attach_configuration("group"),
        lambda: DatabricksCompute.attach_configuration(),
        lambda: AdlaCompute.attach_configuration("group"),
        lambda: BatchCompute.attach_configuration(),
        lambda: DataFactoryCompute.attach_configuration(),
        lambda: KustoCompute.attach_configuration(),
        lambda: KubernetesCompute.attach_configuration(),
        lambda: AksCompute.provisioning_configuration(agent_count=0),
        lambda: ComputeInstance.provisioning_configuration(vnet_name="net"),
    ],
)
def test_a_configuration_that_names_nothing_is_refused(configure):
    with pytest.raises(ComputeTargetException):
        configure()


def test_aks_has_its_own_provisioning_configuration(local_ws):
    made = AksCompute.provisioning_configuration(cluster_purpose=AksCompute.ClusterPurpose.DEV_TEST, location="here")
    made.enable_ssl(leaf_domain_label="label")
    created = ComputeTarget.create(local_ws, "aks", made)

    assert (created.agent_count, created.cluster_purpose, created.location) == (3, "DevTest", "here")
    assert made.leaf_domain_label == "label"
    assert AksCompute.ClusterPurpose.FAST_PROD == "FastProd"
    with pytest.raises(ComputeTargetException):
        made.enable_ssl(leaf_domain_label="label", ssl_cname="name")
    assert AksUpdateConfiguration(load_balancer_type="x").validate_configuration() is None
    settings = SslConfiguration("Enabled", cname="name", renew=True)
    assert SslConfiguration.deserialize(settings.serialize()).serialize() == settings.serialize()
    service = SystemService("ScoringFrontEnd", "1", "10.0.0.1")
    assert SystemService.deserialize(service.serialize()).serialize() == service.serialize()


def test_dsvm_and_datafactory_can_be_created(local_ws):
    vm = ComputeTarget.create(local_ws, "vm", DsvmCompute.provisioning_configuration("Standard_D2_v2", 22))
    factory = ComputeTarget.create(local_ws, "factory", DataFactoryCompute.provisioning_configuration("here"))

    assert (type(ComputeTarget(local_ws, "vm")), vm.vm_size, vm.ssh_port) == (DsvmCompute, "Standard_D2_v2", 22)
    assert type(DsvmCompute.deserialize(local_ws, vm.serialize())) is DsvmCompute
    assert factory.location == "here"
    vm.delete()
    factory.delete()


def test_a_compute_instance_starts_stops_and_tells_its_status(local_ws, capsys):
    made = ComputeInstance.provisioning_configuration(vm_size="STANDARD_D3_V2", ssh_public_access=False)
    instance = ComputeTarget.create(local_ws, "me-1", made)
    instance.wait_for_completion(show_output=True)
    assert capsys.readouterr().out == "Running\n"

    assert (type(instance), instance.type, instance.vm_size) == (ComputeInstance, "ComputeInstance", "STANDARD_D3_V2")
    instance.stop(wait_for_completion=True, show_output=True)
    assert capsys.readouterr().out == "Stopped\n"
    assert ComputeInstance(local_ws, "me-1").get_status().state == "Stopped"
    instance.start()
    instance.restart()
    status = instance.get_status()
    assert (status.state, status.vm_size, status.errors) == ("Running", "STANDARD_D3_V2", None)
    assert json.loads(repr(status)) == status.serialize()
    assert ComputeInstanceStatus.deserialize(status.serialize()).serialize() == status.serialize()
    assert set(status.serialize()) == {"errors", "creationTime", "createdBy", "modifiedTime", "state", "vmSize"}
    assert "ComputeInstance" in ComputeInstance.get_docs_url()
    assert "Running" in instance._repr_html_()
    assert type(instance.get()) is ComputeInstance
    assert instance.update_sso_settings(True) is None
    with pytest.raises(ComputeTargetException):
        instance.detach()
    instance.delete(wait_for_completion=True, show_output=True)
    assert capsys.readouterr().out == "Deleting\n"
    assert local_ws.compute_targets == {}


def test_a_status_of_kubernetes_reads_back(local_ws):
    now = datetime.now(timezone.utc)
    status = KubernetesComputeStatus(now, now, "Succeeded")

    assert KubernetesComputeStatus.deserialize(status.serialize()).serialize() == status.serialize()
    made = KubernetesCompute.attach_configuration(ID, "space")
    assert made.to_dict() == {"resource_id": ID, "namespace": "space", "identity_type": None, "identity_ids": None}
    target = ComputeTarget.attach(local_ws, "k8s", made)
    assert type(target.get()) is KubernetesCompute
    assert (target.namespace, target.status.provisioning_state) == ("space", "Succeeded")


def test_list_by_compute_yields_the_runs_on_a_target(local_exp, cluster):
    local_exp.start_logging(snapshot_directory=None).complete()
    there = local_exp.start_logging(snapshot_directory=None)
    there._store.set_run_tags(there._record.id, {"mlflow.azml.target": "cpu-cluster"})

    assert [run.id for run in Run.list_by_compute(cluster)] == [there.id]
    assert [run.id for run in cluster.get_active_runs()] == [there.id]
    there.complete()
    assert list(cluster.get_active_runs()) == []
    assert [run.id for run in Run.list_by_compute(cluster, status="Completed")] == [there.id]
    with pytest.raises(ValueError, match="status"):
        Run.list_by_compute(cluster, status=1)
