"""Pictures of classifiers and of their probabilities, in the manner of scikit-learn's displays.

Each display computes its numbers once (``from_estimator``, ``from_predictions``) and draws them as often
as wanted with ``plot``, into new axes or into given ones; nothing is shown before ``plt.show()``.
Legends cover no curve: some stand inside the axes, whose range grows, and some beside them, for which
figures with ``layout="constrained"`` leave room. Matplotlib is imported for drawing only:
``pip install "linclf[plot]"``.
"""

from linclf.display.coefficients import CoefficientsDisplay
from linclf.display.history import HistoryDisplay
from linclf.display.path import PathDisplay
from linclf.display.reliability import ReliabilityDisplay
from linclf.display.risk_coverage import RiskCoverageDisplay
from linclf.display.set_sizes import SetSizeDisplay
from linclf.display.simplex import SimplexDisplay

__all__ = [
    "CoefficientsDisplay",
    "HistoryDisplay",
    "PathDisplay",
    "ReliabilityDisplay",
    "RiskCoverageDisplay",
    "SetSizeDisplay",
    "SimplexDisplay",
]
