"""Makes `azureml` mean azml_compat in every python that has this folder in its PYTHONPATH.

`site` imports it at the start of the interpreter. Afterwards all is as if this folder were not there: it leaves
sys.path, though not the environment, from which child processes have it; and the sitecustomize that would have been
found without it (Debian, conda and coverage have one) runs in its place.

Read by any python that a command starts: it must be cheap, and harmless for one that is too old or has no azml_compat.
"""

import os
import sys

sys.path[:] = [entry for entry in sys.path if entry != os.path.dirname(__file__)]


class _Unreachable:
    """Stands where the alias would be, and says why it is not."""

    def __init__(self, why):
        self._why = why

    def find_spec(self, fullname, _path=None, _target=None):
        if fullname == "azureml" or fullname.startswith("azureml."):
            asker = sys._getframe(1).f_back  # past importlib._bootstrap._find_spec
            if asker is None or asker.f_globals.get("__name__") != "importlib.util":  # A question needs no error.
                raise ModuleNotFoundError("azml_compat is to answer for azureml here, but " + self._why, name=fullname)


if sys.version_info >= (3, 10):
    try:
        from azml_compat._alias import install
    except Exception as error:  # noqa: BLE001 - whatever it is, only a script that imports azureml has to do with it
        why = "{0} cannot import it: {1}. Install it there: {0} -m pip install azml-compat"
        sys.meta_path.insert(0, _Unreachable(why.format(sys.executable, error)))
    else:
        install()
elif sys.version_info >= (3, 6):  # What is older never had an azureml that could be meant.
    why = "it needs Python 3.10 or later, and {0} is {1}.{2}. Run the command with a later one."
    sys.meta_path.insert(0, _Unreachable(why.format(sys.executable, *sys.version_info)))

del sys.modules["sitecustomize"]
__import__("sitecustomize")  # Where there is no other, its error is the very one that `site` expects then.
