"""
A model of the next word: whole words or pieces of words, and how many of them?
===============================================================================

A model of the next word has a class for each entry of its vocabulary. With more entries a fit takes longer;
with fewer, rare words must be spelled. Here 500 to 3,000 whole words compete with as many pieces of words,
for softmax and for two of its relatives that were made for many classes. All of them compete with plain
counting.
"""

import pathlib
import re
import string
import time
from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
import scipy
from sklearn.feature_extraction import FeatureHasher
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from linclf import SoftmaxClassifier
from linclf.large import AdaptiveSoftmaxClassifier, HierarchicalSoftmaxClassifier

# %%
# The text: docstrings of NumPy and SciPy, in lower case, with a space between words, digits and signs.
# Whole docstrings are held out for the test, though many have sentences in common with others.

documents = set()
for package in (np, scipy):
    for path in pathlib.Path(package.__file__).parent.rglob("*.py"):
        if "test" not in str(path.relative_to(path.parents[2])):
            documents.update(re.findall(r':\n\s+r?"""(.+?)"""', path.read_text(encoding="utf-8"), re.DOTALL))
documents = np.random.default_rng(0).permutation(sorted(documents))
alphabet = string.ascii_lowercase + string.digits + string.punctuation


def normalised(texts):
    found = re.findall(r"[a-z]+|\d|[^a-z\d\s]", " ".join(texts).lower())
    return " ".join(word for word in found if word.isascii())


text, test = normalised(documents[60:360]), normalised(documents[:60])
print(f"{len(text.split()):,} words, {len(set(text.split())):,} of them different")

# %%
# Whole words: the K - 1 most frequent ones, and one entry for all others. After that entry the unknown word
# is spelled: its letters, and the space after it, are independent, with the frequencies that they have in
# the unknown words of the training text (plus one each). Pieces: K units that byte pair encoding joins from
# letters, so that nothing is unknown.
#
# Each function returns the entries of both texts, and what the spelling adds to the negative log-likelihood
# of the test.


def whole_words(K):
    counts = Counter(text.split())
    index = {word: i for i, (word, _) in enumerate(counts.most_common(K - 1))}
    letters = Counter(alphabet + " ")
    for word, count in counts.items():
        if word not in index:
            letters.update({letter: count * repeats for letter, repeats in Counter(word + " ").items()})
    spelled = "".join(word + " " for word in test.split() if word not in index)
    nats = -sum(np.log(letters[letter] / letters.total()) for letter in spelled)
    return *([index.get(word, K - 1) for word in each.split()] for each in (text, test)), nats


def pieces(K):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()  # a word begins with its space
    trainer = trainers.BpeTrainer(vocab_size=K, initial_alphabet=list(alphabet), show_progress=False)
    tokenizer.train_from_iterator([text], trainer)
    return *(tokenizer.encode(each).ids for each in (text, test)), 0


# %%
# The features of a row are the three previous entries, and the last two of them as a pair, hashed.

hasher = FeatureHasher(2**13, input_type="string", alternate_sign=False, dtype=np.float32)


def contexts(entries):
    padded = [-1, -1, -1, *entries[:-1]]
    before = zip(padded, padded[1:], padded[2:], strict=False)
    return hasher.transform((f"1 {c}", f"2 {b}", f"3 {a}", f"{b} {c}") for a, b, c in before)


# %%
# Counting is the classical way: how often has each entry followed the previous two? Kneser-Ney smoothing
# takes 0.75 from each count and gives it to what the last entry alone suggests, and so on.


def counting(entries, entries_test, K):
    levels = [Counter(zip(entries, entries[1:], entries[2:], strict=False))]
    for _ in range(2):
        levels.append(Counter(gram[1:] for gram in levels[-1]))  # in how many contexts, not how often
    p, padded = np.full(len(entries_test), 1 / K), [-1, -1, *entries_test]
    for start, counts in ((2, levels[2]), (1, levels[1]), (0, levels[0])):
        total, kinds = Counter(), Counter()
        for gram, count in counts.items():
            total[gram[:-1]] += count
            kinds[gram[:-1]] += 1
        for i, gram in enumerate(zip(*(padded[j:] for j in range(start, 3)), strict=False)):
            if before := total[gram[:-1]]:
                p[i] = (max(counts[gram] - 0.75, 0) + 0.75 * kinds[gram[:-1]] * p[i]) / before
    return p


# %%
# Perplexity per entry cannot be compared between vocabularies, because entries differ in length. Perplexity
# per character can: it is ``exp(-log p / N)``, where p is the probability of the whole test text, spelling
# included, and N the number of its characters, spaces included. (p counts one way to write the text. There
# may be others, so it is slightly too small.)
#
# Each entry is added once to the end of the training text, so that no probability is 0. Small batches suit
# sparse rows, as a step only changes the weights of features that occur in its rows. With up to 1,000
# classes the adaptive softmax is the full one, so it is left out.

common = {"max_iter": 2, "alpha": 3e-6, "random_state": 0}
models_of_next = {
    "softmax": SoftmaxClassifier(solver="sgd", batch_size=64, **common),
    "adaptive softmax": AdaptiveSoftmaxClassifier(solver="sgd", batch_size=64, **common),
    "hierarchical softmax": HierarchicalSoftmaxClassifier(**common),
    "counting": None,
}
Ks = (500, 1_200, 3_000)
N = len(test) + 1  # with a space before the first word
curves = {}
for vocabulary in (whole_words, pieces):
    for K in Ks:
        entries, entries_test, nats = vocabulary(K)
        entries += range(K)
        X, X_test = contexts(entries), contexts(entries_test)
        print(f"{vocabulary.__name__}, K = {K:,}: {N / len(entries_test):.1f} characters an entry")
        for name, clf in models_of_next.items():
            if name == "adaptive softmax" and K <= 1_000:
                continue
            if clf is not None:
                clf.fit(X[:500], entries[:500]).predict_proba_of(X[:9], entries[:9])  # compiles
            started = time.perf_counter()
            if clf is None:
                p = counting(entries, entries_test, K)
            else:
                p = clf.fit(X, entries).predict_proba_of(X_test, entries_test)
            seconds = time.perf_counter() - started
            perplexity = np.exp((nats - np.log(p).sum()) / N)
            curves.setdefault((vocabulary, name), []).append((seconds, perplexity, K))
            print(f"    {name:20}  {perplexity:.2f} in {seconds:.2f} s")

# %%
# Pieces are far better than words while the vocabulary is small, because nothing has to be spelled; with
# 3,000 entries the two are close. The time of the full softmax grows with the number of classes. The
# adaptive softmax is nearly as good, and faster. A Huffman tree joins words that have nothing in common but
# their frequency, and that costs more than it saves here.
#
# Counting is as good or better, and by far the fastest. If previous words are all that you have, count
# them. A linear model can also use features that cannot be counted, such as embeddings.

fig, axes = plt.subplots(1, 2, figsize=(8, 4.8), sharex=True, sharey=True, layout="constrained")
for ax, vocabulary in zip(axes, (whole_words, pieces), strict=True):
    for name, marker, colour in zip(models_of_next, "osD^", ("C0", "C1", "C4", "k"), strict=True):
        seconds, perplexity, sizes = zip(*curves[vocabulary, name], strict=True)
        ax.plot(seconds, perplexity, color=colour, linewidth=1)
        ax.scatter(seconds, perplexity, np.array(sizes) / 15, color=colour, marker=marker, label=name)
        if name == "softmax" and vocabulary is whole_words:  # the others grow with K alike
            for K, *point in zip(sizes, seconds, perplexity, strict=True):
                ax.annotate(f"K = {K:,}", point, xytext=(8, 6), textcoords="offset points")
    ax.set(xscale="log", xlabel="seconds", title=vocabulary.__name__.replace("_", " "))
    ax.margins(x=0.35, y=0.1)
axes[0].set_ylabel("perplexity per character")
for mark in axes[1].legend().legend_handles:
    mark.set_sizes([40])
