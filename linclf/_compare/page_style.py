"""The style sheet and the script of the HTML report."""

STYLE = """
:root { color-scheme: light dark; --ink: #1c1f23; --soft: #56606b; --line: #d5dae0; --best: #dcebfa;
  --paper: #fff; --box: #f1f6fc; --shade: rgb(0 0 0 / .22); --accent: #2f7fd0 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #a9b3be; --line: #3a424b;
  --best: #1d3f61; --paper: #15181c; --box: #1b2530; --shade: rgb(0 0 0 / .75) } }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 76rem; margin: 0 auto; padding: 1rem; overflow-wrap: break-word }
h1 { font-size: 1.5rem; line-height: 1.2; margin: 0 0 .6rem }
h2 { font-size: 1.15rem; margin: 2rem 0 .3rem }
p, ul { margin: .3rem 0 } ul { padding-left: 1.2rem }
.soft, li, figcaption small { color: var(--soft) }
.verdict { font-size: 1.1rem; background: var(--box); border-left: .3rem solid var(--accent);
  padding: .6rem .8rem; margin: .8rem 0 }
.scroll { overflow-x: auto; margin: .8rem 0;
  background: linear-gradient(to left, var(--paper) 40%, transparent) right / 3rem 100% no-repeat local,
    linear-gradient(to left, var(--shade), transparent) right / 1rem 100% no-repeat scroll }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; min-width: 100% }
th, td { padding: .3rem .5rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line) }
th:first-child { text-align: left; position: sticky; left: 0; background: var(--paper);
  box-shadow: inset -1px 0 var(--line) }
thead th { color: var(--soft); font-weight: 600 }
thead button { all: unset; cursor: pointer; text-decoration: underline dotted }
thead button:focus-visible { outline: 2px solid var(--accent) }
th[aria-sort=ascending] button::after { content: " ▲" }
th[aria-sort=descending] button::after { content: " ▼" }
th wbr { display: none } tbody th { font-weight: 500 } tr.taken th { font-weight: 700 }
td.best { background: var(--best); font-weight: 700 } td.error { text-align: left; white-space: normal }
small { color: var(--soft); font-size: .8125rem }
.grid { display: flex; flex-wrap: wrap; gap: 1rem 2rem; align-items: start }
figure { margin: 0; max-width: 100% }
figcaption { font-size: .875rem; line-height: 1.35; max-width: 21rem }
figcaption small { display: block }
svg { display: block; flex: none } .wide { display: none }
@media (min-width: 800px) { .wide { display: block } .narrow { display: none } }
@media (max-width: 500px) {
  th:first-child { min-width: 9.3rem; white-space: normal } th wbr { display: inline } }
"""

# a click sorts by a column, the next reverses the order; failed models and missing values stay at the end
SCRIPT = """
for (const cell of document.querySelectorAll('table.sortable thead th')) {
  const button = document.createElement('button');
  button.type = 'button';
  button.append(...cell.childNodes);
  cell.append(button);
  button.addEventListener('click', () => {
    const body = cell.closest('table').tBodies[0], column = cell.cellIndex;
    const turned = cell.getAttribute('aria-sort') === 'descending' ? 'ascending' : 'descending';
    const order = cell.hasAttribute('aria-sort') ? turned : cell.dataset.first;
    for (const other of cell.parentNode.cells) other.removeAttribute('aria-sort');
    cell.setAttribute('aria-sort', order);
    const sign = order === 'ascending' ? 1 : -1;
    const value = row => row.cells[column] && row.cells[column].dataset.value || '';
    const compared = (a, b) => cell.dataset.kind === 'text' ? a.localeCompare(b) : a - b;
    const rows = [...body.rows].sort((one, other) => {
      const a = value(one), b = value(other);
      return a === '' || b === '' ? (a === '') - (b === '') : sign * compared(a, b);
    });
    body.append(...rows);
  });
}
"""
