"""How a checked document looks in HTML: every verdict has a colour, a line of its own kind, and a sign."""

REPORT_STYLE = """
.check { --correct: #e2f3e5; --convention: #e0eefb; --wrong: #fde3e1; --undecided: #fbf0d0;
  --correct-line: #2c7a3f; --convention-line: #1f5fbf; --wrong-line: #b3261e; --undecided-line: #8a6100; }
@media (prefers-color-scheme: dark) { .check { --correct: #1b3522; --convention: #1c3049; --wrong: #4a2022;
  --undecided: #40351a; --correct-line: #7cc98d; --convention-line: #8ab4f8; --wrong-line: #ff9a92;
  --undecided-line: #e6bf5a; } }
.check .correct { --back: var(--correct); --edge: var(--correct-line); --kind: solid; }
.check .convention { --back: var(--convention); --edge: var(--convention-line); --kind: dashed; }
.check .wrong { --back: var(--wrong); --edge: var(--wrong-line); --kind: double; }
.check .undecided { --back: var(--undecided); --edge: var(--undecided-line); --kind: dotted; }
.check section + section { margin-top: 4em; }
.check h1 { overflow-wrap: anywhere; }
.check .counts { display: flex; flex-wrap: wrap; gap: .6em; list-style: none; padding: 0; }
.check .counts li { background: var(--back); border-bottom: 3px var(--kind) var(--edge); padding: .2em .8em;
  border-radius: 6px 6px 0 0; }
.check .sign { color: var(--edge); font-weight: bold; }
.check nav ol { columns: auto; }
.check .document { border: 1px solid var(--line); border-radius: 8px; padding: .6em 0; }
.check .row { display: grid; grid-template-columns: 3.5em minmax(0, 1fr) 13em; column-gap: .8em;
  align-items: start; padding-right: .8em; }
.check .row:target { background: var(--panel); }
.check .number { grid-column: 1; text-align: right; color: var(--quiet); user-select: none; font-size: .8em;
  padding-top: .2em; }
.check code { font: .88em/1.6 ui-monospace, "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  overflow-wrap: anywhere; }
.check .row > code { grid-column: 2; white-space: pre-wrap; tab-size: 4; unicode-bidi: isolate;
  min-height: 1.6em; }
.check .claim { color: inherit; text-decoration: none; background: var(--back);
  padding-bottom: .1em; border-bottom: 3px var(--kind) var(--edge); }
.check .begins::before { content: "✓"; color: var(--edge); font-weight: bold; padding: 0 .25em; }
.check .begins.convention::before { content: "≈"; }
.check .begins.wrong::before { content: "✗"; }
.check .begins.undecided::before { content: "?"; }
.check mark { color: inherit; background: none; outline: 2px solid var(--edge); outline-offset: 1px;
  border-radius: 2px; }
.check details { grid-column: 3; margin: 0; padding: 0 .6em; border: 0; border-radius: 0;
  border-left: 3px var(--kind) var(--edge); font-size: .9em; }
.check details[open] { grid-column: 2 / -1; background: var(--back); margin: .3em 0 .6em; }
.check summary { padding: .05em 0; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.check [open] > summary { white-space: normal; }
.check details p { margin: .2em 0; color: var(--quiet); }
.check dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .3em 1em; margin: .4em 0; }
.check dt { color: var(--quiet); }
.check dd { margin: 0; white-space: pre-line; overflow-wrap: anywhere; }
@media (max-width: 46em) { .check .row { grid-template-columns: 2.5em minmax(0, 1fr); }
  .check details { grid-column: 2 / -1; } }
"""
