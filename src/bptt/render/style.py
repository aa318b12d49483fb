"""How an HTML page looks, in light and in dark and on paper, and what happens at a symbol."""

STYLE = """
.bptt { color-scheme: light dark; --text: #1c1e21; --quiet: #5c6370; --page: #fff; --panel: #f5f6f8;
  --line: #d5d9e0; --accent: #1f5fbf; --state: #e3edfb; --parameter: #fbf1dc; --objective: #fbe5e5;
  color: var(--text); background: var(--page); font: 16px/1.55 system-ui, "Segoe UI", Roboto, sans-serif; }
@media (prefers-color-scheme: dark) { .bptt { --text: #e4e6ea; --quiet: #a2a9b5; --page: #16181c;
  --panel: #20242a; --line: #3b414b; --accent: #8ab4f8; --state: #22344d; --parameter: #3a3220;
  --objective: #4a2729; } }
.bptt * { box-sizing: border-box; }
.bptt math { font-family: "STIX Two Math", "Latin Modern Math", "Cambria Math", "STIX Math",
  "DejaVu Math TeX Gyre", math; font-size: 1.08em; }
.bptt .bold { font-weight: bold; }
.bptt .shape > :last-child { color: var(--quiet); }
.bptt .stack mtd { text-align: left; padding: .15em 0; }
.bptt .stack mtr + mtr > mtd { padding-left: 1em; }
.bptt h1 { font-size: 1.7em; line-height: 1.25; margin: 0 0 .8em; }
.bptt h2 { font-size: 1.3em; margin: 2em 0 .6em; padding-bottom: .2em; border-bottom: 1px solid var(--line); }
.bptt h3, .bptt h4, .bptt h5, .bptt h6 { font-size: 1.08em; margin: 1.5em 0 .5em; }
.bptt p { margin: .7em 0; max-width: 46em; }
.bptt a { color: var(--accent); }
.bptt nav { background: var(--panel); border-radius: 8px; padding: .9em 1.2em; margin-bottom: 1.5em; }
.bptt nav ol { margin: 0; padding-left: 1.2em; columns: 20em; }
.bptt nav li { break-inside: avoid; }
.bptt nav a { text-decoration: none; }
.bptt nav a:hover { text-decoration: underline; }
.bptt details { margin: .6em 0; border: 1px solid var(--line); border-radius: 8px; padding: 0 1em; }
.bptt details[open] { padding-bottom: .6em; }
.bptt summary { cursor: pointer; padding: .55em 0; }
.bptt summary :is(h2, h3, h4, h5, h6) { display: inline; border: 0; margin: 0; padding: 0;
  font-size: 1.05em; }
.bptt :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
.bptt .wide { overflow-x: auto; overflow-y: hidden; padding: .25em 0; margin: .6em 0; }
.bptt .display { display: grid; grid-template-columns: max-content max-content minmax(13em, 1fr);
  column-gap: .35em; row-gap: .55em; align-items: baseline; }
.bptt .left { justify-self: end; }
.bptt .right > math { display: inline-block; }
.bptt .right > math + math { margin: .4em 0 0 2em; display: block; width: max-content; }
.bptt .why { color: var(--quiet); font-size: .92em; padding-left: 2em; max-width: 34em; }
.bptt .heading { color: var(--quiet); font-style: italic; margin: 1.1em 0 0; }
.bptt table { border-collapse: collapse; }
.bptt th, .bptt td { text-align: left; vertical-align: baseline; padding: .3em 1.2em .3em 0;
  border-bottom: 1px solid var(--line); }
.bptt th { font-weight: 600; }
.bptt .short { white-space: nowrap; }
.bptt pre { background: var(--panel); border-radius: 8px; padding: .8em 1em; overflow-x: auto;
  font: .88em/1.5 ui-monospace, "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.bptt .graph { display: block; max-width: none; font: 17px "STIX Two Text", "Times New Roman", serif; }
.bptt .graph text { fill: var(--text); }
.bptt .graph .letter { font-style: italic; }
.bptt .graph .script { font-size: 12px; }
.bptt .graph rect { fill: var(--panel); stroke: var(--quiet); }
.bptt .graph .state rect { fill: var(--state); stroke: var(--accent); stroke-width: 2; }
.bptt .graph .parameter rect { fill: var(--parameter); }
.bptt .graph .objective rect { fill: var(--objective); }
.bptt .graph .edge { fill: none; stroke: var(--quiet); stroke-width: 1.3; }
.bptt .graph .later { stroke: var(--accent); stroke-dasharray: 5 4; }
.bptt .graph .head { fill: var(--quiet); }
.bptt [data-symbol] { cursor: help; }
.bptt [data-symbol]:is(:hover, .asked) { color: var(--accent); }
.bptt .tip { position: fixed; z-index: 9; max-width: min(32em, 90vw); padding: .5em .8em; border-radius: 8px;
  background: var(--panel); color: var(--text); border: 1px solid var(--line); box-shadow: 0 4px 16px #0004;
  pointer-events: none; }
.bptt .tip[hidden] { display: none; }
.bptt .tip p { margin: 0; }
@media (max-width: 46em) { .bptt .display { grid-template-columns: max-content 1fr; }
  .bptt .why { grid-column: 1 / -1; padding-left: 1em; } }
@media print { .bptt { --text: #000; --page: #fff; --panel: #fff; --quiet: #333; --state: #fff;
  --parameter: #fff; --objective: #fff; font-size: 11pt; }
  .bptt details { border: 0; padding: 0; } .bptt nav, .bptt .tip { display: none; }
  .bptt details::details-content { content-visibility: visible; block-size: auto; }
  .bptt .right, .bptt h2, .bptt h3 { break-inside: avoid; } .bptt :is(h2, h3) { break-after: avoid; }
  .bptt .wide { overflow: visible; } }
"""

# Of a document of its own: the margins around the page, and all derivations open on paper.
DOCUMENT_STYLE = """
body { margin: 0; }
.bptt { min-height: 100vh; padding: 2.5em max(1.2em, calc(50vw - 34em)) 4em; }
"""

# Opens the derivation that a link of the contents leads to.
DOCUMENT_SCRIPT = """
const unfold = () => {
  let at = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (; at; at = at.parentElement)
    if (at.tagName === 'DETAILS') at.open = true;
};
addEventListener('hashchange', unfold);
unfold();
"""

# Shows what is known of a symbol at the pointer, or, in a display that has the focus, at the arrow keys.
SCRIPT = """
for (const page of document.querySelectorAll('.bptt:not([data-ready])')) {
  page.dataset.ready = '';
  const tip = page.querySelector('.tip'), known = page.querySelector('template').content;
  const hide = () => { tip.hidden = true; page.querySelector('.asked')?.classList.remove('asked'); };
  const show = symbol => {
    hide();
    const meaning = symbol && known.querySelector(`[data-of="${CSS.escape(symbol.dataset.symbol)}"]`);
    if (!meaning) return;
    symbol.classList.add('asked');
    tip.replaceChildren(meaning.cloneNode(true));
    tip.hidden = false;
    const at = symbol.getBoundingClientRect(), under = at.bottom + 8 + tip.offsetHeight < innerHeight;
    tip.style.left = Math.max(8, Math.min(at.left, innerWidth - tip.offsetWidth - 8)) + 'px';
    tip.style.top = (under ? at.bottom + 8 : at.top - tip.offsetHeight - 8) + 'px';
  };
  page.addEventListener('pointerover', event => show(event.target.closest('[data-symbol]')));
  page.addEventListener('focusout', hide);
  page.addEventListener('keydown', event => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === 'Escape') hide();
    const symbols = [...event.target.querySelectorAll('[data-symbol]')];
    if (!step || !symbols.length) return;
    event.preventDefault();
    const next = symbols.indexOf(page.querySelector('.asked')) + step;
    show(symbols[(next + symbols.length) % symbols.length]);
  });
}
"""
