"""The dual problem of one row: what a loss provides for `solver="dual"`.

The dual variables of a row, ``active``, are numbers a >= 0 that define a subgradient g of its loss:
``g_k = a_k`` for k != y and ``g_y = -a_y``. With the other rows fixed, its scores fall by ``bend * g``.
"""

from linclf._numba import compiled, generic

ROUNDS, PRECISION = 100, 1e-15


@generic
def dual_step(loss, scores, y, active, bend):
    """Best dual variables of one row; returns whether any has changed. For losses that are sums of hinges.

    ``scores`` belong to the given ``active`` and are overwritten with the change of g. The new variables
    define a subgradient of the loss at the new scores.
    """


@generic
def dual_members(loss, y, active, members):
    """Set ``members`` m to 1 for the entries of g that change with the scores, and to 0 for the rest.

    ``bend * dg/df`` is diag(m), minus ``m m' / sum(m)`` if a shift of all scores does not change the loss.
    """


@compiled
def excesses(margin, scores, y, active, bend):
    """Replace the scores by ``r_k = (margin + v_k - v_y) / bend`` and return the largest.

    v are the scores without the row. With A the sum of all a_k, the new a_k are ``r_k - A`` up to bounds.
    """
    own, top = scores[y] - margin, 0.0
    for k in range(scores.size):
        scores[k] = (scores[k] - own) / bend + active[k] + active[y]
        if k != y:
            top = max(top, scores[k])
    return top


@compiled
def below_one(r, y, start):
    """The root of ``sum_{k != y} min(max(r_k - A, 0), 1) = A``, by Newton's method with bisection."""
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
        if not low < moved < high:  # Newton's method would cycle
            moved = 0.5 * (low + high)
        if abs(moved - A) <= PRECISION * (1.0 + A):
            break
        A = moved
    return A


@compiled
def on_simplex(r, y, top):
    """The root of ``sum_{k != y} max(r_k - A, 0) = min(A, 1)``, by Newton's method from below.

    From there it always converges. The start uses the largest r only, which puts it below the root.
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
    """Set ``a_k = min(max(r_k - A, 0), most)``; r becomes the change of g. Returns whether g has changed."""
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
    """Mark the variables strictly between 0 and ``most``."""
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
