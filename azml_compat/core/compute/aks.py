"""`azureml.core.compute.aks`: clusters for web services, as records: nothing is deployed to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from azml_compat._refused import module_attributes, refusal
from azml_compat.core.compute.compute import (
    ComputeTarget,
    ComputeTargetAttachConfiguration,
    ComputeTargetProvisioningConfiguration,
    ComputeTargetUpdateConfiguration,
    _old_attach,
)
from azml_compat.exceptions import ComputeTargetException

if TYPE_CHECKING:
    from azml_compat.core.workspace import Workspace

_DEFAULT_AGENTS = 3
_DEFAULT_SIZE = "Standard_D3_v2"


class SslConfiguration:
    """How a cluster is reached by TLS; the arguments are attributes."""

    def __init__(
        self,
        status: str | None = None,
        cert: str | None = None,
        key: str | None = None,
        cname: str | None = None,
        leaf_domain_label: str | None = None,
        overwrite_existing_domain: bool = False,
        renew: bool = False,
    ) -> None:
        self.status = status
        self.cert = cert
        self.key = key
        self.cname = cname
        self.leaf_domain_label = leaf_domain_label
        self.overwrite_existing_domain = overwrite_existing_domain
        self.renew = renew

    def serialize(self) -> dict[str, Any]:
        """Return the settings with the service's keys."""
        return {
            "status": self.status,
            "cert": self.cert,
            "key": self.key,
            "cname": self.cname,
            "leafDomainLabel": self.leaf_domain_label,
            "overwriteExistingDomain": self.overwrite_existing_domain,
            "renew": self.renew,
        }

    @staticmethod
    def deserialize(object_dict: dict[str, Any] | None) -> SslConfiguration | None:
        """Make the settings of what `serialize` returned; None of None."""
        if object_dict is None:
            return None
        return SslConfiguration(
            status=object_dict.get("status"),
            cert=object_dict.get("cert"),
            key=object_dict.get("key"),
            cname=object_dict.get("cname"),
            leaf_domain_label=object_dict.get("leafDomainLabel"),
            overwrite_existing_domain=object_dict.get("overwriteExistingDomain", False),
            renew=object_dict.get("renew", False),
        )


class SystemService:
    """A service that a cluster runs for itself; the arguments are attributes."""

    def __init__(self, service_type: str, version: str, public_ip_address: str) -> None:
        self.service_type = service_type
        self.version = version
        self.public_ip_address = public_ip_address

    def serialize(self) -> dict[str, str]:
        """Return the service with the service's keys."""
        return {
            "serviceType": self.service_type,
            "version": self.version,
            "publicIpAddress": self.public_ip_address,
        }

    @staticmethod
    def deserialize(object_dict: dict[str, str]) -> SystemService:
        """Make one of what `serialize` returned."""
        return SystemService(*(object_dict[key] for key in ("serviceType", "version", "publicIpAddress")))


class AksCompute(ComputeTarget):
    """A cluster that was created or attached before."""

    _type = "AKS"
    _fields = (
        *("agent_count", "agent_vm_size", "cluster_purpose", "cluster_fqdn", "load_balancer_type"),
        *("load_balancer_subnet", "ssl_configuration", "system_services"),
    )
    _can_be_deleted = True

    agent_count: int | None
    agent_vm_size: str | None
    cluster_purpose: str | None
    cluster_fqdn: str | None
    load_balancer_type: str | None
    load_balancer_subnet: str | None
    ssl_configuration: Any
    system_services: list[SystemService] | None

    class ClusterPurpose:
        """What a cluster is for."""

        DEV_TEST = "DevTest"
        FAST_PROD = "FastProd"

    @staticmethod
    def attach(workspace: Workspace, name: str, resource_id: str) -> NoReturn:
        """Refuse, as the original does.

        Raises:
            ComputeTargetException: always.
        """
        raise _old_attach("AksCompute")

    @staticmethod
    def attach_configuration(
        resource_group: str | None = None,
        cluster_name: str | None = None,
        resource_id: str | None = None,
        cluster_purpose: str | None = None,
        load_balancer_type: str | None = None,
        load_balancer_subnet: str | None = None,
    ) -> AksAttachConfiguration:
        """Describe a cluster for `ComputeTarget.attach`, by its resource id or its group and name.

        Raises:
            ComputeTargetException: neither is whole.
        """
        configuration = AksAttachConfiguration(
            resource_group, cluster_name, resource_id, cluster_purpose, load_balancer_type, load_balancer_subnet
        )
        configuration.validate_configuration()
        return configuration

    @staticmethod
    def provisioning_configuration(
        agent_count: int | None = None,
        vm_size: str | None = None,
        ssl_cname: str | None = None,
        ssl_cert_pem_file: str | None = None,
        ssl_key_pem_file: str | None = None,
        location: str | None = None,
        vnet_resourcegroup_name: str | None = None,
        vnet_name: str | None = None,
        subnet_name: str | None = None,
        service_cidr: str | None = None,
        dns_service_ip: str | None = None,
        docker_bridge_cidr: str | None = None,
        cluster_purpose: str | None = None,
        load_balancer_type: str | None = None,
        load_balancer_subnet: str | None = None,
    ) -> AksProvisioningConfiguration:
        """Describe a new cluster for `ComputeTarget.create`.

        Raises:
            ComputeTargetException: the number of agents is no positive one.
        """
        configuration = AksProvisioningConfiguration(
            agent_count,
            vm_size,
            ssl_cname,
            ssl_cert_pem_file,
            ssl_key_pem_file,
            location,
            vnet_resourcegroup_name,
            vnet_name,
            subnet_name,
            service_cidr,
            dns_service_ip,
            docker_bridge_cidr,
            cluster_purpose,
            load_balancer_type,
            load_balancer_subnet,
        )
        configuration.validate_configuration()
        return configuration

    def get_credentials(self) -> NoReturn:
        """Refuse: there is no cluster to get into."""
        raise refusal("azureml.core.compute.aks.AksCompute.get_credentials")

    def update(self, update_configuration: Any) -> NoReturn:
        """Refuse: there is no cluster to change."""
        raise refusal("azureml.core.compute.aks.AksCompute.update")


class _WithSsl:
    """What both ways of making a cluster say of TLS."""

    ssl_cname: str | None
    ssl_cert_pem_file: str | None
    ssl_key_pem_file: str | None
    leaf_domain_label: str | None
    overwrite_existing_domain: bool

    def enable_ssl(
        self,
        ssl_cname: str | None = None,
        ssl_cert_pem_file: str | None = None,
        ssl_key_pem_file: str | None = None,
        leaf_domain_label: str | None = None,
        overwrite_existing_domain: bool = False,
    ) -> None:
        """Set the attributes of these names; they have no effect.

        Raises:
            ComputeTargetException: a domain label stands beside a certificate.
        """
        if leaf_domain_label and (ssl_cname or ssl_cert_pem_file or ssl_key_pem_file):
            raise ComputeTargetException("Give leaf_domain_label, or a certificate of your own, and not both.")
        self.ssl_cname = ssl_cname
        self.ssl_cert_pem_file = ssl_cert_pem_file
        self.ssl_key_pem_file = ssl_key_pem_file
        self.leaf_domain_label = leaf_domain_label
        self.overwrite_existing_domain = overwrite_existing_domain


class AksAttachConfiguration(_WithSsl, ComputeTargetAttachConfiguration):
    """What is attached; the arguments are attributes."""

    _makes = "AksCompute"

    def __init__(
        self,
        resource_group: str | None = None,
        cluster_name: str | None = None,
        resource_id: str | None = None,
        cluster_purpose: str | None = None,
        load_balancer_type: str | None = None,
        load_balancer_subnet: str | None = None,
    ) -> None:
        super().__init__(AksCompute)
        self.resource_group = resource_group
        self.cluster_name = cluster_name
        self.resource_id = resource_id
        self.cluster_purpose = cluster_purpose
        self.load_balancer_type = load_balancer_type
        self.load_balancer_subnet = load_balancer_subnet
        self.enable_ssl()

    def validate_configuration(self) -> None:
        """Refuse what names nothing.

        Raises:
            ComputeTargetException: there is neither a resource id nor a group and name.
        """
        if not (self.resource_id or (self.resource_group and self.cluster_name)):
            raise ComputeTargetException("Give resource_id, or resource_group and cluster_name.")

    def _target(self) -> dict[str, Any]:
        return {
            "cluster_resource_id": self.resource_id,
            "cluster_purpose": self.cluster_purpose,
            "load_balancer_type": self.load_balancer_type,
            "load_balancer_subnet": self.load_balancer_subnet,
        }


class AksProvisioningConfiguration(_WithSsl, ComputeTargetProvisioningConfiguration):
    """What a cluster is made from; the arguments are attributes."""

    _makes = "AksCompute"

    def __init__(
        self,
        agent_count: int | None,
        vm_size: str | None,
        ssl_cname: str | None,
        ssl_cert_pem_file: str | None,
        ssl_key_pem_file: str | None,
        location: str | None,
        vnet_resourcegroup_name: str | None,
        vnet_name: str | None,
        subnet_name: str | None,
        service_cidr: str | None,
        dns_service_ip: str | None,
        docker_bridge_cidr: str | None,
        cluster_purpose: str | None,
        load_balancer_type: str | None,
        load_balancer_subnet: str | None,
    ) -> None:
        super().__init__(AksCompute, location)
        self.agent_count = agent_count
        self.vm_size = vm_size
        self.vnet_resourcegroup_name = vnet_resourcegroup_name
        self.vnet_name = vnet_name
        self.subnet_name = subnet_name
        self.service_cidr = service_cidr
        self.dns_service_ip = dns_service_ip
        self.docker_bridge_cidr = docker_bridge_cidr
        self.cluster_purpose = cluster_purpose
        self.load_balancer_type = load_balancer_type
        self.load_balancer_subnet = load_balancer_subnet
        self.enable_ssl(ssl_cname, ssl_cert_pem_file, ssl_key_pem_file)

    def validate_configuration(self) -> None:
        """Refuse what the service would refuse.

        Raises:
            ComputeTargetException: the number of agents is no positive one.
        """
        if self.agent_count is not None and self.agent_count < 1:
            raise ComputeTargetException(f"Invalid configuration: agent_count ({self.agent_count}) must be positive.")

    def _target(self) -> dict[str, Any]:
        return {
            "agent_count": self.agent_count or _DEFAULT_AGENTS,
            "agent_vm_size": self.vm_size or _DEFAULT_SIZE,
            "cluster_purpose": self.cluster_purpose,
            "load_balancer_type": self.load_balancer_type,
            "load_balancer_subnet": self.load_balancer_subnet,
        }


class AksUpdateConfiguration(ComputeTargetUpdateConfiguration):
    """What a cluster is changed by; the arguments are attributes."""

    _makes = "AksCompute"

    def __init__(
        self,
        ssl_configuration: SslConfiguration | None = None,
        load_balancer_type: str | None = None,
        load_balancer_subnet: str | None = None,
    ) -> None:
        super().__init__(AksCompute)
        self.ssl_configuration = ssl_configuration
        self.load_balancer_type = load_balancer_type
        self.load_balancer_subnet = load_balancer_subnet


__getattr__, __dir__ = module_attributes(__name__)
