"""The report on what was read and the kind of each column; it is always shown to the user."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from linclf._tables.columns import Column

if TYPE_CHECKING:
    import pandas as pd

_MOST = 12  # names per line
_REASONS = 8  # columns listed with a note


class ReadingReport(NamedTuple):
    """A table as it was read."""

    columns: list[Column]
    n_missing: dict[str, int]  # only columns with missing values
    dense: bool  # whether the encoded table is a dense array

    def lines(self) -> list[str]:
        """One line per kind, with notes.

        Examples
        --------
        >>> import pandas as pd
        >>> from linclf._tables.report import report_of
        >>> from linclf._tables.columns import columns_of
        >>> table = pd.DataFrame({"w": ["0,5", "1,5"], "colour": ["red", None], "site": [1, 1]})
        >>> print("\\n".join(report_of(table, columns_of(table)).lines()))
        numbers, standardised: w (decimal comma)
        categories, one-hot encoded: colour (1 values, 1 missing: the most frequent one taken)
        left out: site (the same value in all rows, 1)
        """
        scaled = {"number": "numbers, standardised", "category": "categories, one-hot encoded"}
        scaled |= {"text": "text, as TF-IDF", "left out": "left out"}
        lines = []
        for kind, title in scaled.items():
            of_kind = [column for column in self.columns if column.kind == kind]
            notes = {column.note for column in of_kind}
            if kind == "number" and len(of_kind) > 1 and len(notes) == 1 and notes != {""}:
                title += f", {notes.pop()}"  # once instead of for each column
                of_kind = [column._replace(note="") for column in of_kind]
            if of_kind:
                lines.append(f"{title}: {self._listed(of_kind)}")
        return lines

    def _listed(self, columns: Sequence[Column]) -> str:
        notes = {column.name: self._note(column) for column in columns}
        noted = [name for name in notes if notes[name]]
        plain = [name for name in notes if not notes[name]]
        words = [f"{name} ({notes[name]})" for name in noted[:_REASONS]]
        words += plain[: max(_MOST - len(words), 3)]
        rest = len(columns) - len(words)
        return ", ".join(words) + (f" and {rest:,} more" if rest else "")

    def _note(self, column: Column) -> str:
        missing = self.n_missing.get(column.name, 0)
        taken = {"number": "the median taken", "category": "the most frequent one taken"}.get(column.kind)
        if not missing or column.kind == "left out":
            return column.note
        gaps = f"{missing:,} missing" + (f": {taken}" if taken else "")
        return f"{column.note}, {gaps}" if column.note else gaps

    def facts(self) -> dict[str, Any]:
        """The same for JSON: names by kind, and why columns are left out."""
        names: dict[str, Any] = {
            kind: [column.name for column in self.columns if column.kind == kind]
            for kind in ("number", "category", "text")
        }
        left_out: Mapping[str, str] = {
            column.name: column.note for column in self.columns if column.kind == "left out"
        }
        return {**names, "left_out": dict(left_out), "missing": self.n_missing}


def report_of(table: "pd.DataFrame", columns: Sequence[Column], dense: bool = True) -> ReadingReport:
    """The report on a table with the columns that `columns_of` has detected."""
    from linclf._tables.columns import as_taken

    taken = as_taken(table, [column for column in columns if column.kind != "left out"])
    n_missing = {str(name): int(n) for name, n in taken.isna().sum().items() if n}
    return ReadingReport(list(columns), n_missing, dense)
