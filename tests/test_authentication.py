from __future__ import annotations

import builtins
import copy
import gc
import logging
import pickle
import socket
import threading
import webbrowser

import pytest

from azml_compat.core import authentication
from azml_compat.core.authentication import (
    AbstractAuthentication,
    AccessToken,
    ArmTokenAuthentication,
    Audience,
    AzureCliAuthentication,
    AzureMLTokenAuthentication,
    InteractiveLoginAuthentication,
    MsiAuthentication,
    ServicePrincipalAuthentication,
    TokenAuthentication,
)
from azml_compat.exceptions import AuthenticationException

SECRET = "hunter2-" + "x" * 20


class Secretive:
    """A function that hands out tokens, and holds one."""

    token = SECRET

    def __call__(self, audience):
        return self.token


MAKERS = {
    "abstract": lambda: AbstractAuthentication("AzureCloud"),
    "interactive": lambda: InteractiveLoginAuthentication(force=True, tenant_id="t", cloud="nowhere"),
    "cli": lambda: AzureCliAuthentication(),
    "principal": lambda: ServicePrincipalAuthentication("tenant", "id", SECRET),
    "msi": lambda: MsiAuthentication(identity_config={"client_id": SECRET}, unknown=1),
    "arm": lambda: ArmTokenAuthentication(SECRET),
    "function": lambda: TokenAuthentication(Secretive()),
    "run": lambda: AzureMLTokenAuthentication(SECRET, run_id="r"),
    "run, created": lambda: AzureMLTokenAuthentication.create(SECRET, None, "h", "s", "g", "w", "e", "r"),
}
every_kind = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


@pytest.fixture(autouse=True)
def _no_interaction(monkeypatch):
    def fail(*args, **kwargs):
        raise AssertionError("this must not be called")

    monkeypatch.setattr(builtins, "input", fail)
    monkeypatch.setattr(webbrowser, "open", fail)
    monkeypatch.setattr(socket, "socket", fail)
    monkeypatch.setenv("AZUREML_RUN_TOKEN", SECRET)


@every_kind
def test_making_one_neither_asks_nor_starts_anything(make, caplog, capsys):
    threads = threading.active_count()
    with caplog.at_level(logging.DEBUG):
        make()

    assert threading.active_count() == threads
    assert caplog.records == []
    assert capsys.readouterr() == ("", "")


@every_kind
def test_secrets_are_not_kept(make):
    auth = make()
    if isinstance(auth, ArmTokenAuthentication):
        auth.update_arm_access_token(SECRET)
    if isinstance(auth, AzureMLTokenAuthentication):
        auth.set_token(SECRET, None)

    assert SECRET not in repr(auth)
    assert SECRET not in str(auth)
    assert SECRET not in repr(vars(auth))
    assert not any(isinstance(kept, Secretive) for kept in gc.get_referents(auth, vars(auth)))
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert SECRET.encode() not in pickle.dumps(auth, protocol)


@every_kind
@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda auth: pickle.loads(pickle.dumps(auth))])
def test_they_copy_and_pickle(make, clone):
    auth = make()

    assert type(clone(auth)) is type(auth)
    assert vars(clone(auth)) == vars(auth)


@every_kind
@pytest.mark.parametrize("ask", ["get_authentication_header", "get_token", "signed_session"])
def test_asking_for_a_token_is_refused_with_the_way_out(make, ask):
    with pytest.raises(AuthenticationException, match=r"without Azure.*MlflowClient") as caught:
        getattr(make(), ask)()

    assert SECRET not in str(caught.value)


def test_the_token_of_a_run_is_refused_too():
    with pytest.raises(AuthenticationException, match="without Azure"):
        _ = MAKERS["run"]().token


def test_a_token_function_must_be_there():
    with pytest.raises(AuthenticationException, match="get_token_for_audience"):
        TokenAuthentication(None)


@pytest.mark.parametrize("audience", ["ARM", None, "https://management.azure.com/"])
def test_an_audience_must_be_one(audience):
    with pytest.raises(ValueError, match=r"Audience\.ARM"):
        TokenAuthentication(print).get_token(audience)


@pytest.mark.parametrize("audience", Audience)
def test_a_token_function_is_not_called(audience):
    with pytest.raises(AuthenticationException):
        TokenAuthentication(lambda _: pytest.fail("called")).get_token(audience)


def test_one_object_for_the_scope_of_a_run():
    def create(run, token="a"):
        return AzureMLTokenAuthentication.create(token, 5, "h", "s", "g", "w", "e", run)

    assert create("run 1") is create("run 1", "b")
    assert create("run 1") is not create("run 2")


def test_the_expiry_time_is_kept_and_follows_set_token():
    auth = AzureMLTokenAuthentication("t", 5)
    assert auth.expiry_time == 5

    auth.set_token("t", 6)
    assert auth.expiry_time == 6
    assert (auth.EXPIRATION_THRESHOLD_IN_SECONDS, auth.REFRESH_INTERVAL_IN_SECONDS) == (95, 30)


def test_subclasses_of_the_users_work():
    class Own(AbstractAuthentication):
        def get_authentication_header(self):
            return {"Authorization": "Bearer own"}

    assert Own().get_authentication_header() == {"Authorization": "Bearer own"}


def test_values():
    assert [audience.value for audience in Audience] == ["ARM", "AZUREML"]
    assert AccessToken("t", 1) == ("t", 1)
    assert AccessToken(token="t", expires_on=1).expires_on == 1
    assert authentication.AuthenticationException is AuthenticationException
    assert authentication.ACQUIRE_DURATION_THRESHOLD == 0.1
