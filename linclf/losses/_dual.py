"""The dual problem of one row: what `solver="dual"` asks of a loss.

The dual variables of a row are ``active`` numbers a >= 0 that say what of the subgradient g of its loss is
used: ``g_k = a_k`` for k != y and ``g_y = -a_y``. With the other rows fixed, scores fall by ``bend * g``.
"""

from linclf._numba import compiled, generic

ROUNDS, PRECISION = 100, 1e-15


@generic
def dual_step(loss, scores, y, active, bend):
    """Best dual variables of one row; returns whether any has changed. For losses that are sums of hinges.

    ``scores`` are those with the variables ``active``, and become the change of g. The new variables are a
    subgradient of the loss at the new scores.
    """


@generic
def dual_members(loss, y, active, members):
    """Which g change with the scores: ``members`` m become 0 or 1, for ``bend * dg/df``.

    It is diag(m), less ``m m' / sum(m)`` if the loss does not change with a shift of all scores.
    """


@compiled
def excesses(margin, scores, y, active, bend):
    """``r_k = (margin + v_k - v_y) / bend`` in place of the scores, v those without the row; their maximum.

    With A the sum of all a_k, the new ones solve ``a_k = r_k - A`` up to bounds.
    """
    own, top = scores[y] - margin, 0.0
    for k in range(scores.size):
        scores[k] = (scores[k] - own) / bend + active[k] + active[y]
        if k != y:
            top = max(top, scores[k])
    return top


@compiled
def below_one(r, y, start):
    """The root of ``sum_{k != y} min(max(r_k - A, 0), 1) = A``: Newton's method, and halving to be sure."""
    low, high, A = -1.0, float(r.size), start
    for _ in range(ROUNDS):
        total, pieces = 0.0, 1.0
        for k in range(r.size):
            if k != y and r[k] > A:
                over = r[k] - A
                total += min(over, 1.0)
                pieces += 1.0 if over < 1.0 else 0.0
        if total > A:
            low = A
        else:
            high = A
        moved = A + (total - A) / pieces
        if not low < moved < high:  # the ends would come again and again
            moved = 0.5 * (low + high)
        if abs(moved - A) <= PRECISION * (1.0 + A):
            break
        A = moved
    return A


@compiled
def on_simplex(r, y, top):
    """The root of ``sum_{k != y} max(r_k - A, 0) = min(A, 1)``, from below, where Newton's method is sure.

    The largest r alone is below the root, and so the start is.
    """
    total = 0.0
    for k in range(r.size):
        if k != y:
            total += max(r[k] - 1.0, 0.0)
    bounded = total >= 1.0
    A = top - 1.0 if bounded else 0.5 * top
    for _ in range(ROUNDS):
        total, pieces = (-1.0, 0.0) if bounded else (-A, 1.0)
        for k in range(r.size):
            if k != y and r[k] > A:
                total += r[k] - A
                pieces += 1.0
        move = total / pieces if pieces > 0.0 else 0.0
        if not move > PRECISION * (1.0 + A):
            break
        A += move
    return A


@compiled
def exchange(r, y, active, A, most, simplex):
    """Take ``a_k = min(max(r_k - A, 0), most)``; r becomes the change of g. Returns whether there is one."""
    total, changed, share = 0.0, False, 1.0
    for k in range(r.size):
        if k != y:
            r[k] = min(max(r[k] - A, 0.0), most)
            total += r[k]
    if simplex and total > 1.0:  # by rounding of large r
        share, total = 1.0 / total, 1.0
    for k in range(r.size):
        if k != y:
            new = r[k] * share
            r[k] = new - active[k]
            changed = changed or r[k] != 0.0
            active[k] = new
    r[y] = active[y] - total
    active[y] = total
    return changed


@compiled
def free(active, most, members):
    """Those between 0 and ``most``."""
    for k in range(members.size):
        members[k] = 1.0 if 0.0 < active[k] < most else 0.0


@compiled
def apart(margin, scores, y, active, bend):
    """The step for a sum over k of ``max(0, margin - t_k f_k)``, t_k = 1 for k = y, else -1."""
    changed = False
    for k in range(scores.size):
        sign = 1.0 if k == y else -1.0
        new = min(max(active[k] + (margin - sign * scores[k]) / bend, 0.0), 1.0)
        scores[k] = sign * (active[k] - new)
        changed = changed or scores[k] != 0.0
        active[k] = new
    return changed
