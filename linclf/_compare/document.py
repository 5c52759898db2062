"""The frame of an HTML report: one self-contained file that needs no network."""

import html
from collections.abc import Iterable, Sequence

from linclf._compare.page_style import SCRIPT, STYLE


def document(title: str, content: Iterable[str]) -> str:
    """A page with a title; empty parts are left out."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head><body>\n"
        + "\n".join(filter(None, content))
        + f"\n<script>{SCRIPT}</script></body></html>\n"
    )


def section(title: str, text: str, content: str) -> str:
    """A heading, an explanation, and the content."""
    words = f'<p class="soft">{html.escape(text)}</p>' if text else ""
    return f"<section><h2>{title}</h2>{words}{content}</section>"


def paragraphs(lines: Sequence[str]) -> str:
    return "".join(f'<p class="soft">{html.escape(line)}</p>' for line in lines)
