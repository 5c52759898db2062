"""Models in files of arrays and JSON, `save` and `load`: nothing that is read from one can run.

The file is a zip with ``model.json`` and the arrays, ``0.npy``, ``1.npy`` ..., none of them compressed,
so that what is read is never larger than the file. `_model_json` says what is in the JSON.
"""

import json
import math
import os
import pathlib
import secrets
import zipfile

import numpy as np
from sklearn.base import BaseEstimator

import linclf
from linclf._files import schema as _model_checks
from linclf._files.values import PLAIN, Reader, Writer, brief, classes

FORMAT, VERSION = "linclf model", 1


class Refused(ValueError):
    """A reason why a file is not read that says what to do."""


# ---------------------------------------------------------------- writing


def save(model, path):
    """Write a model to a file of arrays and JSON, which `load` reads without running anything from it.

    All parameters, what `fit` has found, and the state of a ``partial_fit`` stream are kept: the model
    that is read predicts bitwise the same, and its stream goes on bitwise as if it had not stopped.
    The file is replaced at once or not at all: a save that fails or is killed leaves the old one.

    For models with code of others (a loss of your own, a calibrator or a step of a pipeline that is not
    linclf's, callbacks) use pickle, joblib or skops.

    Parameters
    ----------
    model : estimator
        A classifier or calibrator of linclf, fitted or not; also `CalibratedClassifier` around one.
    path : str or path-like
        The file, by custom ``*.linclf``; its folder has to exist.

    Raises
    ------
    TypeError
        If the model, or a part of it, is not linclf's own and could not be read back without running
        code.
    ValueError
        If parts of the model do not fit together, such as ``coef_`` and ``classes_``.
    OSError
        If the file cannot be written.

    See Also
    --------
    load : Read the file.

    Examples
    --------
    >>> import os, tempfile
    >>> import linclf
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = linclf.SoftmaxClassifier(random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "iris.linclf")
    ...     linclf.save(clf, path)
    ...     read = linclf.load(path)
    >>> bool((read.decision_function(X) == clf.decision_function(X)).all())
    True
    """
    if type(model) not in classes().values() or not isinstance(model, BaseEstimator):
        raise TypeError(
            f"save writes estimators of linclf, and this is {brief(model)}; for pipelines and other models "
            "use pickle, joblib or skops"
        )
    writer = Writer()
    content = {
        "format": FORMAT,
        "version": VERSION,
        "linclf": linclf.__version__,
        "model": writer.encoded(model, type(model).__name__),
    }
    _model_checks.check(model)
    # where the path is a link, the file that it leads to is replaced
    path = pathlib.Path(os.path.realpath(path))
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with open(temporary, "xb") as file:
            with zipfile.ZipFile(file, "w") as archive:
                _write(archive, json.dumps(content, allow_nan=False).encode(), writer.arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _write(archive, text, arrays):
    # without the time of day: the same model makes the same file
    archive.writestr(zipfile.ZipInfo("model.json"), text)
    for number, array in enumerate(arrays):
        with archive.open(zipfile.ZipInfo(f"{number}.npy"), "w", force_zip64=True) as file:
            np.lib.format.write_array(file, array, version=(1, 0), allow_pickle=False)


# ---------------------------------------------------------------- reading


def load(path):
    """Read a model that `save` has written; no code from the file is run.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    model : estimator
        As it was saved.

    Raises
    ------
    ValueError
        If the file is truncated, damaged, of another kind, or written by a newer linclf.
    OSError
        If it cannot be opened.

    Warns
    -----
    UserWarning
        If the model is part of a ``partial_fit`` stream and was saved by another version of linclf: the
        stream then goes on from the weights, with a new optimizer.

    See Also
    --------
    save : Write the file.

    Notes
    -----
    Every later version reads the files of this one. Shapes and types are checked, but a file from a
    stranger can still hold any weights: whether they are good is for you to test.

    Examples
    --------
    >>> import linclf
    >>> linclf.load("setup.cfg")  # doctest: +SKIP
    Traceback (most recent call last):
        ...
    ValueError: setup.cfg is damaged, or no model that linclf.save has written (File is not a zip file); ...
    """
    path = os.fspath(path)
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return _read(archive, os.fstat(file.fileno()).st_size)
        except Refused as reason:
            raise ValueError(f"{path}: {reason}") from None
        except MemoryError:
            raise
        except Exception as fault:
            raise ValueError(
                f"{path} is damaged, or no model that linclf.save has written ({fault}); save the model "
                "again, or read the file with what has written it"
            ) from fault


def _read(archive, file_size):
    entries = {entry.filename: entry for entry in archive.infolist()}
    stored = all(
        entry.compress_type == zipfile.ZIP_STORED and entry.compress_size == entry.file_size
        for entry in entries.values()
    )
    if not stored or sum(entry.file_size for entry in entries.values()) > file_size:
        raise ValueError("its parts are larger than the file")
    content = json.loads(archive.read("model.json"))
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError("model.json is of another format")
    version = content["version"]
    if type(version) is not int or version < 1:
        raise ValueError(f"its version is {version!r}")
    if version > VERSION:
        raise Refused(
            f"this model has file version {version} and was saved by linclf {content.get('linclf')}; linclf "
            f"{linclf.__version__} reads up to version {VERSION}: upgrade with pip install --upgrade linclf"
        )
    if set(entries) != {"model.json", *(f"{number}.npy" for number in range(len(entries) - 1))}:
        raise ValueError(f"its parts are {sorted(entries)}")
    arrays = [_read_array(archive, entries[f"{number}.npy"]) for number in range(len(entries) - 1)]
    model = Reader(arrays, content["linclf"]).decoded(content["model"])
    if not isinstance(model, BaseEstimator):
        raise ValueError("it holds no estimator")
    _model_checks.check(model)
    return model


def _read_array(archive, entry):
    """As np.load, but nothing is allocated that the file does not fill."""
    with archive.open(entry) as file:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError(f"{entry.filename} is of another version")
        shape, by_columns, dtype = np.lib.format.read_array_header_1_0(file)
        size = math.prod(shape) * dtype.itemsize
        known = PLAIN.fullmatch(dtype.str) and dtype.itemsize  # of text of no length there can be any number
        if not known or size != entry.file_size - file.tell():
            raise ValueError(f"{entry.filename} has {dtype} {shape} in {entry.file_size} bytes")
        array = np.empty(shape, dtype, order="F" if by_columns else "C")
        target = memoryview(array.reshape(-1, order="A").view(np.uint8)) if size else b""
        start = 0
        while part := file.read(2**20):  # to the end, where the checksum is compared
            target[start : start + len(part)] = part
            start += len(part)
        return array
