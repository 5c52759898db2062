"""Save and load models as arrays and JSON, so that loading a file never runs code from it.

The file is a zip of ``model.json`` (see `linclf._files.values`) and the arrays ``0.npy``, ``1.npy``, ...
Nothing is compressed, so the data that are read are never larger than the file.
"""

import json
import math
import warnings
import zipfile
from typing import IO, Any

import numpy as np
import sklearn
from sklearn.base import BaseEstimator

from linclf._files.places import Place, read_from, write_to
from linclf._files.schema import check_model
from linclf._files.values import STORABLE_DTYPE, Json, Reader, Writer, brief_repr, classes, learnt
from linclf._version import __version__

FORMAT, VERSION = "linclf model", 2  # 1 holds only models of linclf, and is still written for these


class Unreadable(ValueError):
    """The file is intact, but only other versions of linclf or scikit-learn can read it."""


# ---------------------------------------------------------------- writing


def save(model: BaseEstimator, path: Place) -> None:
    """Write a model or a pipeline to a file of arrays and JSON, which `load` reads without running code.

    The file keeps all parameters, fitted attributes and the state of a ``partial_fit`` stream. Predictions
    of the loaded model are bitwise equal, and its stream continues bitwise as if it had not been interrupted.
    An existing file is replaced atomically: if a save fails or is killed, the old file stays.

    Besides the estimators of linclf, a file can hold these of scikit-learn: ``Pipeline``, ``FeatureUnion``,
    ``ColumnTransformer``, scalers, encoders, imputers, text vectorizers, feature selectors, splitters as
    ``cv``, and scorers that have a name. Models that contain other code (a function, a custom loss, another
    step or calibrator, a scorer of your own, callbacks) need pickle, joblib or skops.

    Parameters
    ----------
    model : estimator
        A classifier, calibrator or `LinearEmbedding` of linclf, fitted or not, `CalibratedClassifier`,
        `ConformalClassifier` or a classifier of `linclf.decisions` around one, or a pipeline of these.
    path : str, path-like or binary file object
        The file, usually named ``*.linclf``; its folder must exist, and ``~`` is the home folder. File
        objects, such as ``io.BytesIO()``, are written to.

    Raises
    ------
    TypeError
        If the model or a part of it is not on the list, so it could not be loaded without running code.
    ValueError
        If parts of the model do not fit together, such as ``coef_`` and ``classes_``.
    OSError
        If the file cannot be written.

    See Also
    --------
    load : Read the file.

    Notes
    -----
    If a function such as ``make_column_selector(dtype_include="number")`` selects columns, the selected
    columns are saved instead. The loaded pipeline uses them even if it is fitted again.

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

    A pipeline from text to classes, in memory:

    >>> import io
    >>> from sklearn.feature_extraction.text import TfidfVectorizer
    >>> from sklearn.pipeline import make_pipeline
    >>> reviews = ["dry and round", "dry, long finish", "sweet and short", "sweet, no finish"]
    >>> pipeline = make_pipeline(TfidfVectorizer(), linclf.SoftmaxClassifier(alpha=0.1))
    >>> pipeline = pipeline.fit(reviews, ["good", "good", "bad", "bad"])
    >>> file = io.BytesIO()
    >>> linclf.save(pipeline, file)
    >>> _ = file.seek(0)
    >>> linclf.load(file).predict(["a long, dry wine", "too sweet"]).tolist()
    ['good', 'bad']
    """
    if type(model) not in classes().values() or not isinstance(model, BaseEstimator):
        raise TypeError(
            f"save writes estimators of linclf and pipelines of them, and this is {brief_repr(model)}; for "
            "other models use pickle, joblib or skops, and for those of linclf.dask what to_local() returns"
        )
    writer = Writer()
    node = writer.encode(model, type(model).__name__)
    content: dict[str, Json] = {
        "format": FORMAT,
        "version": 2 if writer.has_steps else 1,
        "linclf": __version__,
        "model": node,
    }
    if writer.has_steps:
        content["scikit-learn"] = sklearn.__version__
    check_model(model, learnt)

    def write(file: IO[bytes]) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            _write(archive, content, writer.arrays)

    write_to(path, write)


def _write(archive: zipfile.ZipFile, content: dict[str, Json], arrays: list[np.ndarray]) -> None:
    # ZipInfo has a fixed date, so the same model gives the same file
    archive.writestr(zipfile.ZipInfo("model.json"), json.dumps(content, allow_nan=False).encode())
    for number, array in enumerate(arrays):
        with archive.open(zipfile.ZipInfo(f"{number}.npy"), "w", force_zip64=True) as file:
            np.lib.format.write_array(file, array, version=(1, 0), allow_pickle=False)


# ---------------------------------------------------------------- reading


def load(path: Place) -> BaseEstimator:
    """Read a model written by `save`; no code from the file is run.

    Parameters
    ----------
    path : str, path-like or binary file object
        The file, or an object that is read to its end.

    Returns
    -------
    model : estimator
        As it was saved.

    Raises
    ------
    ValueError
        If the file is truncated, damaged, not a linclf model, or written by a newer linclf, or if this
        version of scikit-learn cannot recreate its steps.
    OSError
        If it cannot be opened.

    Warns
    -----
    UserWarning
        If the model is part of a ``partial_fit`` stream and was saved by another version of linclf: the
        stream then continues from the weights, with a new optimizer. Also if scikit-learn steps were saved
        under another minor version of scikit-learn: they may behave differently.

    See Also
    --------
    save : Write the file.

    Notes
    -----
    Later versions can read files of this version. Shapes and types are checked, but not the quality of the
    model: test a file from an unknown source before you rely on its predictions.

    Examples
    --------
    >>> import io
    >>> import linclf
    >>> linclf.load(io.BytesIO(b"pickle or something else"))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    ValueError: BytesIO is damaged, or no model that linclf.save has written (File is not a zip file); ...
    """
    with read_from(path) as (name, file, size):
        try:
            with zipfile.ZipFile(file) as archive:
                model, notes = _read(archive, size)
        except Unreadable as reason:
            raise ValueError(f"{name}: {reason}") from None
        except MemoryError:
            raise
        except Exception as fault:
            raise ValueError(
                f"{name} is damaged, or no model that linclf.save has written ({fault}); save the model "
                "again, or load the file with the program that wrote it"
            ) from fault
    for note in notes:
        warnings.warn(note, UserWarning, stacklevel=2)
    return model


def _read(archive: zipfile.ZipFile, file_size: int) -> tuple[BaseEstimator, list[str]]:
    """The model, and warnings for the user."""
    entries = {entry.filename: entry for entry in archive.infolist()}
    uncompressed = all(
        entry.compress_type == zipfile.ZIP_STORED and entry.compress_size == entry.file_size
        for entry in entries.values()
    )
    if not uncompressed or sum(entry.file_size for entry in entries.values()) > file_size:
        raise ValueError("its parts are larger than the file")
    content = json.loads(archive.read("model.json"))
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError("model.json is of another format")
    version = content["version"]
    if type(version) is not int or version < 1:
        raise ValueError(f"its version is {version!r}")
    if version > VERSION:
        raise Unreadable(
            f"this model has file version {version} and was saved by linclf {content.get('linclf')}; linclf "
            f"{__version__} reads up to version {VERSION}: upgrade with pip install --upgrade linclf"
        )
    if set(entries) != {"model.json", *(f"{number}.npy" for number in range(len(entries) - 1))}:
        raise ValueError(f"its parts are {sorted(entries)}")
    arrays = [_read_array(archive, entries[f"{number}.npy"]) for number in range(len(entries) - 1)]
    reader = Reader(arrays, content["linclf"])
    if version == 1:
        return _model(reader, content), sorted(reader.warnings)
    before, now = content["scikit-learn"], sklearn.__version__
    if before.split(".")[:2] == now.split(".")[:2]:
        return _model(reader, content), sorted(reader.warnings)
    remedy = f"install scikit-learn {before}, or fit the model again with {now} and save it"
    try:
        model = _model(reader, content)
    except MemoryError:
        raise
    except Exception as fault:
        raise Unreadable(
            f"it was saved under scikit-learn {before}, and scikit-learn {now} cannot make its steps again "
            f"({fault}); {remedy}"
        ) from fault
    note = f"the steps of scikit-learn in this model were saved under version {before}, and this is {now}: "
    return model, [note + f"they may fail or predict differently; {remedy}", *sorted(reader.warnings)]


def _model(reader: Reader, content: dict[str, Any]) -> BaseEstimator:
    model = reader.decode(content["model"])
    if not isinstance(model, BaseEstimator):
        raise ValueError("it holds no estimator")
    check_model(model)
    return model


def _read_array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray:
    """Like np.load, but never allocates more memory than the size of the file."""
    with archive.open(entry) as file:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError(f"{entry.filename} is of another version")
        shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
        size = math.prod(shape) * dtype.itemsize
        # with items of size 0, such as empty text, a small file could claim an array of any length
        storable = STORABLE_DTYPE.fullmatch(dtype.str) and dtype.itemsize > 0
        if not storable or size != entry.file_size - file.tell():
            raise ValueError(f"{entry.filename} has {dtype} {shape} in {entry.file_size} bytes")
        array = np.empty(shape, dtype, order="F" if fortran_order else "C")
        buffer = array.reshape(-1, order="A").view(np.uint8)
        start = 0
        while part := file.read(2**20):  # to the end, where zipfile compares the checksum
            buffer[start : start + len(part)] = np.frombuffer(part, np.uint8)
            start += len(part)
        return array
