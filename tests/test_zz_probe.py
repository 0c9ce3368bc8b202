from __future__ import annotations
import time, pytest
from tests.test_files import ODD_NAMES, put, read, artifacts
@pytest.mark.parametrize("tracking_uri", ["http"], indirect=True)
def test_t(run):
    for n in ODD_NAMES:
        t=time.time(); put(run,n,n); a=time.time(); read(run,n); b=time.time()
        print(f"{a-t:.3f} {b-a:.3f} {n[:20]!r}")
    t=time.time(); artifacts(run); print("plain list", time.time()-t)
    t=time.time(); run.get_file_names(); print("list", time.time()-t)
    assert 0
