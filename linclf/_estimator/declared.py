"""Parameters and fitted attributes, declared once: constructor, validation and docstring follow from them.

    class Classifier(Declared, BaseEstimator):
        '''A classifier.

        Parameters
        ----------
        {parameters}

        Attributes
        ----------
        {attributes}
        '''

        alpha: float = parameter(
            default=1.0,
            constraint=[Interval(Real, 0, None, closed="left")],
            type="float >= 0",
            description="L2 penalty.",
        )
        coef_: np.ndarray = attribute(type="ndarray of shape (n_features,)", description="Weights.")

A subclass inherits them and adds its own. If it redeclares one, it may leave out everything that stays the
same except the default.

The constructor is that of a dataclass, but the class is not one: dask and others identify a dataclass by its
fields alone, and would confuse two fitted models.
"""

import dataclasses
import functools
import inspect
import textwrap
from collections.abc import Callable
from typing import Any, ClassVar, Literal, NamedTuple, dataclass_transform

import numpy as np

from linclf._estimator.suggestions import refuse_unknown

NO_DEFAULT = inspect.Parameter.empty


class Entry(NamedTuple):
    """A parameter, or an attribute, which has no default."""

    type: str | None = None
    description: str | None = None
    with_exact: str = ""
    default: Any = NO_DEFAULT
    constraint: Any = None
    annotation: Any = Any

    @property
    def is_parameter(self) -> bool:
        return self.default is not NO_DEFAULT

    def completed(self, base: "Entry", annotation: Any) -> "Entry":
        """The entry with its annotation; what it leaves out comes from the entry that it replaces."""
        entry = self._replace(annotation=annotation)
        if self.description is None:
            entry = entry._replace(description=base.description, with_exact=base.with_exact)
        omitted = [field for field in ("type", "constraint") if getattr(self, field) is None]
        return entry._replace(**{field: getattr(base, field) for field in omitted})

    def documented(self, name: str, lbfgs: bool) -> str:
        """The entry in numpydoc format."""
        head = f"{name} : {self.type}"
        if self.is_parameter:
            head += f", default={shown(self.default)}"
        texts = [self.description, self.with_exact if lbfgs else ""]
        lines = "\n".join(inspect.cleandoc(text) for text in texts if text)
        return f"{head}\n{textwrap.indent(lines, ' ' * 4)}"


NOT_OFFERED = Entry()


def parameter(
    *,
    default: Any,
    constraint: Any = None,
    type: str | None = None,
    description: str | None = None,
    with_exact: str = "",
) -> Any:
    """A parameter of the constructor.

    Parameters
    ----------
    default : object
        The value if none is given.
    constraint : list or "no_validation"
        The constraint that scikit-learn checks before a fit.
    type : str
        The allowed values, as shown in the docstring.
    description : str
        The text in the docstring.
    with_exact : str
        Sentences to append if the class offers ``solver="lbfgs"``.
    """
    return Entry(type, description, with_exact, default, constraint)


def attribute(
    *,
    type: str | None = None,
    description: str | None = None,
    with_exact: str = "",
    init: Literal[False] = False,
) -> Any:
    """A fitted attribute; ``init`` tells type checkers that it is not a parameter."""
    return Entry(type, description, with_exact)


def not_offered(*, init: Literal[False] = False) -> Any:
    """An inherited parameter that this class does not offer: its value is always the default."""
    return NOT_OFFERED


@dataclass_transform(
    kw_only_default=True, eq_default=False, field_specifiers=(parameter, attribute, not_offered)
)
class Declared:
    """Base of classes that declare their parameters."""

    _declared: ClassVar[dict[str, Entry]] = {}
    _parameter_constraints: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Entry)}
        if own or len(cls.__bases__) > 1:
            _declare(cls, own)
        if "__init__" not in vars(cls) and (own or hasattr(cls.__init__, "declared")):
            cls.__init__ = _constructor(cls)  # pyright: ignore[reportAttributeAccessIssue]
        if cls.__doc__ is not None:  # it is None under python -OO
            cls.__doc__ = _documentation(cls, cls.__doc__)


def _declare(cls: type[Declared], own: dict[str, Entry]) -> None:
    annotations, inherited = inspect.get_annotations(cls), _inherited(cls)
    declared = {
        name: entry.completed(inherited.get(name, Entry()), annotations.get(name, Any))
        for name, entry in own.items()
        if entry is not NOT_OFFERED
    }
    # own entries come first, in the constructor and in the docstring
    cls._declared = declared | {name: entry for name, entry in inherited.items() if name not in own}
    for name in own:
        delattr(cls, name)  # a parameter not offered has the inherited default, an attribute no value yet
    for name, entry in _parameters(declared).items():
        setattr(cls, name, entry.default)
    constraints = {name: entry.constraint for name, entry in _parameters(cls._declared).items()}
    cls._parameter_constraints = cls._parameter_constraints | constraints


def _inherited(cls: type[Declared]) -> dict[str, Entry]:
    """The entries of all bases, without those that one of them does not offer."""
    entries: dict[str, Entry] = {}
    for base in reversed(cls.__mro__[1:]):
        declared = vars(base).get("_declared")
        if declared is None:
            continue
        before = [vars(other).get("_declared", {}) for other in base.__mro__[1:]]
        known = {name for others in before for name in others}
        # what it only inherits may be what another base does not offer
        own = {
            name: entry
            for name, entry in declared.items()
            if name in entries or not any(others.get(name) is entry for others in before)
        }
        others = {name: entry for name, entry in entries.items() if name not in known | set(own)}
        entries = own | others
    return entries


def _parameters(entries: dict[str, Entry]) -> dict[str, Entry]:
    return {name: entry for name, entry in entries.items() if entry.is_parameter}


def _constructor(cls: type[Declared]) -> Callable[..., None]:
    """``__init__`` with keyword-only parameters, each stored unchanged."""
    fields = [
        (name, entry.annotation, dataclasses.field(default=entry.default))
        for name, entry in _parameters(cls._declared).items()
    ]
    constructor: Any = dataclasses.make_dataclass(cls.__name__, fields, kw_only=True).__init__
    constructor.__module__, constructor.__qualname__ = cls.__module__, f"{cls.__qualname__}.__init__"
    parameters = [name for name, *_ in fields]

    @functools.wraps(constructor)
    def checked(self: Any, *arguments: Any, **given: Any) -> None:
        refuse_unknown(type(self), parameters, given)
        constructor(self, *arguments, **given)

    checked.declared = True  # pyright: ignore[reportAttributeAccessIssue]
    return checked


def _documentation(cls: type[Declared], template: str) -> str:
    solver = cls._declared.get("solver")
    lbfgs = solver is not None and any("lbfgs" in getattr(one, "options", ()) for one in solver.constraint)
    text = inspect.cleandoc(template)
    for placeholder, is_parameter in (("{parameters}", True), ("{attributes}", False)):
        entries = [
            entry.documented(name, lbfgs)
            for name, entry in cls._declared.items()
            if entry.is_parameter == is_parameter
        ]
        text = text.replace(placeholder, "\n".join(entries))
    return text


def shown(default: Any) -> str:
    """A default as one would write it: "sgd", 0.1, 1e-4, None."""
    if isinstance(default, str):
        return f'"{default}"'
    if isinstance(default, float) and 0 < abs(default) < 1e-3:
        return np.format_float_scientific(default, trim="-", exp_digits=1)
    return repr(default)
