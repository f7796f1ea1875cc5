#!/usr/bin/env python3
"""Makes statistics.json, the golden vectors of reports/src/stats, with scipy.

Made with Python 3 and scipy 1.17.1 (`pip install scipy==1.17.1`):

    python3 reports/tests/golden/make.py > reports/tests/golden/statistics.json

scipy decides wherever it has the method: wilcoxon, mannwhitneyu, kendalltau, fisher_exact, norm,
and false_discovery_control for Benjamini-Hochberg. Exact p with ties come from its full permutation of
signs or of groups. It has no intervals from Walsh averages or differences: these are found here by
the definition, as the shifts that scipy's own exact test does not reject. Holm is written out.
"""

import json
import math
import random

import numpy
import scipy
from scipy import stats

DRAW = random.Random(20261121)
ALL = numpy.inf


def effects(n, shift):
    return [round(DRAW.gauss(shift, 0.05), 6) for _ in range(n)]


def signed_rank(values):
    """p two-sided; with ties or zeros by all signs, and 1 where nothing is left to rank."""
    kept = [value for value in values if value != 0]
    ties = len({abs(value) for value in kept}) < len(kept)
    if len(kept) > 60:
        # The variance that scipy takes for ties, and its correction for continuity.
        method = {"method": "asymptotic", "correction": True}
    elif ties:
        method = {"method": stats.PermutationMethod(n_resamples=ALL)}
    else:
        method = {"method": "exact"}
    two_sided = stats.wilcoxon(kept, **method).pvalue if kept else 1.0
    return {"effects": values, "two_sided": min(two_sided, 1.0)}


def with_rounding(n):
    """Differences of counts in tenths: ties and zeros by arithmetic, but not to the last bit."""
    counts = [(DRAW.randrange(3000, 3020), DRAW.randrange(3000, 3020)) for _ in range(n)]
    exact = signed_rank([test - base for base, test in counts])
    return {"effects": [test / 10 - base / 10 for base, test in counts], "two_sided": exact["two_sided"]}


def kept_shifts(candidates, p_at, alpha):
    """First and last of the candidates between which scipy's test does not reject."""
    candidates = sorted(candidates)
    middles = [(low + high) / 2 for low, high in zip(candidates, candidates[1:])]
    kept = [p_at(middle) > alpha for middle in middles]
    first, last = kept.index(True), len(kept) - 1 - kept[::-1].index(True)
    return [candidates[first], candidates[last + 1]]


def walsh(values):
    averages = [(a + b) / 2 for at, a in enumerate(values) for b in values[at:]]
    p_at = lambda shift: stats.wilcoxon([one - shift for one in values], method="exact").pvalue
    intervals = {level: kept_shifts(averages, p_at, 1 - level / 100) for level in (90, 95)}
    return {"effects": values, "estimate": numpy.median(averages), "intervals": intervals}


def shift(base, test):
    differences = [b - a for a in base for b in test]
    p_at = lambda by: stats.mannwhitneyu([one - by for one in test], base, method="exact").pvalue
    intervals = {level: kept_shifts(differences, p_at, 1 - level / 100) for level in (90, 95)}
    return {
        "base": base, "test": test,
        "estimate": numpy.median(differences), "intervals": intervals,
    }


def holm(p):
    order = sorted(range(len(p)), key=p.__getitem__)
    adjusted, largest = [0.0] * len(p), 0.0
    for before, at in enumerate(order):
        largest = max(largest, min(1.0, p[at] * (len(p) - before)))
        adjusted[at] = largest
    return adjusted


def adjusted(p):
    return {"p": p, "holm": holm(p), "benjamini_hochberg": list(stats.false_discovery_control(p))}


def drift(values):
    """Kendall's exact test against the order; with ties or many the Mann-Kendall approximation."""
    n, places = len(values), range(len(values))
    if len(set(values)) == n and n <= 60:
        return {"values": values, "p": stats.kendalltau(places, values, method="exact").pvalue}
    s = sum(numpy.sign(values[b] - values[a]) for a in places for b in range(a + 1, n))
    counts = [n] + [-int(count) for count in numpy.unique(values, return_counts=True)[1]]
    of = lambda n: math.copysign(abs(n) * (abs(n) - 1) * (2 * abs(n) + 5), n)
    deviation = math.sqrt(sum(map(of, counts)) / 18)
    return {"values": values, "p": min(1.0, 2 * stats.norm.sf((abs(s) - 1) / deviation))}


def power(values, effect, alpha, power):
    distances = [abs(a - b) for at, a in enumerate(values) for b in values[at + 1:]]
    of_alpha, efficiency = stats.norm.isf(alpha / 2), 3 / math.pi
    squares = ((of_alpha + stats.norm.isf(1 - power)) * 1.048358 * numpy.median(distances)) ** 2
    lost, least = of_alpha**2 / 2, math.ceil(math.log2(2 / alpha))
    return {
        "effects": values, "effect": effect, "alpha": alpha, "power": power,
        "detectable": math.sqrt(squares / (len(values) * efficiency - lost)),
        "pairs": max(least, math.ceil((squares / effect**2 + lost) / efficiency)),
    }


def share(base, test):
    table = [[test[0], test[1] - test[0]], [base[0], base[1] - base[0]]]
    return {"base": base, "test": test, "p": stats.fisher_exact(table, "greater").pvalue}


def coarse(values, digits):
    return [round(value, digits) for value in values]


PAIRED = [effects(n, shift) for n in (1, 5, 6, 10, 20, 40, 60) for shift in (0.0, 0.04)]
TIED = [coarse(effects(n, 0.02), 2) for n in (4, 8, 10, 12)] + [[1, -1], [2, 2, 2, 2, 2, 2], [0, 0, 0]]
LARGE = [effects(61, 0.005), coarse(effects(100, 0.005), 2)]
GROUPS = [(effects(n, 1.0), effects(m, 1.04)) for n, m in ((4, 4), (6, 9), (10, 10), (20, 20))]
SERIES = [effects(n, 0.0) for n in (3, 10, 60)] + [effects(61, 0.0), coarse(effects(20, 0.0), 2)]
SERIES += [[value + at * 0.01 for at, value in enumerate(effects(12, 0.0))]]
FAMILIES = [[0.01, 0.04, 0.03, 0.005, 0.2, 1.0], [0.5], [0.02, 0.02, 0.02], [1e-9, 0.9, 0.00195]]
SHARES = [((1, 8), (8, 8)), ((1, 8), (5, 8)), ((3, 16), (4, 8)), ((0, 8), (1, 8)), ((9, 9), (1, 4))]
ROUNDED = [with_rounding(n) for n in (6, 9, 12, 15)]
SHARES += [((40, 1000), (60, 900)), ((500, 1000), (700, 1000))]

print(json.dumps({
    "scipy": scipy.__version__,
    "signed_rank": [signed_rank(one) for one in PAIRED + TIED + LARGE] + ROUNDED,
    "walsh": [walsh(one) for one in PAIRED if 6 <= len(one) <= 40],
    "shift": [shift(*one) for one in GROUPS],
    "adjusted": [adjusted(one) for one in FAMILIES],
    "drift": [drift(one) for one in SERIES],
    "power": [power(one, 0.05, 0.05 / 6, 0.8) for one in PAIRED if len(one) >= 10],
    "shares": [share(*one) for one in SHARES],
    "normal_above": [[x, stats.norm.sf(x)] for x in (-3.5, -1.0, 0.0, 0.5, 1.96, 2.99, 3.0, 5.0, 9.0)],
}, indent=1))
