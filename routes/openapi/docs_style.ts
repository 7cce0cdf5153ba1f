/**
 * The style of the page `/docs`: light or dark as the reader's system is, without anything from elsewhere.
 *
 * @module
 */

/** The style sheet. */
export const DOCS_STYLE = `:root {
  color-scheme: light dark;
  --text: light-dark(#1b1f24, #e6e8eb);
  --dim: light-dark(#57606a, #9aa4af);
  --ground: light-dark(#ffffff, #14171b);
  --raised: light-dark(#f4f6f8, #1d2126);
  --line: light-dark(#d4d9df, #343a42);
  --link: light-dark(#0a58b8, #7db4ff);
  --get: light-dark(#12663a, #6fd39a);
  --post: light-dark(#8a4300, #f0ae6a);
  --delete: light-dark(#a3182a, #ff8f9b);
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body {
  margin: 0;
  color: var(--text);
  background: var(--ground);
  font: 1rem/1.55 system-ui, sans-serif;
  display: grid;
  grid-template-columns: 17rem minmax(0, 1fr);
}
a { color: var(--link); }
a:focus-visible, summary:focus-visible, pre:focus-visible {
  outline: 3px solid var(--link);
  outline-offset: 2px;
}
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 1rem; background: var(--ground); padding: .5rem; z-index: 1; }
nav {
  position: sticky;
  top: 0;
  height: 100vh;
  overflow: auto;
  padding: 1.5rem 1rem;
  border-right: 1px solid var(--line);
  background: var(--raised);
  font-size: .875rem;
}
nav ul { list-style: none; margin: 0 0 1rem; padding: 0; }
nav li { margin: .2rem 0; overflow-wrap: anywhere; }
nav a { text-decoration: none; }
nav a:hover { text-decoration: underline; }
main { padding: 1.5rem clamp(1rem, 4vw, 3rem) 6rem; max-width: 62rem; }
h1 { margin-top: 0; }
h2 { margin-top: 3.5rem; border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
article { margin: 2.5rem 0; }
h3 { overflow-wrap: anywhere; margin-bottom: .3rem; }
h4 { margin: 1.2rem 0 .3rem; }
code, pre { font: .875em/1.5 ui-monospace, monospace; }
pre { background: var(--raised); border: 1px solid var(--line); padding: .8rem; overflow: auto; }
.method { font-weight: 700; }
.get { color: var(--get); }
.post { color: var(--post); }
.delete { color: var(--delete); }
.dim { color: var(--dim); }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
@media (max-width: 40rem) { table { display: block; overflow-x: auto; } }
th, td { text-align: left; vertical-align: top; padding: .35rem .7rem .35rem 0; }
tr { border-bottom: 1px solid var(--line); }
td { overflow-wrap: break-word; }
td:nth-child(2) { min-width: 9rem; }
summary { cursor: pointer; }
@media (max-width: 55rem) {
  body { display: block; }
  nav { position: static; height: auto; border-right: 0; border-bottom: 1px solid var(--line); }
}
@media print {
  nav { display: none; }
  body { display: block; }
}
`;
