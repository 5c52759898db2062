"""Faults that `check_loss` finds in wrong losses."""

import numpy as np
import pytest
from own_losses import OwnHinge, OwnSoftmax, cross_entropy, hinge, plain, registered

from linclf.functional import softmax
from linclf.losses import (
    NormFace,
    Softmax,
    SquaredCrammerSinger,
    WestonWatkins,
    check_loss,
    soft_row_loss,
)
from linclf.losses._checks import (
    CHECKS,
    check_convexity,
    check_curvature,
    check_dtypes,
    check_extreme_scores,
    check_gradient,
    check_gradient_far_away,
    check_probabilities,
    check_shift,
    check_soft_labels,
    check_symmetry,
)


def test_correct_losses_pass():
    check_loss(OwnSoftmax(0.5))
    check_loss(OwnHinge(0.5), n_classes=4, random_state=3)
    check_loss("sparsemax")


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "loss",
    [WestonWatkins(0.3), SquaredCrammerSinger(0.7), NormFace(1000.0), Softmax(0.5, 0.01)],
    ids=repr,
)
def test_losses_of_the_package_pass(loss):
    check_loss(loss)


def wrong_gradient(loss, scores, y):
    value = cross_entropy(OwnSoftmax(1.0), scores, y)
    scores[0] *= 1.001
    return value


def slightly_wrong_gradient(loss, scores, y):
    value = cross_entropy(OwnSoftmax(1.0), scores, y)
    scores[0] *= 1.00001
    return value


def wrong_where_leads_are_large(loss, scores, y):
    lead = scores.max() - scores.min()
    value = cross_entropy(OwnSoftmax(1.0), scores, y)
    if lead > 20.0:
        scores *= 1.01
    return value


def wrong_where_leads_are_huge(loss, scores, y):
    lead = scores.max() - scores.min()
    value = cross_entropy(OwnSoftmax(1.0), scores, y)
    if lead > 200.0:
        scores *= 1.01
    return value


def wrong_where_leads_are_vast(loss, scores, y):
    lead = scores.max() - scores.min()
    value = cross_entropy(OwnSoftmax(1.0), scores, y)
    if lead > 1e4:
        scores *= 1.01
    return value


def with_a_special_class(loss, scores, y):
    value = cross_entropy(OwnSoftmax(1.0), scores, y)
    weight = 2.0 if y == 0 else 1.0
    scores *= weight
    return weight * value


def overflowing_in_float64(loss, scores, y):
    power = np.float64(scores[0]) ** 11
    return cross_entropy(OwnSoftmax(1.0), scores, y) + 0.0 * power


def negative(loss, scores, y):
    return cross_entropy(OwnSoftmax(1.0), scores, y) - 0.2


def wrong_hinge(loss, scores, y):
    value = hinge(OwnHinge(1.0), scores, y)
    scores *= 2
    return value


def overflowing(loss, scores, y):
    target = scores[y]
    scores[:] = np.exp(scores)
    total = scores.sum()
    scores /= total
    scores[y] -= 1
    return max(np.log(total) - target, 0.0)


def of_one_score(loss, scores, y):
    excess = max(1 - scores[y], 0.0)
    scores[:] = 0.0
    scores[y] = -2 * excess
    return excess**2


def shifted_by_rounding(loss, scores, y):
    scores *= 1.1
    value = cross_entropy(OwnSoftmax(1.0), scores, y)
    scores *= 1.1
    return value


def not_convex(loss, scores, y):
    value = cross_entropy(OwnSoftmax(1.0), scores, y)
    scores *= np.exp(-value)
    return 1 - np.exp(-value)


def coarse_in_float32(loss, scores, y):
    coarse = scores[:1] * 0 + 65536
    scores[:] = (scores + coarse) - coarse
    return cross_entropy(OwnSoftmax(1.0), scores, y)


def half(self, scores):
    return softmax(scores) / 2


def reverse(self, scores):
    return softmax(-scores)


def wider(self, scores):
    return softmax(scores.astype(np.float64))


def of_others(self, scores):
    return np.log(softmax(2 * scores) + 1e-30)


def proper(self, scores):
    return softmax(scores)


# a row function, the attributes of its class, the first check that fails, and its message
FINDINGS = [
    (wrong_gradient, {}, check_gradient, r"the gradient left in scores is .* differences of the loss give"),
    (slightly_wrong_gradient, {}, check_gradient, r"the gradient left in scores is .*size 1;"),
    (wrong_where_leads_are_large, {}, check_gradient, r"the gradient left in scores is .*size 30;"),
    (wrong_where_leads_are_huge, {}, check_gradient_far_away, r"the gradient left in scores is .*size 1000;"),
    (
        wrong_where_leads_are_vast,
        {},
        check_gradient_far_away,
        r"the gradient left in scores is .*size 10000;",
    ),
    (wrong_hinge, {"smooth": False}, check_gradient, r"the gradient left in scores is"),
    (with_a_special_class, {}, check_symmetry, r"order of the classes .* set symmetric = False"),
    (negative, {}, check_gradient, r"a loss is -.*losses must be 0 or more"),
    (
        coarse_in_float32,
        {"shift_invariant": False},
        check_dtypes,
        r"in float32 the loss differs from that in",
    ),
    (overflowing, {}, check_extreme_scores, r"not finite at float32 scores of \+-10000"),
    (overflowing_in_float64, {}, check_extreme_scores, r"not finite at float64 scores of \+-1e\+30"),
    (of_one_score, {}, check_shift, r"its gradient sums to .*shift_invariant = False"),
    (shifted_by_rounding, {}, check_shift, r"adding .* to all scores .* changes it: subtract the largest"),
    (not_convex, {}, check_convexity, r"it is not convex.*convex = False"),
    (plain, {"curvature": lambda self, n: -1.0}, check_curvature, r"curvature of .* is -1\.0"),
    (plain, {"probabilities": half}, check_probabilities, "negative or do not sum to 1"),
    (plain, {"probabilities": reverse}, check_probabilities, "highest score does not have the highest prob"),
    (plain, {"probabilities": wider}, check_probabilities, r"probabilities of float32 .* are float64"),
    (
        plain,
        {"probabilities": proper, "log_probabilities": of_others},
        check_probabilities,
        "not the logarithms",
    ),
]


# each compiles, so the default run has only the first finding of each check
FIRST = {row[2]: row for row in reversed(FINDINGS)}.values()


@pytest.mark.parametrize(
    ("function", "attributes", "check", "message"),
    [pytest.param(*row, marks=() if row in FIRST else pytest.mark.exhaustive) for row in FINDINGS],
    ids=lambda item: getattr(item, "__name__", ""),
)
def test_what_check_loss_finds(function, attributes, check, message):
    loss = registered(function, **attributes)
    with pytest.raises(AssertionError, match=message):
        check_loss(loss, n_classes=4)
    for earlier in CHECKS[: CHECKS.index(check)]:
        earlier(loss, 4, np.random.default_rng(0))
    with pytest.raises(AssertionError, match=message):
        check(loss, 4, np.random.default_rng(0))


def test_a_soft_row_function_that_is_not_the_expectation():
    loss = registered(plain)

    @soft_row_loss.register(type(loss))
    def of_the_largest(loss, scores, q):
        return cross_entropy(OwnSoftmax(1.0), scores, np.argmax(q))

    with pytest.raises(AssertionError, match="soft_row_loss does not return the expectation"):
        check_loss(loss)


def test_a_loss_may_say_that_its_classes_are_not_alike():
    check_loss(registered(with_a_special_class, symmetric=False))


@pytest.mark.parametrize("n_classes", [1, 0, -3, 2.5, "6"])
def test_check_loss_needs_two_classes(n_classes):
    with pytest.raises(ValueError, match=rf"n_classes={n_classes!r}: use an integer of 2 or more"):
        check_loss(OwnSoftmax(), n_classes=n_classes)


def test_every_check_has_a_finding():
    """Each check must fail for some broken loss; the check of soft labels is tested above."""
    assert {row[2] for row in FINDINGS} == set(CHECKS) - {check_soft_labels}
