"""Dispatch on NamedTuple classes, and the disk cache: hits, faults, and stale code."""

import os
import pathlib
import shutil
import stat
import subprocess
import sys
import warnings
from typing import NamedTuple

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

import linclf
from linclf._numba import cache as _numba
from linclf._numba import compiled, generic, kernel
from linclf.losses import Focal


class Metres(NamedTuple):
    value: float


class Feet(NamedTuple):
    value: float


class Miles(NamedTuple):
    value: float


@generic
def length(operand, factor):
    """In metres, times a factor."""


@length.register(Metres)
def metres(operand, factor):
    return operand.value * factor


@length.register(Feet)
def feet(operand, factor):
    return operand.value * 0.3048 * factor


# ---------------------------------------------------------------- generic


def test_generic_dispatches_in_python():
    assert length(Metres(2.0), 3.0) == 6
    assert length(Feet(10.0), 1.0) == 3.048
    assert (length.find(Metres), length.find(Feet), length.find(Miles)) == (metres, feet, None)
    assert length.__doc__ == "In metres, times a factor."
    with pytest.raises(TypeError):
        length(Miles(1.0), 1.0)


def test_generic_dispatches_when_compiling():
    @compiled
    def both(a, b, factor):
        return length(a, factor) + length(b, factor)

    assert both(Metres(2.0), Feet(10.0), 3.0) == pytest.approx(6 + 9.144, rel=1e-15)
    assert both(Feet(10.0), Feet(10.0), 1.0) == pytest.approx(6.096, rel=1e-15)
    assert len(both.signatures) == 2
    both(Metres(5.0), Feet(1.0), 1.0)
    assert len(both.signatures) == 2  # the values are not part of the type
    with pytest.raises(TypingError):
        both(Miles(1.0), Feet(1.0), 1.0)


# ---------------------------------------------------------------- cache


def total_focus(loss, values):
    total = 0.0
    for value in values:
        total += loss.gamma * value
    return total


VALUES = np.arange(4.0)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A fresh cache folder, with no warnings given yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("LINCLF_CACHE", str(folder))
    _numba.warned.clear()
    yield folder
    _numba.warned.clear()


def files(folder, pattern="*"):
    return sorted(path for path in folder.rglob(pattern) if path.is_file())


def fresh_run(function=total_focus, loss=None):
    """Compile or load the kernel and run it, as a new process would; returns the kernel."""
    dispatcher = kernel(function)
    assert dispatcher(loss or Focal(3.0), VALUES) == 18
    return dispatcher


def test_a_second_kernel_loads_what_the_first_compiled(cache):
    first = fresh_run()
    assert (sum(first.stats.cache_hits.values()), sum(first.stats.cache_misses.values())) == (0, 1)
    written = files(cache)
    assert [path.suffix for path in written] == [".nbc", ".nbi"]
    second = fresh_run()
    assert (sum(second.stats.cache_hits.values()), sum(second.stats.cache_misses.values())) == (1, 0)
    assert files(cache) == written


@pytest.mark.parametrize("pattern", ["*.nbc", "*.nbi"])
@pytest.mark.parametrize("kept", [0, 40])
def test_a_truncated_file_is_a_miss_with_one_warning(cache, pattern, kept):
    fresh_run()
    (path,) = files(cache, pattern)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.warns(RuntimeWarning, match="without its kernel cache") as caught:
        fresh_run()
    assert len(caught) == 1
    # it has been written again, so there is no second warning
    assert sum(fresh_run().stats.cache_hits.values()) == 1


def test_garbage_is_a_miss_with_one_warning(cache):
    fresh_run()
    (path,) = files(cache, "*.nbc")
    path.write_bytes(b"no pickle at all" * 100)
    with pytest.warns(RuntimeWarning, match="without its kernel cache") as caught:
        fresh_run()
    assert len(caught) == 1


def test_zero_turns_the_cache_off(monkeypatch, tmp_path):
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("LINCLF_CACHE", "0")
    dispatcher = fresh_run()
    assert not dispatcher.stats.cache_path
    assert files(tmp_path) == []


def test_the_default_is_the_users_cache_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("LINCLF_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    fresh_run()
    assert len(files(tmp_path / "elsewhere" / "linclf")) == 2


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_a_folder_that_everyone_can_write_is_refused(cache):
    fresh_run()
    folder = files(cache)[0].parent
    for path in files(cache):
        path.unlink()
    folder.chmod(0o777)
    with pytest.warns(RuntimeWarning, match="other users") as caught:
        fresh_run()
    assert len(caught) == 1
    assert files(cache) == []


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_nothing_is_loaded_from_a_folder_that_everyone_can_write(cache):
    fresh_run()
    files(cache)[0].parent.chmod(0o777)
    with pytest.warns(RuntimeWarning, match="other users"):
        dispatcher = fresh_run()
    assert sum(dispatcher.stats.cache_hits.values()) == 0


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_a_folder_that_was_named_is_for_all_users_to_read(cache, monkeypatch, mask):
    """As in a container image: root warms up the kernels, and another user runs them."""
    monkeypatch.setenv("LINCLF_CACHE", str(cache / "kernels"))
    before = os.umask(mask)
    try:
        fresh_run()
    finally:
        os.umask(before)
    folders = [cache, cache / "kernels", files(cache)[0].parent]
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in folders] == [0o755] * 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files(cache)} == {0o644}
    assert sum(fresh_run().stats.cache_hits.values()) == 1


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_a_folder_that_was_not_named_is_private(cache, monkeypatch):
    monkeypatch.delenv("LINCLF_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    before = os.umask(0)
    try:
        fresh_run()
    finally:
        os.umask(before)
    folders = [cache, cache / "linclf", files(cache)[0].parent]
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in folders] == [0o700] * 3


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_a_folder_that_is_there_keeps_its_mode(cache):
    cache.mkdir()
    cache.chmod(0o700)
    fresh_run()
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made_is_no_error(cache):
    cache.write_text("a file where the folder should be")
    with pytest.warns(RuntimeWarning, match="linclf"):
        fresh_run()


class Foreign(NamedTuple):
    gamma: float


def test_kernels_of_other_peoples_types_are_not_cached(cache):
    """Their source is not part of the key, so their machine code could be stale."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fresh_run(loss=Foreign(3.0))
    assert files(cache) == []


def test_the_choice_of_locators_of_numba_is_not_asked(cache, monkeypatch):
    monkeypatch.setattr(_numba.config, "CACHE_LOCATOR_CLASSES", "InTreeCacheLocator")
    fresh_run()
    assert len(files(cache)) == 2
    assert _numba.config.CACHE_LOCATOR_CLASSES == "InTreeCacheLocator"


def test_plain_numba_functions_are_untouched(cache):
    assert njit(total_focus)(Focal(3.0), VALUES) == 18
    assert files(cache) == []


# ---------------------------------------------------------------- processes

PACKAGE = pathlib.Path(linclf.__file__).parent

LOSS_SCRIPT = """
import numpy as np
from linclf.losses import WestonWatkins, value_and_gradient
from linclf.losses._registry import row_losses
total, _ = value_and_gradient(WestonWatkins(1.0), np.array([2.0, 4.0, 2.0, 1.0]), 0)
stats = row_losses.stats
print(total, sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""


FIT_SCRIPT = """
import numpy as np
from scipy import sparse
from linclf import SoftmaxClassifier
X = np.random.default_rng(0).normal(size=(300, 3))
for data in (X, sparse.csr_array(X)):
    model = SoftmaxClassifier(solver="sgd", max_iter=1, random_state=0).fit(data, np.arange(300) % 3)
    print(*model.coef_.ravel(), *model.intercept_)
"""


def output(script, package_parent=PACKAGE.parent, **environment):
    """The numbers printed by a new process."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env={**os.environ, "PYTHONPATH": str(package_parent), **environment},
        cwd=package_parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(number) for number in done.stdout.split()]


@pytest.mark.faults
def test_processes_share_the_cache_until_a_source_is_edited(tmp_path):
    """The edit is in a callee in another file, which Numba itself does not notice."""
    cache, package = tmp_path / "cache", tmp_path / "linclf"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))

    def total_hits_misses():
        return output(LOSS_SCRIPT, tmp_path, LINCLF_CACHE=str(cache))

    assert total_hits_misses() == [4, 0, 1]  # rivals 4 and 2 exceed 2 - 1 by 3 and 1
    written = files(cache)
    assert total_hits_misses() == [4, 1, 0]
    assert files(cache) == written

    source = package / "losses" / "hinge.py"
    text = source.read_text()
    assert text.count("value += excess\n            count += 1") == 1
    source.write_text(
        text.replace("value += excess\n            count", "value += 10.0 * excess\n            count")
    )
    assert total_hits_misses() == [40, 0, 1]
    assert len(files(cache)) == 2 * len(written)


@pytest.mark.exhaustive
def test_training_in_plain_python_equals_compiled_training():
    """NUMBA_DISABLE_JIT=1 lets a debugger step into kernels."""
    plain = output(FIT_SCRIPT, NUMBA_DISABLE_JIT="1")
    np.testing.assert_allclose(plain, output(FIT_SCRIPT, NUMBA_DISABLE_JIT="0"), rtol=1e-9, atol=1e-12)
