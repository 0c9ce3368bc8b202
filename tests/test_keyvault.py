"""Secrets: where they are kept, what is said when there is no place for them, and where they never are."""

from __future__ import annotations

import sys

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.chainer import ChainerBackend
from keyring.backends.null import Keyring as NullKeyring
from keyring.errors import KeyringLocked, PasswordDeleteError

from azml_compat import _secrets
from azml_compat.core import Keyvault
from azml_compat.exceptions import ServiceException, UserErrorException

SECRET = "hunter2-ü-never-shown"


class MemoryKeyring(KeyringBackend):
    """Keeps passwords in memory, and says that the operating system does."""

    __module__ = "keyring.backends.SecretService"
    priority = -1  # never chosen by keyring itself

    def __init__(self):
        super().__init__()
        self.kept = {}
        self.is_locked = False

    def _open(self):
        if self.is_locked:
            raise KeyringLocked(f"cannot show {SECRET}")
        return self.kept

    def get_password(self, service, username):
        return self._open().get((service, username))

    def set_password(self, service, username, password):
        self._open()[service, username] = password

    def delete_password(self, service, username):
        if self._open().pop((service, username), None) is None:
            raise PasswordDeleteError("there is none")


@pytest.fixture
def chosen(monkeypatch):
    """Choose a back end of keyring for a test."""
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


@pytest.fixture
def system(chosen):
    """A secure back end."""
    backend = MemoryKeyring()
    chosen(backend)
    return backend


@pytest.fixture
def vault(local_exp):
    return local_exp.workspace.get_default_keyvault()


def test_a_secret_that_is_set_is_read_back_listed_and_deleted(system, vault):
    assert isinstance(vault, Keyvault)
    assert vault.set_secret("db-password", SECRET) is None
    vault.set_secrets({"a": "1", "b": "2"})
    vault.set_secret("a", "3")

    assert vault.get_secret(name="db-password") == SECRET
    assert vault.get_secrets(["a", "b", "missing"]) == {"a": "3", "b": "2", "missing": None}
    assert [secret["name"] for secret in vault.list_secrets()] == ["a", "b", "db-password"]
    assert vault.get_secret_content_type("a") == "application/NotProvided"
    vault.delete_secret("a")
    vault.delete_secrets(["b", "never there"])
    assert vault.get_secrets(["a", "b"]) == {"a": None, "b": None}
    assert [secret["name"] for secret in vault.list_secrets()] == ["db-password"]


def test_the_keyvault_of_a_workspace(local_exp):
    vault = local_exp.workspace.get_default_keyvault()

    assert type(vault) is Keyvault
    assert vault.workspace is local_exp.workspace


def test_a_run_reads_the_secrets_of_its_workspace(system, vault, local_exp):
    vault.set_secret("token", SECRET)
    run = local_exp.start_logging(snapshot_directory=None)

    assert run.get_secret("token") == SECRET
    assert run.get_secrets(["token", "other"]) == {"token": SECRET, "other": None}


def test_a_missing_secret_is_a_service_exception(system, vault):
    with pytest.raises(ServiceException, match="AZUREML_SECRET_NO_SUCH_ONE") as caught:
        vault.get_secret("no-such.one")
    assert caught.value.status_code == 404
    with pytest.raises(ServiceException):
        vault.get_secret_content_type("no-such.one")


def test_the_environment_is_read_and_never_written(vault, monkeypatch):
    monkeypatch.setenv("AZUREML_SECRET_DB_PASSWORD", SECRET)

    assert vault.get_secret("db-password") == vault.get_secret("DB.password") == SECRET
    assert vault.list_secrets() == [{"name": "db-password", "contentType": "application/NotProvided"}]
    vault.delete_secret("db-password")
    assert vault.get_secret("db-password") == SECRET


def test_what_was_set_wins_over_the_environment(system, vault, monkeypatch):
    monkeypatch.setenv("AZUREML_SECRET_A", "from outside")

    vault.set_secret("a", "set")

    assert vault.get_secret("a") == "set"


@pytest.mark.parametrize(
    "backend", [keyring.get_keyring(), NullKeyring(), ChainerBackend()], ids=lambda b: str(type(b))
)
def test_without_a_safe_place_setting_a_secret_says_what_to_do(chosen, vault, backend):
    chosen(backend)

    with pytest.raises(UserErrorException, match="AZUREML_SECRET_A before the script starts") as caught:
        vault.set_secret("a", SECRET)

    assert SECRET not in str(caught.value)
    assert vault.list_secrets() == []


def test_a_back_end_that_writes_files_is_not_safe(chosen):
    class PlaintextKeyring(MemoryKeyring):
        __module__ = "keyrings.alt.file"

    chosen(PlaintextKeyring())

    with pytest.raises(UserErrorException):
        _secrets.keep("a", SECRET)


def test_a_chain_is_as_safe_as_its_weakest_link(chosen, monkeypatch):
    first = MemoryKeyring()

    class Chain(ChainerBackend):
        __module__ = ChainerBackend.__module__
        backends = (first,)

    chosen(Chain())
    _secrets.keep("a", SECRET)
    assert first.kept == {("azml_compat", "a"): SECRET}

    Chain.backends = (first, NullKeyring())
    with pytest.raises(UserErrorException):
        _secrets.keep("b", SECRET)


def test_without_keyring_the_environment_remains(vault, monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    monkeypatch.setenv("AZUREML_SECRET_A", "1")

    assert vault.get_secret("a") == "1"
    with pytest.raises(UserErrorException, match="pip install keyring"):
        vault.set_secret("b", SECRET)


def test_a_locked_store_of_secrets_is_told_and_shows_nothing(system, vault, monkeypatch):
    system.is_locked = True
    monkeypatch.setenv("AZUREML_SECRET_A", "1")

    assert vault.get_secret("a") == "1"
    for use in (lambda: vault.get_secret("b"), lambda: vault.set_secret("b", SECRET), lambda: vault.delete_secret("b")):
        with pytest.raises(UserErrorException, match="KeyringLocked") as caught:
            use()
        assert SECRET not in str(caught.value)
        assert caught.value.__cause__ is None


@pytest.mark.parametrize("value", [b"bytes", None, 7])
def test_a_secret_is_a_text(system, vault, value):
    with pytest.raises(UserErrorException) as caught:
        vault.set_secret("a", value)
    assert "bytes'" not in str(caught.value).replace("<class 'bytes'>", "")


def test_the_store_the_log_and_a_repr_never_see_a_secret(system, vault, tmp_path, caplog, capfd):
    caplog.set_level("DEBUG")
    vault.set_secret("a", SECRET)
    vault.get_secret("a")

    for file in tmp_path.rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes()
    assert SECRET not in caplog.text + str(vault.list_secrets()) + repr(vault) + "".join(capfd.readouterr())
