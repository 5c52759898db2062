"""The benchmark question "losses": its arithmetic and its tables."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

from benchmarks.data import real
from benchmarks.measure import scores
from benchmarks.questions import losses
from benchmarks.questions.losses.gains import with_gains
from linclf import SparsemaxClassifier

pytestmark = pytest.mark.benchmarks


def test_scores_of_losses_are_those_of_scikit_learn():
    data = real.bundled("wine")
    model = LogisticRegression(max_iter=10_000, C=1e-3).fit(data.X, data.y)
    outcome = scores.Outcome.of(model, data, outside=data.X_test[:7] * 3)
    p = model.predict_proba(data.X_test)
    found = {
        name: score.compute(outcome) for name, score in scores.SCORES.items() if score.is_defined(outcome)
    }
    assert found["log_loss"] == pytest.approx(log_loss(data.y_test, p))
    assert found["average_precision"] == pytest.approx(
        average_precision_score(data.y_test, p, average="macro")
    )
    assert found["support"] == 3
    assert found["impossible"] == 0
    doubt = 1 - np.concatenate([p, model.predict_proba(data.X_test[:7] * 3)]).max(axis=1)
    unknown = np.arange(len(doubt)) >= len(p)
    assert found["doubt_max_probability"] == pytest.approx(roc_auc_score(unknown, doubt))


def test_log_loss_of_true_zeros_is_infinite_and_says_for_how_many_rows():
    data = real.bundled("wine").scaled()
    wrong = data._replace(y_test=(data.y_test + 1) % 3)
    outcome = scores.Outcome.of(SparsemaxClassifier(random_state=0).fit(data.X, data.y), wrong)
    assert scores.SCORES["log_loss"].compute(outcome) == np.inf
    share = np.mean(outcome.probabilities[np.arange(len(wrong.y_test)), wrong.y_test] == 0)
    assert scores.SCORES["impossible"].compute(outcome) == share > 0.5


def repeats(log_loss, impossible=0.0):
    return [{"log_loss": value, "impossible": impossible} for value in log_loss]


@pytest.mark.parametrize(
    ("rival", "sentence"),
    [
        (
            [0.4, 0.5],
            "rival is best with 0.4500; softmax has 0.6500, behind by 0.200 (in each repeat, clear).",
        ),
        ([0.6, 0.5], "rival is best with 0.5500; softmax has 0.6500, behind by 0.100 (0.7 std, not clear)."),
        (
            [0.9, 1.0],
            "softmax is best with 0.6500; rival has 0.9500, behind by 0.300 (in each repeat, clear).",
        ),
    ],
)
def test_table_of_losses_says_who_won(rival, sentence):
    rows = [
        {"data": "x", "model": model, "alphas": [1e-4], "warnings": [], "default": scores, "chosen": scores}
        for model, scores in {
            "softmax": repeats([0.6, 0.7]),
            "rival": repeats(rival),
            "sparse": repeats([np.inf, 0.1], 0.25),
        }.items()
    ]
    rows.append({"data": "x", "model": "gone", "absent": "ValueError: no"})
    facts = {"name": "x", "rows": 9, "test_rows": 9, "features": 2, "classes": 2, "rarest": 3, "splits": 2}
    settings = {"alpha": 1e-4, "better": 1e-3, "max_iter": "auto", "splits": 2, "resamples": 20}
    compared = with_gains(rows, "softmax", one_split=False)
    text = losses.table({"data": [facts], "settings": settings, "rows": compared})
    assert f"- log loss, default alpha: {sentence}" in text
    assert "| sparse | 0.0001 | ∞ (25.00%) |" in text
    assert "| gone | absent: ValueError: no |" in text
