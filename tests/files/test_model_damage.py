"""A failed save leaves the old file, and linclf.load refuses truncated, damaged, foreign, newer and
malicious files.

Every refusal is a ValueError that names the file; no code runs, and nothing larger than the file is read.
"""

import io
import json
import os
import pathlib
import pickle
import signal
import stat
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
from test_model_file import SPARSE, TEXT, X, assert_same, large_stream, stream

import linclf
from linclf import SoftmaxClassifier
from linclf.large import (
    AdaptiveSoftmaxClassifier,
    HierarchicalSoftmaxClassifier,
    SampledSoftmaxClassifier,
)

rng = np.random.default_rng(0)


# ---------------------------------------------------------------- writing is all or nothing


@pytest.mark.parametrize("fault", ["os.replace", "os.fsync", "numpy.lib.format.write_array"])
def test_a_failed_save_leaves_the_old_file(fault, tmp_path, monkeypatch):
    path = tmp_path / "model.linclf"
    linclf.save(SoftmaxClassifier(alpha=0.5), path)
    model = stream()  # before the fault, which would also hit the kernel cache

    def broken(*args, **options):
        raise OSError("no space left on device")

    monkeypatch.setattr(fault, broken)
    with pytest.raises(OSError, match="no space left"):
        linclf.save(model, path)
    assert os.listdir(tmp_path) == ["model.linclf"]
    assert linclf.load(path).alpha == 0.5


SAVE_FOR_EVER = """
import sys, numpy as np, linclf
model = linclf.SoftmaxClassifier()
model.classes_, model.n_features_in_ = np.arange(10), 100_000
model.history_, model.n_iter_ = {}, 1
number = 0
while True:
    number += 1
    model.coef_, model.intercept_ = np.full((10, 100_000), float(number)), np.full(10, float(number))
    linclf.save(model, sys.argv[1])
    print(number, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 there")
@pytest.mark.faults
def test_kill_9_while_saving_leaves_the_old_file(tmp_path):
    path = tmp_path / "model.linclf"
    environment = {**os.environ, "PYTHONPATH": str(pathlib.Path(linclf.__file__).parent.parent)}
    for delay in (0.0, 0.003, 0.007, 0.013):
        command = [sys.executable, "-c", SAVE_FOR_EVER, path]
        child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        try:
            saved = int(child.stdout.readline())
            time.sleep(delay)
        finally:
            child.kill()
            saved = int([saved, *child.communicate()[0].split()][-1])
        model = linclf.load(path)
        assert np.unique(model.coef_).tolist() == np.unique(model.intercept_).tolist()
        assert model.intercept_[0] in (saved, saved + 1)  # killed before it could report


@pytest.mark.skipif(os.name != "posix", reason="links and modes are those of POSIX")
def test_links_and_modes_are_those_of_any_file(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link.linclf").symlink_to(tmp_path / "there" / "model.linclf")
    before = os.umask(0o027)
    try:
        linclf.save(SoftmaxClassifier(), str(tmp_path / "link.linclf"))
    finally:
        os.umask(before)
    assert (tmp_path / "link.linclf").is_symlink()
    assert stat.S_IMODE((tmp_path / "there" / "model.linclf").stat().st_mode) == 0o640


def test_a_folder_that_is_not_there_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        linclf.save(SoftmaxClassifier(), tmp_path / "no" / "model.linclf")
    with pytest.raises(FileNotFoundError):
        linclf.load(tmp_path / "model.linclf")


# ---------------------------------------------------------------- what is refused when loading


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model.linclf"
    linclf.save(stream(TEXT), path)
    return path


def parts(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path, entries, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def refusal(path):
    with pytest.raises(ValueError, match=r"damaged|upgrade") as caught:
        linclf.load(path)
    assert type(caught.value) is ValueError
    assert str(caught.value).startswith(str(path))
    return str(caught.value)


def test_every_truncation_is_refused(saved, tmp_path):
    content, path = saved.read_bytes(), tmp_path / "model.linclf"
    for size in [*range(0, 200), *range(200, len(content), 23), len(content) - 1]:
        path.write_bytes(content[:size])
        assert "damaged" in refusal(path)


def test_a_flipped_bit_is_refused_or_nothing(saved, tmp_path):
    """Some zip fields, such as dates, are not used; all others have a checksum."""
    content, path, expected, refused = saved.read_bytes(), tmp_path / "m.linclf", linclf.load(saved), 0
    for place in rng.permutation(len(content))[:1500]:
        path.write_bytes(content[:place] + bytes([content[place] ^ 1 << place % 8]) + content[place + 1 :])
        try:
            read = linclf.load(path)
        except ValueError as fault:
            assert "damaged" in str(fault)  # noqa: PT017
            refused += 1
        else:
            assert_same(read, expected)
    assert refused > 1000


class Evil:
    def __reduce__(self):
        return exec, ("import builtins; builtins.was_run = True",)


def pickled_array():
    file = io.BytesIO()
    np.save(file, np.array([Evil()], object), allow_pickle=True)
    return file.getvalue()


def test_other_files_are_refused_and_nothing_runs(saved, tmp_path):
    np.savez(tmp_path / "arrays.npz", a=np.zeros(3))
    (tmp_path / "garbage").write_bytes(rng.bytes(5000))
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Evil()))
    (tmp_path / "empty").write_bytes(b"")
    write(tmp_path / "objects.linclf", {**parts(saved), "0.npy": pickled_array()})
    write(tmp_path / "other.zip", {"model.json": '{"format": "another", "version": 1}'})
    write(tmp_path / "list.zip", {"model.json": "[]"})
    write(tmp_path / "deep.zip", {"model.json": '{"a":' * 5000})
    for path in tmp_path.iterdir():
        assert "damaged, or no model that linclf.save has written" in refusal(path)
    assert not hasattr(__builtins__, "was_run")


def test_a_newer_version_says_to_upgrade(saved, tmp_path):
    text = json.loads(parts(saved)["model.json"]) | {"version": 3, "linclf": "7.0"}
    path = write(tmp_path / "model.linclf", {**parts(saved), "model.json": json.dumps(text)})
    message = refusal(path)
    assert "file version 3 and was saved by linclf 7.0" in message
    assert "pip install --upgrade linclf" in message


def test_nothing_larger_than_the_file_is_read(saved, tmp_path):
    refusal(write(tmp_path / "compressed.linclf", parts(saved), zipfile.ZIP_DEFLATED))
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (10**12, 10)}
    )
    path = write(tmp_path / "promises.linclf", {**parts(saved), "0.npy": header.getvalue()})
    assert "(1000000000000, 10)" in refusal(path)


def test_text_of_no_length_is_no_way_around(saved, tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<U0", "fortran_order": False, "shape": (10**15,)})
    assert "<U0" in refusal(write(tmp_path / "empty.linclf", {**parts(saved), "0.npy": header.getvalue()}))


def edited(saved, path, change):
    """The saved file with a changed model in JSON and arrays, and correct checksums."""
    entries = parts(saved)
    content = json.loads(entries["model.json"])
    _, parameters, attributes, _ = content["model"]["estimator"]
    stream = attributes["_stream"]["object"][1] if "_stream" in attributes else None
    replaced = change(content, parameters, attributes, stream) or {}
    for number, array in replaced.items():
        file = io.BytesIO()
        np.save(file, array)
        entries[f"{number}.npy"] = file.getvalue()
    return write(path, {**entries, "model.json": json.dumps(content)})


def fields(stream, *names):
    """The fields of an object inside a stream."""
    for name in names:
        stream = stream[name]["object"][1]
    return stream


def number_of(stream, field):
    return fields(stream, "state")[field]["array"]


def with_adam(stream):
    stream["rule"]["object"][1]["optimizer"] = stream["key"]["tuple"][1] = ADAM


ADAM = {"object": ["Adam", {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}]}
EDITS = {
    "a version that is no number": lambda c, p, a, s: c.update(version="1"),
    "an unknown class": lambda c, p, a, s: c["model"]["estimator"].__setitem__(0, "os.system"),
    "a loss as the model": lambda c, p, a, s: c["model"]["estimator"].__setitem__(0, "Focal"),
    "no estimator": lambda c, p, a, s: c.update(model={"tuple": [1, 2]}),
    "an unknown parameter": lambda c, p, a, s: p.update(gamma=2.0),
    "an unknown kind": lambda c, p, a, s: p.update(alpha={"pickle": "x"}),
    "two kinds": lambda c, p, a, s: p.update(alpha={"float": "1", "bytes": "x"}),
    "a method hidden": lambda c, p, a, s: a.update(predict="x"),
    "a parameter as an attribute": lambda c, p, a, s: a.update(alpha=p.pop("alpha")),
    "an array that is not there": lambda c, p, a, s: a.update(coef_={"array": 99}),
    "an array of a negative number": lambda c, p, a, s: a.update(coef_={"array": -1}),
    "an array that nobody names": lambda c, p, a, s: {77: np.zeros(3)},
    "a coefficient too many": lambda c, p, a, s: {a["coef_"]["array"]: np.zeros((4, 4))},
    "coefficients that are integers": lambda c, p, a, s: {a["coef_"]["array"]: np.zeros((3, 4), int)},
    "coefficients that are NaN": lambda c, p, a, s: {a["coef_"]["array"]: np.full((3, 4), np.nan)},
    "no intercept": lambda c, p, a, s: a.pop("intercept_") and None,
    "a number of features": lambda c, p, a, s: a.update(n_features_in_=5),
    "no classes": lambda c, p, a, s: a.pop("classes_") and None,
    "no history": lambda c, p, a, s: a.pop("history_") and None,
    "one class": lambda c, p, a, s: {a["classes_"]["array"]: np.array(["a"])},
    "dtypes that run code": lambda c, p, a, s: s.update(dtype={"dtype": "O"}),
    "a stream that is something else": lambda c, p, a, s: a.update(_stream=3),
    "weights too small": lambda c, p, a, s: {number_of(s, "V"): np.zeros((3, 4))},
    "weights of another type": lambda c, p, a, s: {number_of(s, "V"): np.zeros((3, 5), np.float32)},
    "weights by columns": lambda c, p, a, s: {number_of(s, "V"): np.zeros((5, 3)).T},
    "slots too many": lambda c, p, a, s: {number_of(s, "slots"): np.zeros((3, 1, 5))},
    "a count that is no integer": lambda c, p, a, s: {number_of(s, "n_steps"): np.zeros(1)},
    "a loss of an integer": lambda c, p, a, s: s["loss"]["object"][1].update(temperature=1),
    "a gradient of another shape": lambda c, p, a, s: {number_of(s, "G"): np.zeros((3, 4))},
    "an optimizer as the loss": lambda c, p, a, s: s.update(loss=ADAM),
    "a loss as the head": lambda c, p, a, s: s.update(head=s["loss"]),
    "a head of two copies": lambda c, p, a, s: fields(s, "head").update(copies=2),
    "a head of copies that are no integer": lambda c, p, a, s: fields(s, "head").update(copies=True),
    "a head of an integer": lambda c, p, a, s: fields(s, "head").update(intercept=1),
    "an optimizer with more slots": lambda c, p, a, s: with_adam(s),
    "a key with more slots": lambda c, p, a, s: s["key"]["tuple"].__setitem__(1, ADAM),
    "no key": lambda c, p, a, s: s.update(key=None),
    "a rule that is something else": lambda c, p, a, s: s.update(rule=ADAM),
    "settings that are something else": lambda c, p, a, s: s.update(settings=s["rule"]),
    "a stream of more classes": lambda c, p, a, s: s.update(n_outputs=4),
    "a stream of fewer features": lambda c, p, a, s: s.update(n_features=3),
    "a stream of sparse rows": lambda c, p, a, s: s.update(is_sparse=True),
    "a frame of sparse rows": lambda c, p, a, s: s["frame"]["object"].__setitem__(0, "Levelled"),
    "moments without means": lambda c, p, a, s: fields(s, "frame", "moments").pop("mean") and None,
    "a centre too short": lambda c, p, a, s: {
        fields(s, "frame", "coordinates")["centre"]["array"]: np.zeros(3)
    },
    "means too short": lambda c, p, a, s: {fields(s, "frame", "moments")["mean"]["array"]: np.zeros(3)},
    "a sampling that is something else": lambda c, p, a, s: s.update(sampling=3),
}


@pytest.mark.parametrize("name", EDITS)
def test_files_that_were_edited_are_refused(name, saved, tmp_path):
    assert_same(linclf.load(edited(saved, tmp_path / "same.linclf", lambda *parts: None)), linclf.load(saved))
    assert "damaged" in refusal(edited(saved, tmp_path / "model.linclf", EDITS[name]))


def test_a_stream_of_two_classes_has_one_vector_of_weights(tmp_path):
    model = SoftmaxClassifier(random_state=0).partial_fit(X, np.arange(120) % 2, classes=[0, 1])
    linclf.save(model, tmp_path / "two.linclf")
    assert_same(linclf.load(tmp_path / "two.linclf"), model)
    for change in (
        lambda c, p, a, s: fields(s, "head").update(copies=1),
        lambda c, p, a, s: {number_of(s, "V"): np.zeros((2, X.shape[1] + 1))},
    ):
        assert "damaged" in refusal(edited(tmp_path / "two.linclf", tmp_path / "model.linclf", change))


def test_squares_of_sparse_columns_have_their_shape(tmp_path):
    linclf.save(stream(X=SPARSE), tmp_path / "sparse.linclf")
    path = edited(
        tmp_path / "sparse.linclf",
        tmp_path / "model.linclf",
        lambda c, p, a, s: {fields(s, "frame")["squares"]["array"]: np.zeros(3)},
    )
    assert "the features of the stream" in refusal(path)


@pytest.mark.parametrize("sampled", [True, False])
def test_counts_of_classes_have_their_shape(sampled, tmp_path):
    cls = SampledSoftmaxClassifier if sampled else HierarchicalSoftmaxClassifier
    linclf.save(large_stream(cls), tmp_path / "large.linclf")
    path = edited(
        tmp_path / "large.linclf",
        tmp_path / "model.linclf",
        lambda c, p, a, s: {fields(s, "sampling")["counts"]["array"]: np.zeros(2)},
    )
    assert "the class counts of the stream" in refusal(path)


def part_of(attributes, number=0):
    """The head or a numbered tail of an adaptive softmax."""
    return (attributes["tails_"][number - 1] if number else attributes["head_"])["object"]


EDITS_OF_PARTS = {
    "an order with a class twice": lambda c, p, a, s: {a["order_"]["array"]: np.array([0, 1, 2, 3, 4, 5, 5])},
    "an order too short": lambda c, p, a, s: {a["order_"]["array"]: np.arange(6)},
    "cutoffs that fall": lambda c, p, a, s: {a["cutoffs_"]["array"]: np.array([5, 2])},
    "a cutoff too large": lambda c, p, a, s: {a["cutoffs_"]["array"]: np.array([2, 7])},
    "another cutoff": lambda c, p, a, s: {a["cutoffs_"]["array"]: np.array([3, 5])},
    "no cutoffs": lambda c, p, a, s: a.pop("cutoffs_") and None,
    "a tail that is missing": lambda c, p, a, s: a["tails_"].pop() and None,
    "a projection that is missing": lambda c, p, a, s: a["projections_"].pop() and None,
    "a projection of fewer features": lambda c, p, a, s: {a["projections_"][0]["array"]: np.zeros((3, 2))},
    "a projection to more": lambda c, p, a, s: {a["projections_"][0]["array"]: np.zeros((4, 3))},
    "a projection that is NaN": lambda c, p, a, s: {a["projections_"][0]["array"]: np.full((4, 2), np.nan)},
    "a head that is a head of scores": lambda c, p, a, s: a.update(head_=part_of(a)[1]["head"]),
    "a head of cosines": lambda c, p, a, s: part_of(a)[1]["head"]["object"].__setitem__(0, "Cosine"),
    "a head of a class less": lambda c, p, a, s: {part_of(a)[1]["W"]["array"]: np.zeros((3, 4))},
    "a tail of other features": lambda c, p, a, s: {part_of(a, 1)[1]["W"]["array"]: np.zeros((3, 4))},
    "a tail of two with two rows": lambda c, p, a, s: {part_of(a, 2)[1]["W"]["array"]: np.zeros((2, 1))},
    "a tail of integers": lambda c, p, a, s: {part_of(a, 1)[1]["W"]["array"]: np.zeros((3, 2), int)},
    "a tail that is infinite": lambda c, p, a, s: {part_of(a, 1)[1]["b"]["array"]: np.full(3, np.inf)},
    "intercepts too many": lambda c, p, a, s: {part_of(a, 1)[1]["b"]["array"]: np.zeros(4)},
    "no intercepts": lambda c, p, a, s: part_of(a, 1)[1].pop("b") and None,
}


@pytest.fixture(scope="module")
def saved_parts(tmp_path_factory):
    """Seven classes: a head of two and two tails, a tail of three and one of two."""
    model = AdaptiveSoftmaxClassifier(cutoffs=[2, 5], reduction=2.0, max_iter=2, random_state=0)
    path = tmp_path_factory.mktemp("saved") / "parts.linclf"
    linclf.save(model.fit(X, np.arange(120) % 7), path)
    return path


@pytest.mark.parametrize("name", EDITS_OF_PARTS)
def test_parts_that_were_edited_are_refused(name, saved_parts, tmp_path):
    same = edited(saved_parts, tmp_path / "same.linclf", lambda *parts: None)
    assert_same(linclf.load(same), linclf.load(saved_parts))
    assert "damaged" in refusal(edited(saved_parts, tmp_path / "model.linclf", EDITS_OF_PARTS[name]))


def test_the_stream_of_another_version_goes_on_from_its_weights(saved, tmp_path):
    path = edited(saved, tmp_path / "m.linclf", lambda c, p, a, s: c.update(linclf="0.0.1"))
    with pytest.warns(UserWarning, match=r"linclf 0\.0\.1 has saved this stream") as caught:
        model = linclf.load(path)
    assert caught[0].filename == __file__
    assert "_stream" not in vars(model)
    np.testing.assert_array_equal(model.coef_, linclf.load(saved).coef_)
    model.partial_fit(X, TEXT)
    assert model.n_iter_ == 2
