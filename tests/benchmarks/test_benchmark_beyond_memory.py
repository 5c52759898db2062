"""Beyond memory: all peers get the same rows, report what they read, and are judged by measurements."""

import importlib.util

import numpy as np
import pytest

from benchmarks.measure import limits
from benchmarks.measure.attempt import attempt
from benchmarks.questions import load
from benchmarks.questions.beyond_memory import generated, in_linclf, in_sklearn, in_vowpal_wabbit, parts

pytestmark = pytest.mark.benchmarks

N, D, EPOCHS = 4_000, 12, 2


@pytest.fixture
def few_rows(monkeypatch):
    """Fewer rows to score models on."""
    monkeypatch.setattr(in_linclf, "TEST_ROWS", 2_000)
    monkeypatch.setattr(in_linclf, "TEST_ROWS_OF_MAP", 2_000)
    for peer in (in_sklearn, in_vowpal_wabbit):
        monkeypatch.setattr(peer, "TEST_ROWS", 2_000)
        monkeypatch.setattr(peer, "TUNE_ROWS", 1_000)


def test_rows_as_text_are_the_rows():
    X, y = generated.rows(50, 3)
    for line, x, label in zip(generated.as_text(X, y).decode().splitlines(), X, y, strict=True):
        said, _, features = line.partition(" |")
        values = dict(feature.split(":") for feature in features.split())
        assert int(said) == label + 1
        assert list(values) == ["0", "1", "2"]
        assert np.array_equal(np.array(list(values.values()), np.float32), x)


def test_fewer_rows_are_the_first_ones_of_more(monkeypatch):
    monkeypatch.setattr(generated, "GROUP", 100)
    more, few = (np.concatenate([X for X, _ in generated.groups(n, 4)]) for n in (300, 200))
    assert np.array_equal(more[:200], few)


def test_beyond_memory_each_peer_reads_its_own_file(tmp_path, few_rows):
    file, text = str(tmp_path / "rows.parquet"), str(tmp_path / "rows.txt")
    n_file = generated.write_file(file, N, D)["data_bytes"]
    n_text = generated.write_text(text, N, D)["data_bytes"]
    ours = in_linclf.fit_by_steps(file, D, EPOCHS)
    sklearn = in_sklearn.fit_by_parts(file, D, EPOCHS)
    for row in (ours, sklearn):
        assert 0.6 < row["accuracy"] < 0.85
        assert 0 < row["seconds"] < row["whole"]
        assert row["read_bytes"] > 0.9 * EPOCHS * n_file
    row = attempt({}, lambda: in_vowpal_wabbit.fit_by_oaa(text, D, EPOCHS))
    if importlib.util.find_spec("vowpalwabbit") is None:
        assert "vowpalwabbit" in row["absent"]
    else:
        assert 0.6 < row["accuracy"] < 0.85
        assert row["read_bytes"] > n_text + 0.9 * (EPOCHS - 1) * row["data_bytes"]


def test_beyond_memory_a_map_of_many_classes_can_be_learnt(tmp_path, few_rows, monkeypatch):
    torch = pytest.importorskip("torch")
    from benchmarks.questions.beyond_memory import in_torch

    monkeypatch.setattr(generated, "SPREAD", 1.0)
    monkeypatch.setattr(in_torch, "BATCH", 64)
    monkeypatch.setattr(in_torch, "NUMBERS", (1,))  # two threads wait for each other on a busy machine
    monkeypatch.setattr(in_torch, "TEST_ROWS_OF_MAP", 2_000)
    monkeypatch.setattr(limits, "limits", lambda: {"sgemm_gflops": {"1": 1.0, "2": 2.0}})
    before, shape = torch.get_num_threads(), (16, 10)
    generated.write_map(str(tmp_path), N, *shape)
    try:
        theirs = in_torch.fit_by_adam(str(tmp_path), *shape)
    finally:
        torch.set_num_threads(before)
    ours = in_linclf.fit_map(str(tmp_path), N, *shape)
    assert min(ours["accuracy"], theirs["accuracy"]) > 0.9
    assert ours["share"] == pytest.approx(4 * N * 16 * 10 / ours["seconds"] / 2e9)


def test_beyond_memory_a_peer_that_is_as_good_sooner_is_a_miss():
    question = load("beyond_memory")
    peers = {"SGDClassifier.partial_fit": (2.0, 0.7), "Vowpal Wabbit": (1.0, 0.8)}
    rows = [
        {"work": f"same rows: {name}", "seconds": 0.1, "whole": whole, "accuracy": accuracy}
        for name, (whole, accuracy) in {"linclf sgd": (1.0, 0.75), **peers}.items()
    ]
    rows.append({"work": "memory map: linclf sgd", "absent": "E: no"})
    settings = {"memory": "1GiB", "rows_of_a_group": 1, "passes": 6, "epochs": 3, "shapes": parts.QUICK}
    result = {"rows": rows, "settings": settings}
    judged = {mark.bar: mark.judge for mark in question.marks}
    sklearn, wabbit = (
        next(judge(result) for bar, judge in judged.items() if name in bar) for name in ("SGDC", "Wabbit")
    )
    assert sklearn == ("1/2.0 of its 2.0 s, accuracy 0.7500 against 0.7000", True)
    assert wabbit == ("1/1.0 of its 1.0 s, accuracy 0.7500 against 0.8000", False)
    assert "absent: E: no" in question.table(result)
