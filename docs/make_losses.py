"""Makes docs/losses.md and its pictures: ``python docs/make_losses.py`` (needs ``pip install ".[docs]"``).

The prose is in docs/losses.md.in. Computed text replaces the marks in it:
``{{table}}``, ``{{parameters}}``, ``{{facts}}``, ``{{traits}}``, ``{{scale}}`` and ``{{at NAME}}``.
"""

import pathlib
import re

import numpy as np
from sklearn.utils._param_validation import Interval

from linclf._training.solvers.dual import knows
from linclf.heads import Cosine
from linclf.losses import LOSSES, Softmax, _registry, value_and_gradient
from linclf.losses._registry import LossTraits, trait
from linclf.losses.margin import automatic_scale

DOCS = pathlib.Path(__file__).resolve().parent

# the estimator of each loss; LinearClassifier(loss="...") trains any of them
ESTIMATORS = {
    "softmax": "SoftmaxClassifier()",
    "one-vs-rest-logistic": 'LinearClassifier(loss="one-vs-rest-logistic")',
    "focal": "FocalClassifier()",
    "sparsemax": "SparsemaxClassifier()",
    "entmax": "EntmaxClassifier()",
    "weston-watkins": "SVMClassifier()",
    "crammer-singer": 'SVMClassifier(multi_class="crammer-singer")',
    "one-vs-rest": 'SVMClassifier(multi_class="one-vs-rest")',
    "squared-weston-watkins": "SVMClassifier(squared=True)",
    "squared-crammer-singer": 'SVMClassifier(multi_class="crammer-singer", squared=True)',
    "squared-one-vs-rest": 'SVMClassifier(multi_class="one-vs-rest", squared=True)',
    "normface": 'MarginSoftmaxClassifier(margin_type="normface")',
    "cosface": "MarginSoftmaxClassifier()",
    "arcface": 'MarginSoftmaxClassifier(margin_type="arcface")',
    "sphereface": 'MarginSoftmaxClassifier(margin_type="sphereface")',
}


def page():
    """The text of docs/losses.md."""
    parts = {
        "table": table(),
        "parameters": parameters(),
        "facts": facts(),
        "traits": traits(),
        "scale": f"{automatic_scale(4):.1f} for four classes, {automatic_scale(10):.1f} for ten",
        **{f"at {name}": example(name) for name in LOSSES},
    }
    text = (DOCS / "losses.md.in").read_text(encoding="utf-8")
    unused = set(parts) - set(re.findall(r"{{(.+?)}}", text))
    if unused:
        raise ValueError(f"docs/losses.md.in has no mark for {sorted(unused)}")
    text = re.sub(r"{{(.+?)}}", lambda mark: parts[mark[1]], text)
    origin = "<!-- Made from losses.md.in by make_losses.py: edit that, then python docs/make_losses.py -->"
    return f"{origin}\n{text}"


def table():
    """Markdown table: the properties of each loss and the solvers that train it."""
    rows = [
        [
            f"[{name}](#{name})",
            _yes(trait(loss, "convex")),
            _yes(trait(loss, "smooth")),
            _yes(trait(loss, "shift_invariant")),
            _probabilities(loss),
            _solvers(loss),
        ]
        for name, loss in LOSSES.items()
    ]
    return _markdown(["loss", "convex", "smooth", "shift-invariant", "probabilities", "solvers"], rows)


def _solvers(loss: type) -> str:
    """Which solvers train a loss."""
    smooth = trait(loss, "smooth")
    newton = smooth and trait(loss, "head").equivariant and not trait(loss, "gradient_jumps")
    takes = {"newton": newton, "lbfgs": smooth, "dual": knows(loss())}
    return "all but " + ", ".join(solver for solver, taken in takes.items() if not taken)


def parameters():
    """The class of each loss, its estimator, and its parameters with defaults and limits."""
    rows = []
    for name, loss in LOSSES.items():
        fields = [
            f"`{field}={loss._field_defaults[field]!r}`, {_allowed(loss.limits[field])}"
            for field in loss._fields
        ]
        rows.append([name, f"`{loss.__name__}`", f"`{ESTIMATORS[name]}`", "; ".join(fields) or "none"])
    return _markdown(["loss", "class in `linclf.losses`", "estimator", "parameters of the loss"], rows)


def facts():
    """How each loss on scores behaves with three classes."""
    losses = {name: cls() for name, cls in LOSSES.items() if trait(cls, "head") is not Cosine}
    losses["softmax, label_smoothing=0.1"] = Softmax(label_smoothing=0.1)
    rows = []
    for name, loss in losses.items():
        lead, best = _undecided(loss)
        stated = f"{loss.probabilities(best)[0, 0]:.2f}" if trait(loss, "probabilities") else ""
        rows.append([name, _enough(loss), f"{_pull(loss):.2f}", f"{lead:.2f}", stated])
    return _markdown(["loss", "enough", "pull at -10", "lead at .4, .35, .25", "stated for .4"], rows)


def example(name):
    """Loss and gradient of scores, or cosines, of four classes."""
    scores = np.array([[2.0, 4.0, 2.0, 1.0]])
    cosines = trait(LOSSES[name], "head") is Cosine
    values, gradient = value_and_gradient(name, scores / 10 if cosines else scores, [0])
    given = "Here" if cosines else "At scores (2, 4, 2, 1), with the first class true,"
    shown = ", ".join(f"{part:.4f}" for part in gradient[0] + 0.0)  # no -0.0
    return f"{given} the loss is {values[0]:.4f} and the gradient ({shown})."


def traits():
    """The class attributes of a loss, as linclf/losses/_registry.py documents them."""
    found = re.findall(r"^``(.+?)``\s+(.+(?:\n {10,}.+)*)", _registry.__doc__, re.M)
    rows = []
    for name, meaning in found:
        default = getattr(LossTraits, name, "")
        default = getattr(default, "__name__", default)
        rows.append([f"`{name}`", " ".join(meaning.split()), f"`{default}`" if default != "" else ""])
    return _markdown(["attribute", "meaning", "default"], rows)


def scores_at(margins):
    """Scores of three classes, centred at 0: the first leads two equal rivals by a margin."""
    half = np.asarray(margins)[:, None] / 2
    return np.hstack([half, -half, -half])


def _enough(loss):
    """The smallest lead at which the gradient is 0, in steps of 1/64 up to 30."""
    margins = np.arange(30 * 64) / 64
    gradient = value_and_gradient(loss, scores_at(margins), np.zeros(len(margins), int))[1]
    without = np.flatnonzero(~gradient.any(axis=1))
    return f"{margins[without[0]]:g}" if without.size else "never"


def _pull(loss):
    return abs(value_and_gradient(loss, scores_at([-10.0]), [0])[1][0, 0])


def _undecided(loss, q=(0.4, 0.35, 0.25)):
    """(lead of class 0 over 1, scores) of least expected loss if the classes have probabilities q.

    The score of class 2 is fixed at 0: shift-invariant losses leave one score free, and for sums over classes
    it makes no difference. It is a grid search because some losses have kinks.
    """
    steps = np.arange(-150, 151) / 100
    first, second = (part.ravel() for part in np.meshgrid(steps, steps))
    scores = np.column_stack([first, second, np.zeros_like(first)])
    expected = sum(
        share * value_and_gradient(loss, scores, np.full(len(scores), k))[0] for k, share in enumerate(q)
    )
    best = scores[expected < expected.min() + 1e-12]
    leads = best[:, 0] - best[:, 1]
    if np.ptp(leads) > 1e-9:
        raise ValueError(f"{loss!r} has leads from {leads.min()} to {leads.max()} of the same expected loss")
    return abs(leads[0]), best[:1]


def _yes(flag):
    return "yes" if flag else "no"


def _probabilities(loss):
    """Whether a loss has probabilities, and whether those of classes far behind are exactly 0."""
    if not trait(loss, "probabilities"):
        return "no"
    p = loss().resolved(3) if hasattr(loss, "resolved") else loss()
    return "yes, with zeros" if (p.probabilities(np.array([[0.0, 5.0, 20.0]])) == 0).any() else "yes"


def _allowed(limit):
    """The limits of one parameter in mathematical notation."""
    if isinstance(limit, list):
        return " or ".join(_allowed(one) for one in limit)
    if not isinstance(limit, Interval):
        return " or ".join(f'`"{option}"`' for option in sorted(limit.options))
    if limit.right is None:
        return f"> {limit.left}" if limit.closed in ("right", "neither") else f"at least {limit.left}"
    left = "[" if limit.closed in ("left", "both") else "("
    right = "]" if limit.closed in ("right", "both") else ")"
    return f"in {left}{limit.left:.4g}, {limit.right:.4g}{right}"


def _markdown(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main():
    import _loss_pictures  # beside this file

    (DOCS / "losses.md").write_text(page(), encoding="utf-8")
    _loss_pictures.draw_all(DOCS / "images", scores_at)


if __name__ == "__main__":
    main()
