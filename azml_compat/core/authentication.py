"""`azureml.core.authentication`: accepted and inert, since an MLflow store asks for no Azure credentials.

Scripts construct these objects only to hand them to `Workspace`, which ignores them. So nothing here prompts,
opens a connection or starts a thread, and no secret is kept: what is never stored cannot be shown, pickled or
logged. Asking for a token is refused, because a made-up one would fail later and further away.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from enum import Enum
from typing import Any, ClassVar, NoReturn

from azml_compat._refused import NotSupportedError, module_attributes, refusal
from azml_compat.exceptions._azureml_exception import AuthenticationException

AccessToken = namedtuple("AccessToken", ["token", "expires_on"])


class Audience(Enum):
    """What a token is for."""

    ARM = "ARM"
    AZUREML = "AZUREML"


class _NoTokenError(NotSupportedError, AuthenticationException):
    """There is no Azure that would give a token; scripts that catch AuthenticationException catch it."""


def _no_token(member: str) -> NoReturn:
    raise refusal(f"azureml.core.authentication.{member}", _NoTokenError)


class AbstractAuthentication:
    """Base of all authentication classes.

    Args:
        cloud: Ignored.

    Differs from Azure:
        Nothing is authenticated. Asking for a token, a header or a session raises AuthenticationException.
    """

    def __init__(self, cloud: Any = None) -> None:
        pass

    def get_authentication_header(self) -> Any:
        """Refuse: there is no Azure to authenticate against."""
        _no_token("AbstractAuthentication.get_authentication_header")

    def get_token(self, *scopes: Any, **kwargs: Any) -> Any:
        """Refuse: there is no Azure to authenticate against."""
        _no_token("AbstractAuthentication.get_token")

    def signed_session(self, session: Any = None) -> Any:
        """Refuse: there is no Azure to authenticate against."""
        _no_token("AbstractAuthentication.signed_session")


class InteractiveLoginAuthentication(AbstractAuthentication):
    """The default of Azure's `Workspace`: a login in the browser.

    Args:
        force: Ignored.
        tenant_id: Ignored.
        cloud: Ignored.

    Differs from Azure:
        It never prompts, not even with `force=True`, and looks for no cached or ambient credentials.
    """

    def __init__(self, force: Any = False, tenant_id: Any = None, cloud: Any = None) -> None:
        super().__init__(cloud)


class AzureCliAuthentication(AbstractAuthentication):
    """The login of the Azure command line.

    Args:
        cloud: Ignored.

    Differs from Azure:
        azure-cli need not be installed.
    """

    def __init__(self, cloud: Any = None) -> None:
        super().__init__(cloud)


class ServicePrincipalAuthentication(AbstractAuthentication):
    """A service principal's id and password.

    Args:
        tenant_id: Ignored.
        service_principal_id: Ignored.
        service_principal_password: Ignored, and not kept.
        cloud: Ignored.

    Differs from Azure:
        The password is dropped at once.
    """

    def __init__(
        self,
        tenant_id: Any,
        service_principal_id: Any,
        service_principal_password: Any,
        cloud: Any = "AzureCloud",
        _enable_caching: Any = True,
    ) -> None:
        super().__init__(cloud)


class MsiAuthentication(AbstractAuthentication):
    """The managed identity of an Azure machine.

    Args:
        cloud: Ignored, as are all keyword arguments (Azure's `identity_config`).

    Differs from Azure:
        The machine needs no managed identity.
    """

    def __init__(self, cloud: Any = None, **kwargs: Any) -> None:
        super().__init__(cloud)


class ArmTokenAuthentication(AbstractAuthentication):
    """A token that the caller has obtained and renews.

    Args:
        arm_access_token: Ignored, and not kept.
        cloud: Ignored.

    Differs from Azure:
        The token is dropped at once.
    """

    def __init__(self, arm_access_token: Any, cloud: Any = "None") -> None:
        super().__init__(cloud)

    def update_arm_access_token(self, new_arm_access_token: Any) -> None:
        """Accept a new token, and drop it like the first."""


class TokenAuthentication(AbstractAuthentication):
    """Tokens that a function of the caller's hands out.

    Args:
        get_token_for_audience: The function. It must be there, but is neither called nor kept.
        cloud: Ignored.

    Raises:
        AuthenticationException: The function is None.

    Differs from Azure:
        `get_token` does not call the function, since nothing here could use its token.
    """

    def __init__(self, get_token_for_audience: Callable[[Any], Any] | None, cloud: Any = None) -> None:
        super().__init__(cloud)
        if get_token_for_audience is None:
            raise AuthenticationException("get_token_for_audience must be a function, not None.")

    def get_token(self, audience: Any = Audience.ARM) -> Any:
        """Refuse: there is no Azure to authenticate against.

        Raises:
            ValueError: The audience is not one of `Audience`.
        """
        if not isinstance(audience, Audience):
            raise ValueError(f"audience must be Audience.ARM or Audience.AZUREML, not {audience!r}.")
        _no_token("TokenAuthentication.get_token")


class AzureMLTokenAuthentication(AbstractAuthentication):
    """The token that Azure gives to a submitted run.

    Args:
        azureml_access_token: Ignored, and not kept; so are all other arguments except `expiry_time`.
        expiry_time: Kept, and given back by the property of this name.

    Differs from Azure:
        The token is dropped at once, asking for it raises AuthenticationException, and no thread renews it.
    """

    EXPIRATION_THRESHOLD_IN_SECONDS = 95
    REFRESH_INTERVAL_IN_SECONDS = 30

    _of_scope: ClassVar[dict[tuple[Any, ...], AzureMLTokenAuthentication]] = {}

    def __init__(
        self,
        azureml_access_token: Any,
        expiry_time: Any = None,
        host: Any = None,
        subscription_id: Any = None,
        resource_group_name: Any = None,
        workspace_name: Any = None,
        experiment_name: Any = None,
        run_id: Any = None,
        user_email: Any = None,
        experiment_id: Any = None,
        cloud: Any = "AzureCloud",
    ) -> None:
        super().__init__(cloud)
        self._expiry_time = expiry_time

    @classmethod
    def create(
        cls,
        azureml_access_token: Any,
        expiry_time: Any,
        host: Any,
        subscription_id: Any,
        resource_group_name: Any,
        workspace_name: Any,
        experiment_name: Any,
        run_id: Any,
        user_email: Any = None,
        experiment_id: Any = None,
    ) -> AzureMLTokenAuthentication:
        """Give the one object of a run's scope, making it on the first call."""
        scope = (subscription_id, resource_group_name, workspace_name, experiment_name, run_id)
        made = cls(azureml_access_token, expiry_time)
        return cls._of_scope.setdefault(scope, made)

    @property
    def token(self) -> Any:
        """Refuse: the token was dropped, since nothing here could use it."""
        _no_token("AzureMLTokenAuthentication.token")

    @property
    def expiry_time(self) -> Any:
        """The time that was given as the token's end."""
        return self._expiry_time

    def set_token(self, token: Any, expiry_time: Any) -> None:
        """Take over the new end, and drop the token like the first."""
        self._expiry_time = expiry_time

    def get_authentication_header(self) -> Any:
        """Refuse: there is no Azure to authenticate against."""
        _no_token("AzureMLTokenAuthentication.get_authentication_header")


__getattr__, __dir__ = module_attributes(__name__)
